"""What scores are worth: the agreement of every column with the judgements of people."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from iqa_jax.agreement.columns import Column
from iqa_jax.agreement.correlation import Agreement, agreement
from iqa_jax.agreement.doubts import doubts
from iqa_jax.agreement.forced_choice import Sampling, Subsets, by_subset
from iqa_jax.agreement.groups import (
    Ceiling,
    GroupAgreement,
    ReferenceAgreement,
    by_group,
    by_reference,
    ceiling,
    single_deviations,
    standard_errors,
)
from iqa_jax.agreement.intervals import NONE, Intervals, Method, caution, correlation_intervals
from iqa_jax.agreement.layer_choice import Chosen, Source, cautions, choose_layers
from iqa_jax.datasets import PairTable
from iqa_jax.datasets.table import Question

_FEW_PAIRS = 20


@dataclass(frozen=True)
class Analysis:
    """Agreement with people; of opinion scores or of forced choices, the other is empty.

    Attributes:
      agreements: With opinion scores, by column.
      groups: The same within each type and level of distortion, by column.
      references: The same within references, by column.
      intervals: Of the agreements, in their order; None where none are made.
      ceiling: What agreement the uncertainty of the scores allows; None where it is not published.
      chosen: Layers that were chosen elsewhere, and metrics, if a source of these was given.
      forced_choices: Agreement with forced choices, by column.
      warnings: What a reader of the numbers has to know, a sentence each.
    """

    agreements: Sequence[tuple[Column, Agreement]] = ()
    groups: Sequence[tuple[Column, Sequence[GroupAgreement]]] = ()
    references: Sequence[tuple[Column, ReferenceAgreement]] = ()
    intervals: Intervals | None = None
    ceiling: Ceiling | None = None
    chosen: Sequence[Chosen] = ()
    forced_choices: Sequence[tuple[Column, Subsets]] = ()
    warnings: Sequence[str] = ()


def analyse(
    table: PairTable,
    columns: Sequence[Column],
    scores: Mapping[str, np.ndarray],
    *,
    method: Method | None = None,
    layers_from: Source | None = None,
) -> Analysis:
    """Compares the scores of a dataset with what its observers said.

    Args:
      table: The pairs.
      columns: What was scored.
      scores: Raw scores ``[pairs]`` by the name of the column.
      method: How intervals over references are made; None for none.
      layers_from: Where the best layer of each model is chosen; None where it is not.
    """
    method = method or Method(NONE)
    distances = {column.name: _distances(column, scores) for column in columns}
    warnings = _warnings(table, columns, method)
    progress = tqdm(columns, desc="agreement", unit="column", leave=False)
    if table.protocol is not Question.OPINION:
        sampling = Sampling.of(table, method)
        forced = [
            (column, by_subset(table, distances[column.name], sampling)) for column in progress
        ]
        return Analysis(forced_choices=forced, warnings=warnings)
    human = np.array([pair.score for pair in table.pairs])
    agreements, groups, references = [], [], []
    for column in progress:
        of_column = distances[column.name]
        overall = agreement(of_column, human, higher_is_better=table.higher_is_better)
        agreements.append((column, overall))
        groups.append((column, by_group(table, of_column)))
        references.append((column, by_reference(table, of_column)))
    warnings += doubts(
        [
            (column, overall, within)
            for (column, overall), (_, within) in zip(agreements, references, strict=True)
        ]
    )
    chosen = []
    if layers_from:
        chosen = choose_layers(table, columns, distances, layers_from, method)
        warnings += cautions(layers_from, chosen, method)
    return Analysis(
        agreements=agreements,
        groups=groups,
        references=references,
        intervals=_intervals(table, list(distances.values()), human, method),
        ceiling=_ceiling(table, human),
        chosen=chosen,
        warnings=warnings,
    )


def _distances(column: Column, scores: Mapping[str, np.ndarray]) -> np.ndarray:
    return -scores[column.name] if column.higher_is_better else scores[column.name]


def _intervals(
    table: PairTable, distances: Sequence[np.ndarray], human: np.ndarray, method: Method
) -> Intervals | None:
    contents = [pair.reference_id for pair in table.pairs]
    if not method.applies(len(set(contents))):
        return None
    return correlation_intervals(
        np.stack(distances, axis=-1),
        human,
        contents,
        higher_is_better=table.higher_is_better,
        method=method,
    )


def _ceiling(table: PairTable, human: np.ndarray) -> Ceiling | None:
    deviations = np.array([pair.score_std for pair in table.pairs])
    found = ceiling(
        human,
        standard_errors(deviations, table.opinions),
        single_deviations(deviations, table.opinions),
    )
    return None if math.isnan(found.plcc) else found


def _warnings(table: PairTable, columns: Sequence[Column], method: Method) -> list[str]:
    overlaps = dict.fromkeys(column.overlap for column in columns)
    warnings = [overlap for overlap in overlaps if overlap]
    comparing = [column.known_readout for column in columns if column.is_transductive]
    compared = dict.fromkeys(readout.weighted_readout for readout in comparing if readout)
    if compared:
        warnings.append(
            f"Compared with means over these pairs themselves: {', '.join(compared)}; "
            "--normaliser_from takes the means of another dataset."
        )
    if len(table.pairs) < _FEW_PAIRS:
        warnings.append(f"With {len(table.pairs)} pairs a correlation says little.")
    of_intervals = caution(method, len({pair.reference_id for pair in table.pairs}))
    return [*warnings, of_intervals] if of_intervals else warnings
