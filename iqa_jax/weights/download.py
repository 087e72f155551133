"""Weights published at a URL: downloaded, verified, and resumed after an interruption.

While a file is being downloaded, it is kept as ``NAME.part`` beside its destination.
``NAME.part.json`` records the version that the server was sending (its ETag or ``Last-Modified``
date, and its size) and serves as the lock that keeps other processes out. A later attempt requests
the rest, provided that the server still has that version, and otherwise starts over. If the server
gives no version, nothing unfinished is kept. ``NAME`` appears once it is complete and verified.

An unencrypted download is accepted only if the full hash is known. A download ends at the
registered size, or failing that at the size given by the server, and never exceeds
:data:`MOST_BYTES`.
"""

import hashlib
import json
import os
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
except ImportError:  # Windows, where concurrent downloads of one file are not kept apart
    fcntl = None

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds between the attempts of an interrupted download."""

MOST_BYTES = 8 << 30
"""Maximum size of a download whose size is not registered."""

_PROGRESS_DELAY = 2.0  # seconds; faster downloads need no progress bar


class OtherFileError(CheckpointError):
    """A file that is not the expected one: its hash or size differs."""


def file_sha256(path: epath.Path) -> str:
    """SHA-256 of a file, in hexadecimal; the file is read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True)
class UrlFile:
    """A file on a server.

    Attributes:
      url: URL where it is published.
      size: Size in bytes; None if unknown.
    """

    url: str
    size: int | None = None

    @property
    def name(self) -> str:
        """The last part of the URL's path."""
        return PurePosixPath(unquote(urlsplit(self.url).path)).name

    def find(self, directory: epath.Path) -> epath.Path | None:
        """Path of the file in ``directory``, downloaded or placed by hand; None if missing."""
        path = directory / self.name
        return path if path.exists() else None

    def fetch(self, directory: epath.Path, sha256: str) -> epath.Path:
        """Verifies the file in ``directory``, after downloading it if it is missing.

        A download to a bucket goes through a temporary folder and cannot be resumed later.

        Args:
          directory: Folder of the file, created if necessary.
          sha256: The file's SHA-256, or its first digits; if empty, only the size is checked.

        Returns:
          Path of the file.

        Raises:
          CheckpointError: If the file cannot be obtained or is not the expected one.
        """
        path = directory / self.name
        try:
            if self.find(directory) is None:
                self._download(path, sha256)
            else:
                self._check(path, sha256)
        except OSError as error:
            raise CheckpointError(
                f"{path}: cannot be read or written ({error}); check free space and permissions, "
                "or name another folder with checkpoints_dir, and run again; or give the path of a "
                "copy with source=PATH"
            ) from error
        return path

    def _download(self, path: epath.Path, sha256: str) -> None:
        if not (is_encrypted(self.url) or _is_full(sha256)):
            raise CheckpointError(
                f"{self.url}: not downloaded, because the connection is not encrypted and the full "
                f"hash is unknown; obtain the file in a way that you trust and place it at {path} "
                "(or give its path with source=PATH)"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if is_local(path):
                self._download_here(Path(path), sha256)
                return
            with appearing_whole(path) as local:
                self._download_here(Path(local), sha256)
        except TryError as failure:
            is_kept = is_local(path) and _part(Path(path)).exists()
            kept = "run again to resume it from the part that was kept; or " if is_kept else ""
            raise CheckpointError(
                f"{self.url}: cannot be downloaded: {failure}; {kept}"
                f"download it elsewhere and place it at {path} (or give its path with "
                "source=PATH)"
            ) from failure.__cause__

    def _download_here(self, path: Path, sha256: str) -> None:
        part = _part(path)
        with _locked(part.with_name(f"{part.name}.json")) as record:
            try:
                if path.exists():  # downloaded by another process while this one waited
                    self._check(epath.Path(path), sha256)
                    return
                self._try_repeatedly(part, record, sha256)
                if complaint := self._complaint(epath.Path(part), sha256):
                    part.unlink()
                    raise OtherFileError(
                        f"{self.url}: the download is not the expected file: {complaint}; "
                        "nothing was kept"
                    )
                put(epath.Path(part), epath.Path(path))
            finally:
                if not (_size(part) and _read_record(record)):
                    part.unlink(missing_ok=True)
                    with suppress(PermissionError):  # Windows does not delete open files
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
                is_passing |= failure.is_passing  # a network that once worked may recover
                if pause is None or not is_passing:
                    raise
                time.sleep(pause)

    def _try(self, part: Path, record: IO[str], sha256: str) -> None:
        """Requests the file, or the rest of it, and appends the response to ``part``."""
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
                    raise OutdatedError("the server sends the wrong part of the file")
                total = known["size"]
            elif response.status == 200:
                there, total = 0, self._size_of(response)
                part.write_bytes(b"")  # before the record, which describes this file
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
        """The size that the server announces; None if it does not.

        Raises:
          TryError: If it differs from the registered size or exceeds :data:`MOST_BYTES`.
        """
        size = response.length
        if size is not None and self.size is not None and size != self.size:
            raise TryError(f"the server would send {size} bytes, expected {self.size}")
        if size is not None and size > MOST_BYTES:
            raise TryError(f"the server would send {size} bytes, expected at most {MOST_BYTES}")
        return size

    def _check(self, path: epath.Path, sha256: str) -> None:
        if complaint := self._complaint(path, sha256):
            raise OtherFileError(
                f"{path}: is not the file expected from {self.url}: {complaint}; "
                "move it away to download it again"
            )

    def _complaint(self, path: epath.Path, sha256: str) -> str:
        """A complaint about the file; empty if it passes the checks."""
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
    except ValueError:  # empty, or cut off while being written
        return {}


def _write_record(record: IO[str], content: dict[str, Any]) -> None:
    record.seek(0)
    record.truncate()
    json.dump(content, record)
    record.flush()


@contextmanager
def _locked(path: Path) -> Iterator[IO[str]]:
    """A text file open to one process or thread at a time, which may delete it when done."""
    while True:
        with path.open("a+") as file:
            if fcntl is not None:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    inform(f"waiting for the process that holds {path}")
                    fcntl.flock(file, fcntl.LOCK_EX)
            if _lies_at(path, file):  # otherwise it was deleted meanwhile: try again
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
