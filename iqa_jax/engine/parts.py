"""Scores saved on disk during a run; what is saved is never computed again."""

import hashlib
import io
import json
import re
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from etils import epath
from tqdm import tqdm

from iqa_jax.engine.plan import WorkUnit
from iqa_jax.files import write_bytes, write_text

_LEAST_SECONDS = 1.0
_SHARE_OF_ELAPSED = 0.02
"""A part is written after this share of the time since the start: a killed run loses no more than
that, and the number of files grows with the logarithm of the running time."""

_NAME_LENGTH = 32
"""Hexadecimal digits of a part's SHA-256 in its name."""


class ScoreParts:
    """The finished work units of one run, in small files ("parts") in a folder of their own.

    A part is named after the checksum of its bytes. A truncated or changed part is reported and
    ignored, and its scores are computed again. The parts on disk are read once, so that runs that
    share a folder do not disturb each other when one of them removes it.

    Args:
      folder: Parent of the run's folder, which is named after the signature, so that a run with
        another signature never continues this one.
      label: First part of the run's folder name.
      signature: Everything that the scores depend on, as JSON.
      columns: Names of the scores.
      keys: Identifiers of the pairs whatever their rows, uint64 ``[pairs]``.
    """

    def __init__(
        self,
        folder: epath.Path,
        label: str,
        signature: Mapping[str, Any],
        columns: Sequence[str],
        keys: np.ndarray,
    ):
        text = json.dumps({**signature, "columns": list(columns)}, indent=2, sort_keys=True) + "\n"
        safe = re.sub(r"[^\w.@+-]", "_", label)
        self._folder = folder / f"{safe}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        self._signature = text
        self._columns = list(columns)
        self._keys = keys
        self._scores = np.full((len(keys), len(columns)), np.nan, np.float32)
        self._is_there = np.zeros(len(keys), bool)
        self._waiting: list[np.ndarray] = []
        self._started = self._written = time.monotonic()
        self._make_folder()
        self._read_all()

    def missing(self, units: Sequence[WorkUnit]) -> list[WorkUnit]:
        """Units with at least one row that is not on disk."""
        return [unit for unit in units if not self._is_there[list(unit.rows)].all()]

    def add(self, rows: Sequence[int], values: Mapping[str, np.ndarray]) -> None:
        """Takes the scores of some rows of a unit and writes them to disk soon after.

        Args:
          rows: Positions of the pairs in the table.
          values: Scores ``[rows]`` by column.
        """
        places = np.asarray(rows)
        self._scores[places] = np.stack([values[name] for name in self._columns], axis=-1)
        self._is_there[places] = True
        self._waiting.append(places)
        now = time.monotonic()
        if now - self._written > max(_LEAST_SECONDS, _SHARE_OF_ELAPSED * (now - self._started)):
            self.finish()

    def finish(self) -> None:
        """Writes all scores that are not on disk yet."""
        rows = np.concatenate([np.zeros(0, int), *self._waiting])
        if len(rows):
            data = _npz(keys=self._keys[rows], scores=self._scores[rows])
            if not self._folder.exists():  # removed by another run, which has finished
                self._make_folder()
            write_bytes(self._folder / _name(data), data)
            self._waiting = []
        self._written = time.monotonic()

    def collect(self) -> dict[str, np.ndarray]:
        """Scores of all pairs, float32 ``[pairs]`` by column; NaN where there are none yet."""
        return dict(zip(self._columns, self._scores.T.copy(), strict=True))

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
                tqdm.write(
                    f"{path}: cannot be used ({reason}); its scores are computed again",
                    file=sys.stderr,
                )

    def _part(self, path: epath.Path) -> Mapping[str, np.ndarray]:
        data = path.read_bytes()
        if path.name != _name(data):
            raise ValueError("damaged or cut short")
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            part = dict(file)
        if part["scores"].shape != (len(part["keys"]), len(self._columns)):
            raise ValueError("unexpected shape")
        return part


def _name(data: bytes) -> str:
    return f"part-{hashlib.sha256(data).hexdigest()[:_NAME_LENGTH]}.npz"


def _npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()
