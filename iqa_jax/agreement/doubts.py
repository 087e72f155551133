"""Doubts about scores: correlations that suggest that they have the other direction.

A column is *significantly negative* if Spearman's correlation within references is negative on
average and Student's t test over the references rejects a mean of 0 (two-sided, p < .01): versions
of one reference are not independent pairs. If fewer than five references have a correlation, or it
is undefined in one of them, the correlation of all pairs is tested instead.
"""

import math
from collections.abc import Iterator, Sequence

from scipy import stats

from iqa_jax.agreement.columns import HIGHER, LOWER, Column
from iqa_jax.agreement.correlation import Agreement
from iqa_jax.agreement.groups import ReferenceAgreement
from iqa_jax.agreement.results import ColumnResult
from iqa_jax.text import counted

_LEVEL = 0.01
_LEAST_REFERENCES = 5
_MOST_NOTES = 20


def find_doubts(results: Sequence[ColumnResult]) -> Iterator[str]:
    """Doubts about the scores, one sentence each.

    Args:
      results: Agreement of every column with opinion scores.
    """
    correlations = [result.agreement.srcc for result in results]
    defined = [srcc for srcc in correlations if not math.isnan(srcc)]
    if not defined:
        yield (
            "No correlation can be computed: all scores are equal, or the distances in every "
            "column are."
        )
    elif max(defined) < 0:
        yield (
            "Every distance grows with quality: the direction of the scores may be wrong (for csv "
            "see score_direction, for joined scores joined_direction)."
        )
    else:
        negative = [
            _note(result.column, result.agreement)
            for result in results
            if is_negative(result.agreement, result.within)
        ]
        yield from negative[:_MOST_NOTES]
        if len(negative) > _MOST_NOTES:
            more = counted(len(negative) - _MOST_NOTES, "more columns")
            yield f"Significantly negative as well: {more}."


def is_negative(agreement: Agreement, within: ReferenceAgreement) -> bool:
    """Whether a column is significantly negative, as this module defines it.

    Args:
      agreement: Agreement over all pairs.
      within: Agreement within references.
    """
    if within.references >= _LEAST_REFERENCES and not math.isnan(within.mean):
        error = within.std / math.sqrt(within.references)
        return within.mean < 0 and _p(within.mean, error, within.references - 1) < _LEVEL
    freedom = agreement.pairs - 2
    if freedom < 1 or not agreement.srcc < 0:
        return False
    error = math.sqrt(max(1 - agreement.srcc**2, 0) / freedom)
    return _p(agreement.srcc, error, freedom) < _LEVEL


def _p(mean: float, error: float, freedom: int) -> float:
    """The p-value of a two-sided t test that a mean, or a correlation, is 0."""
    return 2 * float(stats.t.sf(abs(mean) / error, freedom)) if error > 0 else 0.0


def _note(column: Column, agreement: Agreement) -> str:
    note = f"{column.name} is significantly negative (Spearman {agreement.srcc:.3f})"
    if column.is_direction_known:
        return f"{note}: according to it, people prefer images that are less alike."
    other = LOWER if column.higher_is_better else HIGHER
    return (
        f"{note}; {column.direction} scores were taken to mean more alike; if it is the other way "
        f"round, set joined_direction={column.name}={other}."
    )
