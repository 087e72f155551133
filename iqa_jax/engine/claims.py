"""Claims: which process works on which piece, in a folder that the processes share.

Claims save work and are not needed for correctness: two processes that work on the same piece
arrive at the same result. A claim is a file that is created only if there is none, and renewed by
its holder while the work goes on. A takeover creates the next number of the claim; nothing is
removed. Ages are differences between times of modification in the folder, which may be in a bucket,
so the clocks of the machines do not matter.
"""

import json
import os
import re
import socket
import threading
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

from etils import epath

from iqa_jax.engine.shares import Share
from iqa_jax.files import create_text, modified_in, read_all, touch

RENEWED = 5.0
"""Seconds between two renewals of a claim."""

STALE = 60.0
"""Seconds without a renewal after which the holder of a claim is taken to be gone."""

_CLAIM = re.compile(r"(\d+)\.\d+")
"""Name of the file of a claim."""

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


class _Holder(NamedTuple):
    """Who made a claim: share, machine and process."""

    share: str
    host: str
    process: int


class Claims:
    """The claims of a process, and those of others.

    Args:
      folder: Folder that the processes share; created if necessary.
      share: Share of this process.
    """

    def __init__(self, folder: epath.Path, share: Share):
        self._folder = folder
        self._share = share
        self._holders: dict[epath.Path, _Holder] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def look(self, pieces: Collection[int]) -> dict[int, Claim]:
        """The latest claim on each of some pieces that have one.

        The folder is listed once, and each claim is read once in the life of this object.

        Args:
          pieces: Numbers of the pieces.
        """
        wanted, latest = {*pieces}, dict[int, int]()
        times, now = self._times(wanted)
        for piece, number in map(_numbers, times):
            latest[piece] = max(number, latest.get(piece, 0))
        paths = {piece: self._path(piece, number) for piece, number in latest.items()}
        self._read([path for path in paths.values() if path not in self._holders])
        unknown = _Holder("a process", "an unknown machine", 0)
        return {
            piece: Claim(
                path,
                *self._holders.get(path, unknown),
                renewed_at=times[path.name],
                age=max(0.0, now - times[path.name]),
            )
            for piece, path in paths.items()
        }

    def find(self, piece: int) -> Claim | None:
        """The latest claim on a piece; None if there is none."""
        return self.look([piece]).get(piece)

    def take(self, piece: int) -> epath.Path | None:
        """Claims a piece that no other process works on.

        Returns:
          File of the claim; None if another process has claimed the piece.
        """
        with _taking:
            first = self._path(piece, 0)
            if first not in _held and self._create(first):
                return first
            found = self.find(piece)
            if not found or not found.is_abandoned:
                return None
            _, number = _numbers(found.path.name)
            path = self._path(piece, number + 1)
            return path if self._create(path) else None

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

    def _create(self, path: epath.Path) -> bool:
        """Creates the file of a claim; returns whether there was none."""
        content = {"share": str(self._share), "host": _host(), "process": os.getpid()}
        _held.add(path)
        if create_text(path, json.dumps(content) + "\n"):
            return True
        _held.discard(path)
        return False

    def _read(self, paths: Sequence[epath.Path]) -> None:
        """Learns who has made claims; a damaged claim stays one of an unknown process."""
        for path, text in zip(paths, read_all(paths), strict=True):
            with suppress(ValueError, KeyError, TypeError):
                content = json.loads(text)
                holder = _Holder(content["share"], content["host"], content["process"])
                self._holders[path] = holder

    def _times(self, pieces: Collection[int]) -> tuple[dict[str, float], float]:
        """Times of the claims on pieces by name, and the time now, all by the same clock."""
        clock = self._folder / f"now.{uuid.uuid4().hex}"  # threads and containers share numbers
        clock.write_text("\n")  # the change also makes NFS list the folder afresh

        def is_wanted(name: str) -> bool:
            found = _CLAIM.fullmatch(name)
            return name == clock.name or bool(found and int(found[1]) in pieces)

        times = modified_in(self._folder, is_wanted)
        clock.unlink(missing_ok=True)
        return times, times.pop(clock.name)


def _numbers(name: str) -> tuple[int, int]:
    """The number of the piece, and that of the claim on it."""
    piece, number = name.split(".")
    return int(piece), int(number)


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
