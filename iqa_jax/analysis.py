"""What scores are worth: the agreement of every column with the judgements of people."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from iqa_jax.agreement import Agreement, agreement
from iqa_jax.bootstrap import Intervals, bootstrap
from iqa_jax.breakdown import (
    Ceiling,
    GroupAgreement,
    ReferenceAgreement,
    by_group,
    by_reference,
    ceiling,
    standard_errors,
)
from iqa_jax.columns import Column
from iqa_jax.datasets import PairTable
from iqa_jax.datasets.table import Protocol
from iqa_jax.doubts import doubts
from iqa_jax.errors import InputError
from iqa_jax.forced_choice import Subsets, by_subset

_FEW_PAIRS = 20
_FEW_REFERENCES = 20


@dataclass(frozen=True)
class Analysis:
    """Agreement with people; of opinion scores or of forced choices, the other is empty.

    Attributes:
      agreements: With opinion scores, by column.
      groups: The same within each type and level of distortion, by column.
      references: The same within references, by column.
      intervals: Of the agreements, in their order; None if no bootstrap was asked for.
      ceiling: What agreement the uncertainty of the scores allows; None where it is not published.
      forced_choices: Agreement with forced choices, by column.
      warnings: What a reader of the numbers has to know, a sentence each.
    """

    agreements: Sequence[tuple[Column, Agreement]] = ()
    groups: Sequence[tuple[Column, Sequence[GroupAgreement]]] = ()
    references: Sequence[tuple[Column, ReferenceAgreement]] = ()
    intervals: Intervals | None = None
    ceiling: Ceiling | None = None
    forced_choices: Sequence[tuple[Column, Subsets]] = ()
    warnings: Sequence[str] = ()


def analyse(
    table: PairTable,
    columns: Sequence[Column],
    scores: Mapping[str, np.ndarray],
    *,
    resamples: int | None = None,
) -> Analysis:
    """Compares the scores of a dataset with what its observers said.

    Args:
      table: The pairs.
      columns: What was scored.
      scores: Raw scores ``[pairs]`` by the name of the column.
      resamples: Of a bootstrap over references; None for none.

    Raises:
      InputError: If a bootstrap is asked for and there are fewer than two references.
    """
    distances = {column.name: _distances(column, scores) for column in columns}
    warnings = _warnings(table, columns, resamples)
    progress = tqdm(columns, desc="agreement", unit="column", leave=False)
    if table.protocol is not Protocol.OPINION:
        forced = [(column, by_subset(table, distances[column.name])) for column in progress]
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
    return Analysis(
        agreements=agreements,
        groups=groups,
        references=references,
        intervals=_intervals(table, list(distances.values()), human, resamples),
        ceiling=_ceiling(table, human),
        warnings=warnings,
    )


def check_resampling(table: PairTable) -> None:
    """Refuses a table of which no bootstrap can be made, before anything is computed.

    Raises:
      InputError: If its judgements are forced choices, it has fewer than two references, or all its
        scores are equal.
    """
    if table.protocol is not Protocol.OPINION:
        raise InputError(
            f"bootstrap: expected opinion scores, found the {table.target} in {table.name}; leave "
            "--bootstrap out"
        )
    references = {pair.reference_id for pair in table.pairs}
    scores = {pair.score for pair in table.pairs}
    if len(references) < 2 or len(scores) < 2:
        raise InputError(
            f"bootstrap: expected at least two references and two different scores, found "
            f"{len(references)} and {len(scores)}"
        )


def _distances(column: Column, scores: Mapping[str, np.ndarray]) -> np.ndarray:
    return -scores[column.name] if column.higher_is_better else scores[column.name]


def _intervals(
    table: PairTable, distances: Sequence[np.ndarray], human: np.ndarray, resamples: int | None
) -> Intervals | None:
    if resamples is None:
        return None
    return bootstrap(
        np.stack(distances, axis=-1),
        human,
        [pair.reference_id for pair in table.pairs],
        higher_is_better=table.higher_is_better,
        resamples=resamples,
    ).interval()


def _ceiling(table: PairTable, human: np.ndarray) -> Ceiling | None:
    deviations = np.array([pair.score_std for pair in table.pairs])
    found = ceiling(human, standard_errors(deviations, table.opinions))
    return None if math.isnan(found.plcc) else found


def _warnings(table: PairTable, columns: Sequence[Column], resamples: int | None) -> list[str]:
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
    references = len({pair.reference_id for pair in table.pairs})
    if resamples and references < _FEW_REFERENCES:
        warnings.append(f"Intervals from {references} references are narrower than the truth.")
    return warnings
