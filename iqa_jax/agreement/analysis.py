"""The agreement of every column of scores with human judgements."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from iqa_jax.agreement.ceiling import Ceiling, noise_ceiling, single_deviations, standard_errors
from iqa_jax.agreement.columns import Column
from iqa_jax.agreement.correlation import agreement
from iqa_jax.agreement.doubts import find_doubts
from iqa_jax.agreement.forced_choice import Sampling, by_subset
from iqa_jax.agreement.groups import by_group, by_reference
from iqa_jax.agreement.intervals import NONE, Method, caution, correlation_intervals
from iqa_jax.agreement.layer_choice import Chosen, Source, cautions, choose_layers
from iqa_jax.agreement.results import ColumnResult, ForcedChoiceResult
from iqa_jax.datasets import PairTable
from iqa_jax.datasets.table import Question
from iqa_jax.progress import bar
from iqa_jax.text import counted

_FEW_PAIRS = 20

_Interval = tuple[float, float] | None


@dataclass(frozen=True)
class Analysis:
    """Agreement with opinion scores or with forced choices; the other one is empty.

    Attributes:
      results: Agreement with opinion scores, one row per column.
      forced_choices: Agreement with forced choices, one row per column.
      ceiling: Agreement that the uncertainty of the scores allows; None if it is not published.
      chosen: Layers chosen on other data, and metrics; empty if no source of layers was given.
      warnings: Warnings for readers of the numbers, one sentence each.
    """

    results: Sequence[ColumnResult] = ()
    forced_choices: Sequence[ForcedChoiceResult] = ()
    ceiling: Ceiling | None = None
    chosen: Sequence[Chosen] = ()
    warnings: Sequence[str] = ()

    @property
    def has_intervals(self) -> bool:
        """Whether the agreement of columns has intervals."""
        return any(result.has_interval for result in (*self.results, *self.forced_choices))


def analyse(
    table: PairTable,
    columns: Sequence[Column],
    scores: Mapping[str, np.ndarray],
    *,
    method: Method | None = None,
    layers_from: Source | None = None,
) -> Analysis:
    """Compares the scores of a dataset with the judgements of its observers.

    Args:
      table: The pairs.
      columns: Columns that were scored.
      scores: Raw scores ``[pairs]`` by name of the column.
      method: Method of the intervals over references; None for no intervals.
      layers_from: Data on which the best layer of each model is chosen; None to choose none.
    """
    method = method or Method(NONE)
    distances = {column.name: _distances(column, scores) for column in columns}
    warnings = _warnings(table, columns, method)
    progress = bar(columns, desc="agreement", unit="column", leave=False)
    if table.protocol is not Question.OPINION:
        sampling = Sampling.of(table, method)
        forced = [
            ForcedChoiceResult(column, by_subset(table, distances[column.name], sampling))
            for column in progress
        ]
        return Analysis(forced_choices=forced, warnings=warnings)
    human = np.array([pair.score for pair in table.pairs])
    by_column = [distances[column.name] for column in columns]
    intervals = _intervals(table, by_column, human, method)
    results = [
        ColumnResult(
            column=column,
            agreement=agreement(of_column, human, higher_is_better=table.higher_is_better),
            within=by_reference(table, of_column),
            groups=by_group(table, of_column),
            plcc_interval=plcc,
            srcc_interval=srcc,
        )
        for column, of_column, (plcc, srcc) in zip(progress, by_column, intervals, strict=True)
    ]
    warnings += find_doubts(results)
    chosen = []
    if layers_from:
        chosen = choose_layers(table, columns, distances, layers_from, method)
        warnings += cautions(layers_from, chosen, method)
    return Analysis(
        results=results, ceiling=_ceiling(table, human), chosen=chosen, warnings=warnings
    )


def _distances(column: Column, scores: Mapping[str, np.ndarray]) -> np.ndarray:
    return -scores[column.name] if column.higher_is_better else scores[column.name]


def _intervals(
    table: PairTable, distances: Sequence[np.ndarray], human: np.ndarray, method: Method
) -> list[tuple[_Interval, _Interval]]:
    """Intervals of Pearson's and Spearman's correlation of each column."""
    contents = [pair.reference_id for pair in table.pairs]
    if not method.applies(len(set(contents))):
        return [(None, None)] * len(distances)
    found = correlation_intervals(
        np.stack(distances, axis=-1),
        human,
        contents,
        higher_is_better=table.higher_is_better,
        method=method,
    )
    plcc = zip(found.plcc_low.tolist(), found.plcc_high.tolist(), strict=True)
    srcc = zip(found.srcc_low.tolist(), found.srcc_high.tolist(), strict=True)
    return list(zip(plcc, srcc, strict=True))


def _ceiling(table: PairTable, human: np.ndarray) -> Ceiling | None:
    deviations = np.array([pair.score_std for pair in table.pairs])
    found = noise_ceiling(
        human,
        standard_errors(deviations, table.opinions),
        single_deviations(deviations, table.opinions),
    )
    return None if math.isnan(found.plcc) else found


def _warnings(table: PairTable, columns: Sequence[Column], method: Method) -> list[str]:
    overlaps = dict.fromkeys(column.overlap for column in columns)
    warnings = [overlap for overlap in overlaps if overlap]
    readouts = dict.fromkeys(column.transductive_readout for column in columns)
    compared = [readout for readout in readouts if readout]
    if compared:
        warnings.append(
            f"Compared with means over these pairs themselves: {', '.join(compared)}; "
            "normaliser_from takes the means of another dataset."
        )
    if len(table.pairs) < _FEW_PAIRS:
        warnings.append(f"With {counted(len(table.pairs), 'pairs')} a correlation says little.")
    of_intervals = caution(method, table.reference_count)
    return [*warnings, of_intervals] if of_intervals else warnings
