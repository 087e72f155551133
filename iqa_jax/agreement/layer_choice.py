"""The best layer of each network, chosen on other data than those that it is scored on.

The largest of many correlations is too large, and an interval around it as if the layer had been
fixed covers the truth about half of the time (``scripts/benchmarks/coverage.py``). A layer that an
earlier evaluation of another dataset chooses, or one half of the references, is fixed for the pairs
that score it.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from etils import epath

from iqa_jax.agreement.columns import Column
from iqa_jax.agreement.correlation import spearman
from iqa_jax.agreement.intervals import Method, caution
from iqa_jax.datasets import PairTable
from iqa_jax.datasets.csv_rows import read_rows
from iqa_jax.datasets.overlaps import overlap_warning
from iqa_jax.datasets.splits import content_folds
from iqa_jax.datasets.table import Question
from iqa_jax.errors import InputError

SPLIT = "split"
RESULTS = "correlations.csv"
RECORD = "run.json"
_CHOOSING, _SCORING = 0, 1

Layer = tuple[str, str, str]
"""Names of a model, a layer and a read-out."""


@dataclass(frozen=True)
class Source:
    """Where layers are chosen.

    Attributes:
      name: In words, for tables.
      srcc: Spearman's correlation of each layer there; None where one half of the references of the
        dataset itself chooses.
      warning: What the two datasets share, if anything.
    """

    name: str
    srcc: Mapping[Layer, float] | None = None
    warning: str | None = None


@dataclass(frozen=True)
class Chosen:
    """A layer chosen elsewhere, or a metric, and its agreement with people here.

    Attributes:
      column: The layer, or the metric.
      chosen_on: Name of the data that chose the layer; empty for a metric.
      pairs: Number of pairs that score it.
      references: Number of their references.
      plcc: Pearson's correlation.
      srcc: Spearman's.
      plcc_low: Ends of the intervals; NaN where there is none.
      plcc_high: See ``plcc_low``.
      srcc_low: See ``plcc_low``.
      srcc_high: See ``plcc_low``.
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
        """What ``run.json`` says of it."""
        place = dict(zip(("model", "layer", "readout"), _layer(self.column), strict=True))
        numbers = {name: value for name, value in asdict(self).items() if name != "column"}
        return {**place, **numbers}


def find_source(
    wanted: str | None, columns: Sequence[Column], table: PairTable, fingerprint: str
) -> Source | None:
    """Reads where layers are to be chosen, and checks it before anything is computed.

    Args:
      wanted: ``split``, or the folder of an earlier evaluation of other data; None for no choice.
      columns: What is evaluated now.
      table: On what.
      fingerprint: Of the table.

    Raises:
      InputError: If people were forced to choose, there is no layer to choose, there are fewer than
        two references to split, the folder holds no evaluation, one of the same pairs, or one
        without some of the models and read-outs.
    """
    if wanted is None:
        return None
    if table.protocol is not Question.OPINION:
        raise InputError(
            f"layers_from: layers are chosen by correlations with opinion scores; {table.name} has "
            f"the {table.target}"
        )
    candidates = _candidates(columns)
    if not candidates:
        raise InputError("layers_from: there is no layer to choose; name a model with --models")
    if wanted == SPLIT:
        references = {pair.reference_id for pair in table.pairs}
        if len(references) < 2:
            raise InputError("layers_from: a split needs two references at least, found 1")
        return Source("one half of the references")
    folder = epath.Path(wanted)
    dataset, srcc = _read_results(folder)
    if _fingerprint(folder) == fingerprint:
        raise InputError(
            f"layers_from: {folder} evaluates the same pairs; name an evaluation of another "
            f"dataset, or say --layers_from={SPLIT}"
        )
    unknown = {
        f"{model} with {readout}"
        for (model, readout), those in candidates.items()
        if all(_layer(column) not in srcc for column in those)
    }
    if unknown:
        models = ", ".join(dict.fromkeys(model for model, _, _ in srcc)) or "none"
        raise InputError(
            f"layers_from: {folder / RESULTS} has none of the layers evaluated here of "
            f"{', '.join(sorted(unknown))}; its models are: {models}"
        )
    shared = overlap_warning(dataset, table.name)
    return Source(dataset, srcc, shared and f"Layers are chosen on {dataset}: {shared}")


def choose_layers(
    table: PairTable,
    columns: Sequence[Column],
    distances: Mapping[str, np.ndarray],
    source: Source,
    method: Method,
) -> list[Chosen]:
    """Chooses the best layer of each model and read-out, and scores these and the metrics.

    Args:
      table: The pairs. Where the source is a split, half of the references choose and the others
        score: those at odd places when put in order of a hash of their names.
      columns: Layers to choose from, metrics and the pixels.
      distances: ``[pairs]`` by the name of the column.
      source: Where layers are chosen.
      method: How intervals are made.

    Returns:
      The best of all first, NaN last.
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
            found = source.srcc.get(_layer(column), math.nan)
        return -math.inf if math.isnan(found) else found

    best = [max(those, key=rank) for those in _candidates(columns).values()]
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
    """What a reader of the chosen layers has to know, a sentence each.

    Args:
      source: Where they were chosen.
      chosen: As :func:`choose_layers` returns them.
      method: How intervals are made.
    """
    of_half = caution(method, chosen[0].references) if source.srcc is None else None
    return [
        *([source.warning] if source.warning else []),
        *([f"On the half of the references that scores layers: {of_half}"] if of_half else []),
    ]


def _candidates(columns: Sequence[Column]) -> dict[tuple[str, str], list[Column]]:
    """The layers to choose from, by model and read-out."""
    candidates: dict[tuple[str, str], list[Column]] = {}
    for column in columns:
        if column.layer:
            candidates.setdefault((column.model, column.readout), []).append(column)
    return candidates


def _layer(column: Column) -> Layer:
    return column.model, column.layer, column.readout


def _read_results(folder: epath.Path) -> tuple[str, dict[Layer, float]]:
    """The dataset of an evaluation, and the correlation of each layer that has one."""
    path = folder / RESULTS
    if not path.exists():
        raise InputError(
            f"layers_from: expected {SPLIT} or the folder of an earlier evaluation; found no {path}"
        )
    _, rows = read_rows(path, required=("dataset", "model", "layer", "readout", "srcc"))
    try:
        (dataset,) = {row["dataset"] for row in rows}
        srcc = {
            (row["model"], row["layer"], row["readout"]): float(row["srcc"])
            for row in rows
            if row["layer"]
        }
    except ValueError:
        raise InputError(f"layers_from: {path} is not as iqa evaluate writes it") from None
    return dataset, {layer: value for layer, value in srcc.items() if not math.isnan(value)}


def _fingerprint(folder: epath.Path) -> str | None:
    path = folder / RECORD
    if not path.exists():
        return None
    try:
        return json.loads(path.read_text())["dataset"]["fingerprint"]
    except (KeyError, TypeError, ValueError):
        raise InputError(f"layers_from: {path} is not as iqa evaluate writes it") from None
