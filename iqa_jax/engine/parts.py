"""Scores saved on disk during a run; what is saved is never computed again."""

import hashlib
import io
import json
import re
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from etils import epath

from iqa_jax.engine.kept_scores import KeptScores
from iqa_jax.files import write_bytes, write_text
from iqa_jax.progress import warn

_LEAST_SECONDS = 1.0
_MOST_SECONDS = 60.0
_SHARE_OF_ELAPSED = 0.02
"""A part is written after this share of the time since the start, within these limits: a killed run
loses no more than that, and the parts of a short run are few."""

_NAME_LENGTH = 32
"""Hexadecimal digits of a part's SHA-256 in its name."""


class ScoreParts(KeptScores):
    """Scores that are also kept on disk, in small files in a folder of the run.

    A part is named after the checksum of its bytes. One that was cut short or changed is not used:
    a warning says so, and its scores are computed again. The folder is read once, so that runs that
    share it do not disturb each other when one of them removes it.

    Args:
      folder: Folder in which the run has a folder of its own, named after the signature so
        that a run with another signature never continues this one.
      label: First part of the name of the run's folder.
      signature: Everything that the scores depend on, as JSON.
      columns: Names of the scores.
      keys: uint64 ``[pairs]``: identifies each pair, whichever row it is in.
    """

    def __init__(
        self,
        folder: epath.Path,
        label: str,
        signature: Mapping[str, Any],
        columns: Sequence[str],
        keys: np.ndarray,
    ):
        super().__init__(columns, len(keys))
        text = json.dumps({**signature, "columns": list(columns)}, indent=2, sort_keys=True) + "\n"
        safe = re.sub(r"[^\w.@+-]", "_", label)
        self._folder = folder / f"{safe}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        self._signature = text
        self._keys = keys
        self._waiting: list[np.ndarray] = []
        self._saving = threading.RLock()
        self._started = self._written = time.monotonic()
        with suppress(FileNotFoundError):  # removed by another run, which has finished
            self._make_folder()
        self._read_all()

    def add(self, rows: Sequence[int], values: Mapping[str, np.ndarray]) -> None:
        """Takes the scores of some rows of a unit and writes them to disk soon after.

        Args:
          rows: Positions of the pairs in the table.
          values: Scores ``[rows]`` by column.
        """
        with self._saving:
            super().add(rows, values)
            self._waiting.append(np.asarray(rows))
        now = time.monotonic()
        due = np.clip(_SHARE_OF_ELAPSED * (now - self._started), _LEAST_SECONDS, _MOST_SECONDS)
        if now - self._written > due:
            self.finish()

    def finish(self) -> None:
        """Writes all scores that are not on disk yet."""
        with self._saving:
            rows = np.concatenate([np.zeros(0, int), *self._waiting])
            if len(rows):
                data = _npz(keys=self._keys[rows], scores=self._scores[rows])
                self._write(data)
                self._waiting = []
            self._written = time.monotonic()

    def _write(self, data: bytes) -> None:
        is_written = False
        while not is_written:
            with suppress(FileNotFoundError):  # removed by another run, which has finished
                if not self._folder.exists():
                    self._make_folder()
                write_bytes(self._folder / _name(data), data)
                is_written = True

    def _make_folder(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        write_text(self._folder / "signature.json", self._signature)

    def _read_all(self) -> None:
        parts = list(self._parts())
        if not parts:
            return
        keys, first = np.unique(np.concatenate([part["keys"] for part in parts]), return_index=True)
        scores = np.concatenate([part["scores"] for part in parts])[first]
        places = np.minimum(np.searchsorted(keys, self._keys), len(keys) - 1)
        self._is_there = keys[places] == self._keys
        self._scores[self._is_there] = scores[places[self._is_there]]

    def _parts(self) -> Iterator[Mapping[str, np.ndarray]]:
        for path in sorted(self._folder.glob("part-*.npz")):
            try:
                yield self._part(path)
            except FileNotFoundError:  # removed by another run, which has finished
                continue
            except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
                reason = str(error) or type(error).__name__
                warn(f"{path}: cannot be used ({reason}); its scores are computed again")

    def _part(self, path: epath.Path) -> Mapping[str, np.ndarray]:
        data = path.read_bytes()
        if path.name != _name(data):
            raise ValueError("damaged or cut short")
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            part = dict(file)
        if part["scores"].shape != (len(part["keys"]), len(self._columns)):
            raise ValueError("unexpected shape")
        return part


def keep_scores(
    folder: epath.Path | None,
    label: str,
    signature: Mapping[str, Any],
    columns: Sequence[str],
    keys: np.ndarray,
) -> KeptScores:
    """Keeps the scores of a run in memory, and in a folder if one is given.

    Args:
      folder: Folder for the parts of all runs; None to write nothing.
      label: See :class:`ScoreParts`.
      signature: See :class:`ScoreParts`.
      columns: See :class:`ScoreParts`.
      keys: See :class:`ScoreParts`.
    """
    if folder is None:
        return KeptScores(columns, len(keys))
    return ScoreParts(folder, label, signature, columns, keys)


def _name(data: bytes) -> str:
    return f"part-{hashlib.sha256(data).hexdigest()[:_NAME_LENGTH]}.npz"


def _npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()
