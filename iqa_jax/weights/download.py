"""Weights that their authors publish by URL: downloaded whole, verified, and resumed if broken off.

While it is coming, a file lies beside its place as ``NAME.part``. ``NAME.part.json`` records which
version of the file the server was sending (its ETag, else the date of its last change, and its
size), and is the lock that keeps other processes away. A later try asks for the rest on condition
that the server still has that version, and otherwise starts over; so it does if the server tells no
version, and then nothing unfinished is kept. ``NAME`` appears when it is whole and verified.

What comes without encryption is taken only if its whole hash is known. A download ends at the size
that is registered, else at that which the server tells, and never beyond :data:`MOST_BYTES`.
"""

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from etils import epath

from iqa_jax.errors import CheckpointError
from iqa_jax.files import appearing_whole, is_local, put
from iqa_jax.progress import bar, inform
from iqa_jax.weights.transfers import (
    OutdatedError,
    TryError,
    body,
    continues,
    is_encrypted,
    open_answer,
    version_of,
)

try:
    import fcntl
except ImportError:  # Windows: there, two downloads of one file at once are not kept apart
    fcntl = None

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds between the tries of a download that breaks off."""

MOST_BYTES = 8 << 30
"""Of a download whose size is not registered."""

_PROGRESS_DELAY = 2.0  # seconds; what is faster needs no progress bar


class OtherFileError(CheckpointError):
    """A file is not the one that is meant: its hash or its size is another."""


def file_sha256(path: epath.Path) -> str:
    """SHA-256 of a file, read in pieces, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True)
