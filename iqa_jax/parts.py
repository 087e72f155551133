"""Scores on disk while a run goes on: what is written is never computed again."""

import hashlib
import io
import json
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from etils import epath

from iqa_jax.files import appearing_whole, write_text
from iqa_jax.pipeline import WorkUnit

_LEAST_SECONDS = 1.0
_SHARE_OF_ELAPSED = 0.02
"""A part is written when this share of the time since the start has passed: a killed run loses no
more than that, and the number of files grows with the logarithm of the time."""


class ScoreParts:
    """The finished work units of one run, in whole small files in a folder of their own.

    Args:
      folder: The run's folder below it is called after the signature, so that a run with another
        signature never continues this one.
      label: First part of the run's folder name.
      signature: Everything that the scores depend on, as JSON.
      columns: Names of the scores.
    """

    def __init__(
        self,
        folder: epath.Path,
        label: str,
        signature: Mapping[str, Any],
        columns: Sequence[str],
    ):
        text = json.dumps({**signature, "columns": list(columns)}, indent=2, sort_keys=True) + "\n"
        safe = re.sub(r"[^\w.@+-]", "_", label)
        self._folder = folder / f"{safe}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        self._folder.mkdir(parents=True, exist_ok=True)
        write_text(self._folder / "signature.json", text)
        self._columns = list(columns)
        self._waiting: list[tuple[WorkUnit, np.ndarray]] = []
        self._started = self._written = time.monotonic()

    def finished(self) -> set[int]:
        """Numbers of the units whose scores are on disk."""
        return {int(number) for path in self._paths() for number in _read(path)["units"]}

    def add(self, unit: WorkUnit, scores: Mapping[str, np.ndarray]) -> None:
        """Takes the scores of a unit, ``[V]`` by column; they are on disk soon after.

        Args:
          unit: The unit; scores beyond its rows are padding.
          scores: By column.
        """
        values = np.stack([scores[name][: len(unit.rows)] for name in self._columns], axis=-1)
        self._waiting.append((unit, values))
        now = time.monotonic()
        if now - self._written > max(_LEAST_SECONDS, _SHARE_OF_ELAPSED * (now - self._started)):
            self.write()

    def write(self) -> None:
        """Writes what has been taken and not yet written."""
        if self._waiting:
            units, values = zip(*self._waiting, strict=True)
            with appearing_whole(self._folder / f"part-{uuid.uuid4().hex}.npz") as path:
                path.write_bytes(
                    _npz(
                        units=np.array([unit.number for unit in units]),
                        rows=np.concatenate([unit.rows for unit in units]),
                        scores=np.concatenate(values),
                    )
                )
            self._waiting = []
        self._written = time.monotonic()

    def collect(self, pairs: int) -> dict[str, np.ndarray]:
        """The scores of all pairs, float32 ``[pairs]`` by column; NaN where there are none yet."""
        scores = np.full((pairs, len(self._columns)), np.nan, np.float32)
        for path in self._paths():
            part = _read(path)
            scores[part["rows"]] = part["scores"]
        return dict(zip(self._columns, scores.T, strict=True))

    def _paths(self) -> list[epath.Path]:
        return sorted(self._folder.glob("part-*.npz"))


def _npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _read(path: epath.Path) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as part:
        return dict(part)
