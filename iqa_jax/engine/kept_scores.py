"""Scores in memory while a run goes on."""

from collections.abc import Mapping, Sequence

import numpy as np

from iqa_jax.engine.plan import WorkUnit


class KeptScores:
    """The scores of the pairs of one run.

    Args:
      columns: Names of the scores.
      pairs: Number of pairs.
    """

    def __init__(self, columns: Sequence[str], pairs: int):
        self._columns = list(columns)
        self._scores = np.full((pairs, len(columns)), np.nan, np.float32)
        self._is_there = np.zeros(pairs, bool)

    def missing(self, units: Sequence[WorkUnit]) -> list[WorkUnit]:
        """The units with a row that has no scores yet."""
        return [unit for unit in units if not self._is_there[list(unit.rows)].all()]

    def add(self, rows: Sequence[int], values: Mapping[str, np.ndarray]) -> None:
        """Takes the scores of some rows of a unit.

        Args:
          rows: Positions of the pairs in the table.
          values: Scores ``[rows]`` by column.
        """
        places = np.asarray(rows)
        self._scores[places] = np.stack([values[name] for name in self._columns], axis=-1)
        self._is_there[places] = True

    def finish(self) -> None:
        """Does nothing: there is nothing to write."""

    def collect(self) -> dict[str, np.ndarray]:
        """The scores of all pairs, float32 ``[pairs]`` by column; NaN where there are none yet."""
        return dict(zip(self._columns, self._scores.T.copy(), strict=True))
