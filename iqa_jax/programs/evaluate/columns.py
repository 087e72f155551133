"""The columns of an evaluation, and the metrics whose scores they hold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from iqa_jax.agreement.columns import HIGHER, LOWER, Column
from iqa_jax.errors import InputError
from iqa_jax.metrics import MetricName, find_metric
from iqa_jax.readouts import ReadoutName

PIXELS = "pixels"
"""Name of ``input`` in tables: the pixels belong to no model."""


@dataclass(frozen=True)
class ScoreColumn(Column):
    """A column of scores that are computed here or were given.

    Attributes:
      metric: Metric that computes them; None for scores that were given.
    """

    metric: MetricName | None = None

    @property
    def kind(self) -> str:
        """``layer`` of a model, ``baseline``, ``metric``, or ``joined`` for given scores."""
        if self.metric is None:
            return "joined"
        if self.model == PIXELS:
            return "baseline"
        return "layer" if self.layer else "metric"

    @property
    def known_metric(self) -> MetricName | None:
        """The metric that computes the scores; for given scores, the one with their name."""
        return self.metric or find_metric(self.name)

    @property
    def known_readout(self) -> ReadoutName | None:
        """The read-out that the metric is; None if it is not a read-out, or unknown."""
        metric = self.known_metric
        return metric.readout if metric else None


def joined_columns(names: Iterable[str], directions: Sequence[str] = ()) -> list[ScoreColumn]:
    """The columns of scores that were given.

    A column with the name of a known metric (published names in upper or lower case) is taken to be
    that metric and has its direction. The others are distances unless ``directions`` differs.

    Args:
      names: Names of the columns.
      directions: ``NAME=higher`` or ``NAME=lower``: which scores mean more similar images.

    Raises:
      InputError: If a direction is malformed, names no column, contradicts another, or is not
        that of the metric.
    """
    columns = {name: ScoreColumn(name, model=name) for name in names}
    said = _parse_directions(directions)
    unknown = [name for name in said if name not in columns]
    if unknown:
        raise InputError(
            f"joined_direction: no scores are joined under the name {', '.join(unknown)}; there "
            f"are: {', '.join(columns) or 'none'}"
        )
    return [_given(column, said.get(name)) for name, column in columns.items()]


def _parse_directions(texts: Iterable[str]) -> dict[str, str]:
    said: dict[str, str] = {}
    for text in texts:
        name, _, direction = text.rpartition("=")
        if not name or direction not in (HIGHER, LOWER):
            raise InputError(
                f"joined_direction: expected NAME={HIGHER} or NAME={LOWER}, got {text!r}"
            )
        if said.setdefault(name, direction) != direction:
            raise InputError(f"joined_direction: {name} is said to be both {HIGHER} and {LOWER}")
    return said


def _given(column: ScoreColumn, direction: str | None) -> ScoreColumn:
    metric = column.known_metric
    if metric is None:
        return replace(column, higher_is_better=direction == HIGHER, is_direction_known=False)
    found = replace(column, higher_is_better=metric.higher_is_better)
    if direction not in (None, found.direction):
        raise InputError(
            f"joined_direction: {column.name} is the name of a known metric, whose "
            f"{found.direction} scores mean more similar images; rename the column if it is another"
        )
    return found
