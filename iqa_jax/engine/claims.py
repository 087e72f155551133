"""Claims: which process works on which piece, in a folder that the processes share.

Claims save work and are not needed for correctness: two processes that work on the same piece
arrive at the same result. A claim is a file that is created only if there is none, and renewed by
its holder while the work goes on. A takeover creates the next number of the claim; nothing is
removed. Ages are differences between times of modification in the folder, which may be in a bucket,
so the clocks of the machines do not matter.
"""

import json
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from etils import epath

from iqa_jax.engine.shares import Share
from iqa_jax.files import create_text, modified, touch

RENEWED = 5.0
"""Seconds between two renewals of a claim."""

STALE = 60.0
"""Seconds without a renewal after which the holder of a claim is taken to be gone."""

_held: set[epath.Path] = set()
"""Claims that this process has not given up; any other under its number is one of the past."""

_taking = threading.Lock()


@dataclass(frozen=True)
class Claim:
    """A claim on a piece.

    Attributes:
      path: File of the claim; the latest of a piece counts.
      share: Process that made it, in words.
      host: Name of its machine.
      process: Number of its process on this machine.
      renewed_at: Time of its last renewal, by the clock of the file system or store.
      age: Seconds since then.
    """

    path: epath.Path
    share: str
    host: str
    process: int
    renewed_at: float
    age: float

    @property
    def is_abandoned(self) -> bool:
        """Whether its holder is gone, as far as can be known."""
        if self.host == _host() and self.process == os.getpid():
            return self.path not in _held
        is_gone = self.host == _host() and not _is_running(self.process)
        return is_gone or self.age > STALE

    def __str__(self) -> str:
        return f"{self.share} on {self.host}, {self.age:.0f} s ago"


class Claims:
    """The claims of a process, and those of others.

    Args:
      folder: Folder that the processes share; created if necessary.
      share: Share of this process.
    """

    def __init__(self, folder: epath.Path, share: Share):
        self._folder = folder
        self._share = share
        folder.mkdir(parents=True, exist_ok=True)

    def find(self, piece: int) -> Claim | None:
        """The latest claim on a piece; None if there is none."""
        number = 0
        while self._path(piece, number).exists():
            number += 1
        return self._read(self._path(piece, number - 1)) if number else None

    def take(self, piece: int) -> epath.Path | None:
        """Claims a piece that no other process works on.

        Returns:
          File of the claim; None if another process has claimed the piece.
        """
        content = {"share": str(self._share), "host": _host(), "process": os.getpid()}
        with _taking:
            found = self.find(piece)
            if found and not found.is_abandoned:
                return None
            path = self._path(piece, _number(found.path) + 1 if found else 0)
            _held.add(path)
            if create_text(path, json.dumps(content) + "\n"):
                return path
            _held.discard(path)
        return None

    @contextmanager
    def renewed(self, path: epath.Path) -> Iterator[None]:
        """Renews a claim of this process while the block runs."""
        is_over = threading.Event()

        def renew() -> None:
            while not is_over.wait(RENEWED):
                with suppress(OSError):  # the file system or store may be back the next time
                    touch(path)

        thread = threading.Thread(target=renew, name="claim", daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()
            _held.discard(path)

    def _path(self, piece: int, number: int) -> epath.Path:
        return self._folder / f"{piece:08d}.{number}"

    def _read(self, path: epath.Path) -> Claim:
        text = path.read_text()  # first: opening a file refreshes what NFS knows of it
        renewed_at = modified(path)
        times = renewed_at, max(0.0, self._now() - renewed_at)
        try:
            content = json.loads(text)
            return Claim(path, content["share"], content["host"], content["process"], *times)
        except (ValueError, KeyError, TypeError):  # damaged: only its age is known
            return Claim(path, "a process", "an unknown machine", 0, *times)

    def _now(self) -> float:
        """The time by the clock of the file system or store."""
        path = self._folder / f"now.{uuid.uuid4().hex}"  # threads and containers share numbers
        path.write_text("\n")
        now = modified(path)
        path.unlink(missing_ok=True)
        return now


def _number(path: epath.Path) -> int:
    return int(path.suffix.removeprefix("."))


def _host() -> str:
    return socket.gethostname()


def _is_running(process: int) -> bool:
    """Whether this machine has a process of this number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # one of another user
        return True
    return True