class UrlFile:
    """A file on a server.

    Attributes:
      url: Where it is published.
      size: In bytes; None if not known.
    """

    url: str
    size: int | None = None

    @property
    def name(self) -> str:
        """The last part of the URL's path."""
        return PurePosixPath(unquote(urlsplit(self.url).path)).name

    def find(self, directory: epath.Path) -> epath.Path | None:
        """Where the file, downloaded or placed by hand, is in ``directory``; None if it is not."""
        path = directory / self.name
        return path if path.exists() else None

    def fetch(self, directory: epath.Path, sha256: str) -> epath.Path:
        """The file in ``directory``, verified; downloaded if it is not there.

        A download to a bucket goes through a temporary folder, and cannot be resumed later.

        Args:
          directory: The folder that the file lies in, made if need be.
          sha256: Of the file: in full, or how it begins; if it is empty, only the size is checked.

        Raises:
          CheckpointError: If the file cannot be had, or is not the one that is meant.
        """
        path = directory / self.name
        try:
            if self.find(directory) is None:
                self._download(path, sha256)
            else:
                self._check(path, sha256)
        except OSError as error:
            raise CheckpointError(
                f"{path}: cannot be read or written ({error}); make room and give access there, "
                "or name another folder with --checkpoints_dir, and run again; or give the path of "
                "a copy with --source=PATH"
            ) from error
        return path

    def _download(self, path: epath.Path, sha256: str) -> None:
        if not (is_encrypted(self.url) or _is_full(sha256)):
            raise CheckpointError(
                f"{self.url}: is not downloaded: it comes without encryption, and its whole hash "
                f"is not known; have it brought in a way that you trust and place it at {path} "
                "(or give its path with --source=PATH)"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if is_local(path):
                self._download_here(Path(path), sha256)
                return
            with tempfile.TemporaryDirectory() as folder:
                local = Path(folder) / self.name
                self._download_here(local, sha256)
                with appearing_whole(path) as copy:
                    epath.Path(local).copy(copy)
                    if complaint := self._complaint(copy, sha256):
                        raise CheckpointError(f"{copy}: was damaged in copying: {complaint}")
        except TryError as failure:
            is_kept = is_local(path) and _part(Path(path)).exists()
            kept = "what came is kept and running again continues with it; or " if is_kept else ""
            raise CheckpointError(
                f"{self.url}: cannot be downloaded: {failure}; {kept}"
                f"download it elsewhere and place it at {path} (or give its path with "
                "--source=PATH)"
            ) from failure.__cause__

    def _download_here(self, path: Path, sha256: str) -> None:
        part = _part(path)
        with _locked(part.with_name(f"{part.name}.json")) as record:
            try:
                if path.exists():  # brought by another process while this one waited
                    self._check(epath.Path(path), sha256)
                    return
                self._try_repeatedly(part, record, sha256)
                if complaint := self._complaint(epath.Path(part), sha256):
                    part.unlink()
                    raise OtherFileError(
                        f"{self.url}: what came is not the file it is known to be: {complaint}; "
                        "nothing was kept"
                    )
                put(epath.Path(part), epath.Path(path))
            finally:
                if not (_size(part) and _read_record(record)):
                    part.unlink(missing_ok=True)
                    with suppress(PermissionError):  # Windows keeps files that are open
                        Path(record.name).unlink()

    def _try_repeatedly(self, part: Path, record: IO[str], sha256: str) -> None:
        is_passing = False
        for pause in (*PAUSES, None):
            try:
                self._try(part, record, sha256)
                return
            except TryError as failure:
                if isinstance(failure, OutdatedError):
                    _write_record(record, {})
                is_passing |= failure.is_passing  # once it has worked, the network comes back
                if pause is None or not is_passing:
                    raise
                time.sleep(pause)

    def _try(self, part: Path, record: IO[str], sha256: str) -> None:
        """Asks for the file, or the rest of it, and appends to ``part`` what comes."""
        there = _size(part)
        known = _read_record(record) if there else {}
        if known.get("url") != self.url:
            known, there = {}, 0
        elif known["size"] == there:
            return
        with open_answer(self.url, there, known.get("version"), plain=_is_full(sha256)) as response:
            version = version_of(response)
            if response.status == 206 and there:
                if not continues(response, there, known):
                    raise OutdatedError("the server sends another part of the file")
                total = known["size"]
            elif response.status == 200:
                there, total = 0, self._size_of(response)
                part.write_bytes(b"")  # before the record, which speaks of what the file holds
                known = {"url": self.url, "version": version, "size": total}
                _write_record(record, known if version and total else {})
            else:
                raise TryError(f"the server answers with status {response.status}")
            with (
                part.open("ab") as file,
                bar(
                    desc=self.name,
                    total=total or self.size,
                    initial=there,
                    unit="B",
                    unit_scale=True,
                    delay=_PROGRESS_DELAY,
                ) as progress,
            ):
                most = (self.size or MOST_BYTES) - there
                for chunk in body(response, total and total - there, most):
                    file.write(chunk)
                    progress.update(len(chunk))

    def _size_of(self, response: HTTPResponse) -> int | None:
        """The size that the server tells, if it does; the one that is registered, if there is one.

        Raises:
          TryError: If it is another one, or beyond all measure.
        """
        told = response.length
        if told is not None and self.size is not None and told != self.size:
            raise TryError(f"the server would send {told} bytes, expected {self.size}")
        if told is not None and told > MOST_BYTES:
            raise TryError(f"the server would send {told} bytes, expected {MOST_BYTES} at most")
        return told

    def _check(self, path: epath.Path, sha256: str) -> None:
        if complaint := self._complaint(path, sha256):
            raise OtherFileError(
                f"{path}: is not the file that {self.url} is known to be: {complaint}; "
                "move it away to have it downloaded"
            )

    def _complaint(self, path: epath.Path, sha256: str) -> str:
        """What is wrong with the file; empty if it is the right one as far as is known."""
        if sha256:
            found = file_sha256(path)
            whole = sha256 if len(sha256) == len(found) else f"{sha256}..."
            is_right = found.startswith(sha256.lower())
            return "" if is_right else f"expected sha256 {whole}, found {found}"
        found = path.stat().length
        is_right = found == self.size if self.size is not None else found > 0
        return "" if is_right else f"expected {self.size or 'some'} bytes, found {found}"


def _read_record(record: IO[str]) -> dict[str, Any]:
    record.seek(0)
    try:
        return json.load(record)
    except ValueError:  # empty, or cut off when it was written
        return {}


def _write_record(record: IO[str], content: dict[str, Any]) -> None:
    record.seek(0)
    record.truncate()
    json.dump(content, record)
    record.flush()


@contextmanager
def _locked(path: Path) -> Iterator[IO[str]]:
    """A text file that one process or thread at a time may have; it may delete it when done."""
    while True:
        with path.open("a+") as file:
            if fcntl is not None:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    inform(f"waiting for another process, which has {path}")
                    fcntl.flock(file, fcntl.LOCK_EX)
            if _lies_at(path, file):  # else it was deleted while this one waited: once more
                yield file
                return


def _lies_at(path: Path, file: IO[str]) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _is_full(sha256: str) -> bool:
    return len(sha256) == hashlib.sha256().digest_size * 2
