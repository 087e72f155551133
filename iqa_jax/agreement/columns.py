"""The columns of the tables: what a score is, which way it counts, and what it has seen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from iqa_jax.errors import InputError
from iqa_jax.metrics import MetricName, find_metric
from iqa_jax.readouts import READOUTS, ReadoutName

PIXELS = "pixels"
"""What ``input`` is called in tables: the pixels belong to no model."""

HIGHER, LOWER = "higher", "lower"


@dataclass(frozen=True)
class Column:
    """A score and where it stands in the tables.

    Attributes:
      name: As the tables call it.
      model: Name of the model; a metric stands here under its own name, without a layer, and the
        read-outs of ``input``, which is the same of every model, as ``pixels``.
      layer: Name of the layer, or of several joined by ``+``.
      layer_index: Position of a single layer, 0 for ``input``.
      relative_depth: The same from 0 to 1, which is the last layer.
      readout: Name of the read-out with its relevance.
      metric: What computes it; None for scores that were given.
      cumulative_depth: Relative depth of the last of the layers, where they are the first ones of
        the model without a gap.
      higher_is_better: Whether the score is a similarity; else a distance.
      overlap: Why it is tested on what it was learned from, a sentence; empty where it is not, as
        far as is known.
      is_transductive: Whether it compares with a mean over the pairs that it is tested on.
    """

    name: str
    model: str
    layer: str = ""
    layer_index: int | None = None
    relative_depth: float | None = None
    readout: str = ""
    metric: MetricName | None = None
    cumulative_depth: float | None = None
    higher_is_better: bool = False
    overlap: str = ""
    is_transductive: bool = False

    @property
    def kind(self) -> str:
        """``layer`` of a model, ``baseline``, ``metric``, or ``joined`` for scores given."""
        if self.metric is None:
            return "joined"
        if self.model == PIXELS:
            return "baseline"
        return "layer" if self.layer else "metric"

    @property
    def direction(self) -> str:
        """Whether ``higher`` or ``lower`` scores mean that the images are more alike."""
        return HIGHER if self.higher_is_better else LOWER

    @property
    def is_in_sample(self) -> bool:
        """Whether it is tested on what it was learned from."""
        return bool(self.overlap)

    @property
    def known_metric(self) -> MetricName | None:
        """What computes it or, for scores given, what its name says that computed it."""
        return self.metric or find_metric(self.name)

    @property
    def known_readout(self) -> ReadoutName | None:
        """What that reads out of a network; None where it is not known to read out anything."""
        metric = self.known_metric
        return metric.readout if metric else None

    @property
    def needs_a_dataset(self) -> bool:
        """Whether it compares with a mean over some pairs."""
        readout = self.known_readout
        return readout is not None and READOUTS[readout.readout].normalised_by is not None


def joined_columns(names: Iterable[str], directions: Sequence[str] = ()) -> list[Column]:
    """The columns of scores that were given.

    One that has the name of a metric of ours, the published ones in upper or lower case, is taken
    to be that metric and has its direction. The others are distances if nothing else is said.

    Args:
      names: Of the columns.
      directions: ``NAME=higher`` or ``NAME=lower``: which scores mean that images are more alike.

    Raises:
      InputError: If a direction has another form, is of no such column, is given twice or is not
        that of the metric.
    """
    columns = {name: Column(name, model=name) for name in names}
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


def _given(column: Column, direction: str | None) -> Column:
    metric = column.known_metric
    if metric is None:
        return replace(column, higher_is_better=direction == HIGHER)
    found = replace(column, higher_is_better=metric.higher_is_better)
    if direction not in (None, found.direction):
        raise InputError(
            f"joined_direction: {column.name} is the name of a metric of ours, of which "
            f"{found.direction} scores mean more alike; rename the column if it is another"
        )
    return found
