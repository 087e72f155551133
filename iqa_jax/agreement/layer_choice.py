"""The best layer of each network, chosen on data other than those that score it.

The largest of many correlations is too large, and an interval around it as if the layer had been
fixed covers the truth about half of the time (``scripts/benchmarks/coverage.py``). A layer chosen
by an earlier evaluation of another dataset, or by one half of the references, is fixed for the
pairs that score it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from iqa_jax.agreement.columns import Column
from iqa_jax.agreement.correlation import spearman
from iqa_jax.agreement.intervals import Method, caution
from iqa_jax.datasets import PairTable
from iqa_jax.datasets.splits import content_folds

_CHOOSING, _SCORING = 0, 1

Layer = tuple[str, str, str]
"""Names of a model, a layer and a read-out."""


@dataclass(frozen=True)
class Source:
    """Data on which layers are chosen.

    Attributes:
      name: Name of the data, for tables.
      srcc: Spearman's correlation of each layer there; None if one half of the references of the
        dataset itself is used.
      warning: Warning of what the two datasets share, if anything.
    """

    name: str
    srcc: Mapping[Layer, float] | None = None
    warning: str | None = None


@dataclass(frozen=True)
class Chosen:
    """A layer chosen on other data, or a metric, and its agreement with people here.

    Attributes:
      column: The layer, or the metric.
      chosen_on: Name of the data on which the layer was chosen; empty for a metric.
      pairs: Number of pairs that score it.
      references: Number of their references.
      plcc: Pearson's correlation.
      srcc: Spearman's correlation.
      plcc_low: Lower end of the interval of Pearson's correlation; NaN if there is none.
      plcc_high: Upper end of the same.
      srcc_low: Lower end of the interval of Spearman's correlation; NaN if there is none.
      srcc_high: Upper end of the same.
    """

    column: Column
    chosen_on: str
    pairs: int
    references: int
    plcc: float
    srcc: float
    plcc_low: float
    plcc_high: float
    srcc_low: float
    srcc_high: float

    @property
    def record(self) -> dict[str, Any]:
        """Its entry in ``run.json``."""
        place = dict(zip(("model", "layer", "readout"), self.column.place, strict=True))
        numbers = {name: value for name, value in asdict(self).items() if name != "column"}
        return {**place, **numbers}


def choose_layers(
    table: PairTable,
    columns: Sequence[Column],
    distances: Mapping[str, np.ndarray],
    source: Source,
    method: Method,
) -> list[Chosen]:
    """Chooses the best layer of each model and read-out, and scores these and the metrics.

    Args:
      table: The pairs. If the source is a split, half of the references choose and the others
        score: those in odd positions when sorted by a hash of their names.
      columns: Layers to choose from, metrics and the pixels.
      distances: ``[pairs]`` by name of the column.
      source: Data on which layers are chosen.
      method: Method of the intervals.

    Returns:
      The chosen layers and the metrics, best first and NaN last.
    """
    contents = np.array([pair.reference_id for pair in table.pairs], np.str_)
    human = np.array([pair.score for pair in table.pairs])
    quality = human if table.higher_is_better else -human
    halves = content_folds(contents.tolist(), 2, seed=0) if source.srcc is None else {}
    half = np.array([halves.get(content, _SCORING) for content in contents.tolist()])
    chooses, scores = half == _CHOOSING, half == _SCORING

    def rank(column: Column) -> float:
        """Spearman's correlation on the data that choose."""
        if source.srcc is None:
            found = spearman(-distances[column.name][chooses], quality[chooses])
        else:
            found = source.srcc.get(column.place, math.nan)
        return -math.inf if math.isnan(found) else found

    best = [max(those, key=rank) for those in candidates(columns).values()]
    scored = [*best, *(column for column in columns if not column.layer)]
    weightings = method.weightings(contents[scores].tolist())
    found = weightings.correlations(
        np.stack([distances[column.name][scores] for column in scored], axis=-1),
        human[scores],
        higher_is_better=table.higher_is_better,
    )
    ends = (
        *method.ends(found.plcc, correlations=True),
        *method.ends(found.srcc, correlations=True),
    )
    numbers = np.stack([found.plcc[0], found.srcc[0], *ends], axis=-1)
    size = int(scores.sum()), len(np.unique(contents[scores]))
    chosen = [
        Chosen(column, source.name if column.layer else "", *size, *map(float, of_column))
        for column, of_column in zip(scored, numbers, strict=True)
    ]
    return sorted(
        chosen, key=lambda each: -math.inf if math.isnan(each.srcc) else each.srcc, reverse=True
    )


def cautions(source: Source, chosen: Sequence[Chosen], method: Method) -> list[str]:
    """Warnings for readers of the chosen layers, one sentence each.

    Args:
      source: Data on which they were chosen.
      chosen: Result of :func:`choose_layers`.
      method: Method of the intervals.
    """
    of_half = caution(method, chosen[0].references) if source.srcc is None else None
    return [
        *([source.warning] if source.warning else []),
        *([f"On the half of the references that scores layers: {of_half}"] if of_half else []),
    ]


def candidates(columns: Sequence[Column]) -> dict[tuple[str, str], list[Column]]:
    """The layers to choose from, by model and read-out."""
    found: dict[tuple[str, str], list[Column]] = {}
    for column in columns:
        if column.layer:
            found.setdefault((column.model, column.readout), []).append(column)
    return found
