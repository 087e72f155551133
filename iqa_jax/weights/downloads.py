"""Weights that their authors publish by URL: downloaded whole, verified, and resumed if broken off.

While it is coming, a file lies beside its place as ``NAME.part``. ``NAME.part.json`` records which
version of the file the server was sending (its ETag, else the date of its last change, and its
size), and is the lock that keeps other processes away. A later try asks for the rest on condition
that the server still has that version, and otherwise starts over; so it does if the server tells no
version, and then nothing unfinished is kept. ``NAME`` appears when it is whole and verified.

Proxies are taken from the environment (``http_proxy``, ``https_proxy``, ``no_proxy``).
"""

import hashlib
import json
import os
import re
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit

from etils import epath
from tqdm import tqdm

from iqa_jax.errors import CheckpointError
from iqa_jax.files import appearing_whole

try:
    import fcntl
except ImportError:  # Windows: there, two downloads of one file at once are not kept apart
    fcntl = None

TIMEOUT = 30.0
"""Seconds to wait for a connection, and then for each next piece of the answer."""

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds between the tries of a download that breaks off."""

_PASSING = (408, 429, 500, 502, 503, 504)
"""HTTP errors after which another try may help."""

_CHUNK = 1 << 18
_PROGRESS_DELAY = 2.0  # seconds; what is faster needs no progress bar


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
                f"{path}: cannot be read or written ({error}); make room and give access there "
                "and run again, or give the path of a copy with --source=PATH"
            ) from error
        return path

    def _download(self, path: epath.Path, sha256: str) -> None:
        is_local = _is_local(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if is_local:
                self._download_here(Path(path), sha256)
                return
            with tempfile.TemporaryDirectory() as folder:
                local = Path(folder) / self.name
                self._download_here(local, sha256)
                with appearing_whole(path) as copy:
                    epath.Path(local).copy(copy)
                    if complaint := self._complaint(copy, sha256):
                        raise CheckpointError(f"{copy}: was damaged in copying: {complaint}")
        except _TryError as failure:
            is_kept = is_local and _part(Path(path)).exists()
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
                self._try_repeatedly(part, record)
                if complaint := self._complaint(epath.Path(part), sha256):
                    part.unlink()
                    raise CheckpointError(
                        f"{self.url}: what came is not the file it is known to be: {complaint}; "
                        "nothing was kept"
                    )
                part.replace(path)
            finally:
                if not (_size(part) and _read_record(record)):
                    part.unlink(missing_ok=True)
                    with suppress(PermissionError):  # Windows keeps files that are open
                        Path(record.name).unlink()

    def _try_repeatedly(self, part: Path, record: IO[str]) -> None:
        is_passing = False
        for pause in (*PAUSES, None):
            try:
                self._try(part, record)
                return
            except _TryError as failure:
                if isinstance(failure, _OutdatedError):
                    _write_record(record, {})
                is_passing |= failure.is_passing  # once it has worked, the network comes back
                if pause is None or not is_passing:
                    raise
                time.sleep(pause)

    def _try(self, part: Path, record: IO[str]) -> None:
        """Asks for the file, or the rest of it, and appends to ``part`` what comes."""
        there = _size(part)
        known = _read_record(record) if there else {}
        if known.get("url") != self.url:
            known, there = {}, 0
        elif known["size"] == there:
            return
        with _open(self.url, there, known.get("version")) as response:
            version = _version(response)
            if response.status == 206 and there:
                if not _continues(response, there, known):
                    raise _OutdatedError("the server sends another part of the file")
                total = known["size"]
            elif response.status == 200:
                there, total = 0, response.length
                part.write_bytes(b"")  # before the record, which speaks of what the file holds
                known = {"url": self.url, "version": version, "size": total}
                _write_record(record, known if version and total else {})
            else:
                raise _TryError(f"the server answers with status {response.status}")
            with (
                part.open("ab") as file,
                tqdm(
                    desc=self.name,
                    total=total or self.size,
                    initial=there,
                    unit="B",
                    unit_scale=True,
                    delay=_PROGRESS_DELAY,
                ) as progress,
            ):
                for chunk in _chunks(response, total and total - there):
                    file.write(chunk)
                    progress.update(len(chunk))

    def _check(self, path: epath.Path, sha256: str) -> None:
        if complaint := self._complaint(path, sha256):
            raise CheckpointError(
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


class _TryError(Exception):
    """A try that failed; another one may help if it ``is_passing``."""

    def __init__(self, reason: str, *, is_passing: bool = False):
        super().__init__(reason)
        self.is_passing = is_passing


class _OutdatedError(_TryError):
    """What is there cannot be continued: the next try starts over."""

    def __init__(self, reason: str):
        super().__init__(reason, is_passing=True)


def _open(url: str, there: int, version: str | None) -> HTTPResponse:
    # Some servers turn the name that urllib gives itself away.
    request = urllib.request.Request(url, headers={"User-Agent": "iqa_jax"})
    if version:
        request.add_header("Range", f"bytes={there}-")
        request.add_header("If-Range", version)
    try:
        # An opener of its own: the one of urlopen keeps the proxies that it once saw.
        response = urllib.request.build_opener().open(request, timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        reason = f"the server answers {error.code} {error.reason}"
        if error.code == 416:  # there is nothing after what was asked for
            raise _OutdatedError(reason) from error
        raise _TryError(reason, is_passing=error.code in _PASSING) from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)  # URLError wraps what happened
        if isinstance(reason, TimeoutError):
            reason = f"no answer within {TIMEOUT:g} seconds"
        is_passing = isinstance(error, ConnectionError)  # it was there, and broke
        raise _TryError(str(reason) or repr(reason), is_passing=is_passing) from error
    if response.headers.get_content_type() == "text/html":
        response.close()
        raise _TryError("the server sends a web page in its place")
    return response


def _chunks(response: HTTPResponse, size: int | None) -> Iterator[bytes]:
    """The body as it comes; without a ``size``, until the server ends it."""
    left = size
    while left != 0:
        try:
            chunk = response.read1(_CHUNK)
        except TimeoutError as error:
            reason = f"nothing more came for {TIMEOUT:g} seconds"
            raise _TryError(reason, is_passing=True) from error
        except (OSError, HTTPException) as error:
            raise _TryError(f"the connection broke ({error})", is_passing=True) from error
        if not chunk:
            break
        yield chunk
        left = left and left - len(chunk)
    if left:
        raise _TryError(f"the connection ended {left} bytes too early", is_passing=True)


def _version(response: HTTPResponse) -> str:
    """What ``If-Range`` takes: an ETag that is not weak, else the date of the last change."""
    etag = response.headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return etag
    return response.headers.get("Last-Modified", "")


def _continues(response: HTTPResponse, there: int, known: dict[str, Any]) -> bool:
    """Whether a partial answer goes on where the file ends, in the version that is known."""
    answer = response.headers.get("Content-Range", "")
    version = _version(response)
    is_date = not known["version"].startswith('"')  # a partial answer need not repeat that
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer)
    return (
        match is not None
        and int(match[1]) == there
        and match[2] in ("*", str(known["size"]))
        and (version == known["version"] or (is_date and not version))
    )


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
                    tqdm.write(f"waiting for another process, which has {path}", file=sys.stderr)
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


def _is_local(path: epath.Path) -> bool:
    return "://" not in os.fspath(path)
