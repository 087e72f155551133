"""Where distances agree with human scores and how far they can, on the host in float64.

Agreement by type and level of distortion and by reference, and the noise ceiling: the agreement of
the scores with the quality that they measure, which no distance can be expected to exceed.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from iqa_jax.agreement import Agreement, agreement, spearman
from iqa_jax.datasets.table import Pair, PairTable

LEAST_PAIRS = 3
"""A reference with fewer has no rank correlation that could be anything but -1 or 1."""

_SIMULATIONS = 100


@dataclass(frozen=True)
class GroupAgreement:
    """Agreement within one group of pairs.

    Attributes:
      kind: What its pairs have in common: ``distortion``, ``level`` or ``distortion and level``.
      group: Which one; for both, distortion and level with a comma between them.
      agreement: Of distances and scores within the group, without a logistic map.
    """

    kind: str
    group: str
    agreement: Agreement


@dataclass(frozen=True)
class ReferenceAgreement:
    """Spearman's correlation within references: agreement about versions of the same content.

    Attributes:
      references: Number of references that have a correlation.
      left_out: Number of references with fewer than three pairs or with equal scores.
      mean: Of the correlations, in [-1, 1].
      std: Their standard deviation over references (n - 1 in the denominator).
    """

    references: int
    left_out: int
    mean: float
    std: float


@dataclass(frozen=True)
class Ceiling:
    """The agreement to expect of the true quality with scores that are its noisy measurements.

    Attributes:
      pairs: Number of pairs.
      reliability: Share of the scores' variance that is variance of the quality; not above 1, and
        below 0 where the noise that is claimed exceeds the variance that there is.
      plcc: Pearson's correlation of quality and scores.
      srcc: Spearman's.
    """

    pairs: int
    reliability: float
    plcc: float
    srcc: float


def by_group(
    table: PairTable, distances: np.ndarray, kinds: Sequence[str] = ("distortion", "level")
) -> list[GroupAgreement]:
    """The agreement of distances and scores within groups of pairs.

    Args:
      table: The pairs; those whose distortion or level is unknown are in no such group.
      distances: ``[pairs]``, 0 for identical images and growing.
      kinds: Of groups, in the order wanted, ``distortion and level`` being another.

    Returns:
      A row a group, by kind and in the order of the table.

    Raises:
      ValueError: If the lengths differ.
    """
    distances, scores = _float64(table, distances)
    found = []
    for kind in kinds:
        rows = defaultdict(list)
        for row, pair in enumerate(table.pairs):
            rows[_GROUP_OF[kind](pair)].append(row)
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

    Differences of level between the scores of different contents do not enter it.

    Args:
      table: The pairs.
      distances: ``[pairs]``, 0 for identical images and growing.

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
    ranked = [
        those for those in rows.values() if len(those) >= LEAST_PAIRS and np.ptp(quality[those]) > 0
    ]
    correlations = np.array([spearman(-distances[those], quality[those]) for those in ranked])
    return ReferenceAgreement(
        references=len(ranked),
        left_out=len(rows) - len(ranked),
        mean=float(correlations.mean()) if ranked else math.nan,
        std=float(correlations.std(ddof=1)) if len(ranked) > 1 else math.nan,
    )


def standard_errors(score_std: np.ndarray, opinions: float) -> np.ndarray:
    """Standard deviations of mean opinions from those of single opinions.

    Args:
      score_std: ``[pairs]``, as published.
      opinions: Number of opinions behind each score; 1 where the deviations published are those of
        the mean already, NaN where it is unknown what they are.

    Returns:
      ``[pairs]``, in units of the score; NaN where one of the two is.
    """
    return np.asarray(score_std, np.float64) / math.sqrt(opinions)


def ceiling(scores: np.ndarray, errors: np.ndarray, *, seed: int = 0) -> Ceiling:
    """The agreement that the true quality would have with scores of known uncertainty.

    The model: a score is the quality plus an independent error whose standard deviation is known,
    ``y_i = q_i + e_i``. The variance of the scores is then that of the quality plus the mean
    variance of the errors, so that the reliability is ``1 - mean(errors^2) / var(scores)`` and the
    expected Pearson correlation of quality and scores its square root. Spearman's depends on how
    the quality is distributed, too: as the quality are taken the scores, drawn to their mean until
    they have its variance (by the root of the reliability); errors are then added to it, and the
    correlations of many such draws averaged. Nothing is clipped to the ends of the scale.

    Pearson's ceiling holds for any distribution of the quality. Spearman's is right within a few
    thousandths while the reliability is above 0.9; below, gaps and bunches of the quality that the
    errors have blurred in the scores make it too high. A distance may exceed both by chance, or if
    errors of the scores have a cause that it shares.

    Args:
      scores: ``[pairs]``, finite.
      errors: ``[pairs]``, standard deviation of each score as an estimate: of the mean opinion, not
        of single opinions (see :func:`standard_errors`).
      seed: Of the simulated errors.

    Returns:
      Correlations in [0, 1], 0 where the errors explain all variance; NaN if an error is unknown or
      all scores are equal.

    Raises:
      ValueError: If the lengths differ.
    """
    scores, errors = np.asarray(scores, np.float64), np.asarray(errors, np.float64)
    if scores.shape != errors.shape:
        raise ValueError(f"{len(errors)} standard errors do not fit {len(scores)} scores")
    known = len(scores) > 0 and np.isfinite(errors).all() and np.ptp(scores) > 0
    if not known:
        return Ceiling(len(scores), math.nan, math.nan, math.nan)
    reliability = 1 - float(np.mean(np.square(errors)) / scores.var(ddof=1))
    if reliability <= 0:
        return Ceiling(len(scores), reliability, 0.0, 0.0)
    shrinkage = math.sqrt(reliability)
    quality = scores.mean() + shrinkage * (scores - scores.mean())
    random = np.random.default_rng(seed)
    simulated = [
        spearman(quality, quality + errors * random.standard_normal(len(scores)))
        for _ in range(_SIMULATIONS)
    ]
    return Ceiling(len(scores), reliability, shrinkage, float(np.mean(simulated)))


def _both(pair: Pair) -> str:
    return f"{pair.distortion}, {pair.level}" if pair.distortion and pair.level else ""


_GROUP_OF = {
    "distortion": lambda pair: pair.distortion,
    "level": lambda pair: pair.level,
    "distortion and level": _both,
}


def _float64(table: PairTable, distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    distances = np.asarray(distances, np.float64)
    if len(distances) != len(table.pairs):
        raise ValueError(f"{len(distances)} distances do not fit {len(table.pairs)} pairs")
    return distances, np.array([pair.score for pair in table.pairs], np.float64)
