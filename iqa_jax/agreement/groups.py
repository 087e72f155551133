"""Agreement of distances with human scores by distortion, level and reference, in float64."""

import math
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from iqa_jax.agreement.correlation import Agreement, agreement, spearman
from iqa_jax.datasets.table import PairTable

LEAST_PAIRS = 3
"""Minimum number of pairs of a reference: with fewer, its rank correlation could only be -1 or
1."""


@dataclass(frozen=True)
class GroupAgreement:
    """Agreement within one group of pairs.

    Attributes:
      kind: Property that the pairs have in common: ``distortion`` or ``level``.
      group: Value of that property.
      agreement: Agreement of distances and scores within the group, without a logistic map.
    """

    kind: str
    group: str
    agreement: Agreement


@dataclass(frozen=True)
class ReferenceCorrelation:
    """Agreement about the versions of one reference.

    Attributes:
      reference_id: Identifier of the reference.
      pairs: Number of pairs.
      srcc: Spearman's correlation, in [-1, 1]; NaN with fewer than three pairs or equal scores.
    """

    reference_id: str
    pairs: int
    srcc: float


@dataclass(frozen=True)
class ReferenceAgreement:
    """Spearman's correlation within references: agreement about versions of the same content.

    Attributes:
      references: Number of references that have a correlation.
      left_out: Number of references with fewer than three pairs or with equal scores.
      mean: Mean of the correlations, in [-1, 1].
      std: Standard deviation of the correlations over references (n - 1 in the denominator).
      correlations: The correlation of each reference, in the order of the table.
    """

    references: int
    left_out: int
    mean: float
    std: float
    correlations: tuple[ReferenceCorrelation, ...] = ()


def by_group(table: PairTable, distances: np.ndarray) -> list[GroupAgreement]:
    """The agreement of distances and scores within groups of pairs.

    Args:
      table: The pairs; those of unknown distortion or level belong to no such group.
      distances: ``[pairs]``, 0 for identical images and larger for greater differences.

    Returns:
      One row per group, by kind and in the order of the table.

    Raises:
      ValueError: If the lengths differ.
    """
    distances, scores = _float64(table, distances)
    found = []
    for kind in ("distortion", "level"):
        rows = defaultdict(list)
        for row, pair in enumerate(table.pairs):
            rows[getattr(pair, kind)].append(row)
        rows.pop("", None)
        for group, those in rows.items():
            within = agreement(
                distances[those],
                scores[those],
                higher_is_better=table.higher_is_better,
                fit=False,
            )
            found.append(GroupAgreement(kind, group, within))
    return found


def by_reference(table: PairTable, distances: np.ndarray) -> ReferenceAgreement:
    """The mean over references of Spearman's correlation within each.

    It ignores differences in level between the scores of different contents.

    Args:
      table: The pairs.
      distances: ``[pairs]``, 0 for identical images and larger for greater differences.

    Returns:
      The mean and its count; NaN if no reference has a correlation, a distance is not finite, or
      all distances of a reference with different scores are equal. The standard deviation is NaN
      with fewer than two references.

    Raises:
      ValueError: If the lengths differ.
    """
    distances, scores = _float64(table, distances)
    quality = scores if table.higher_is_better else -scores
    rows = defaultdict(list)
    for row, pair in enumerate(table.pairs):
        rows[pair.reference_id].append(row)
    ranked = {
        name: float(spearman(-distances[those], quality[those]))
        for name, those in rows.items()
        if len(those) >= LEAST_PAIRS and np.ptp(quality[those]) > 0
    }
    found = np.array([*ranked.values()])
    return ReferenceAgreement(
        references=len(ranked),
        left_out=len(rows) - len(ranked),
        mean=float(found.mean()) if ranked else math.nan,
        std=float(found.std(ddof=1)) if len(ranked) > 1 else math.nan,
        correlations=tuple(
            ReferenceCorrelation(name, len(those), ranked.get(name, math.nan))
            for name, those in rows.items()
        ),
    )


def _float64(table: PairTable, distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    distances = np.asarray(distances, np.float64)
    if len(distances) != len(table.pairs):
        raise ValueError(f"{len(distances)} distances do not fit {len(table.pairs)} pairs")
    return distances, np.array([pair.score for pair in table.pairs], np.float64)
