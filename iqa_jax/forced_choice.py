"""Agreement of distances with forced choices, as in the LPIPS paper, on the host in float64.

Zhang et al., The unreasonable effectiveness of deep features as a perceptual metric, CVPR 2018.
Scores are shares in [0, 1], higher for better agreement; the paper prints them as percentages.
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from iqa_jax.datasets.table import PairTable, Protocol

_TOLERANCE = 1e-6
"""By how much the shares of two versions may fail to add up to one."""


@dataclass(frozen=True)
class ForcedChoice:
    """How well distances agree with choices that observers were forced to make.

    Attributes:
      judgements: Number of triplets or pairs that were judged.
      score: Of the distances.
      best: The highest score that any distances can have, as the observers do not agree.
      observer: The score to expect of one of the observers; NaN where this is not defined.
    """

    judgements: int
    score: float
    best: float
    observer: float = math.nan


@dataclass(frozen=True)
class Subsets:
    """Forced choices by subset of a dataset.

    Attributes:
      subsets: By name, in the order of the table.
      mean: Of the subsets, each with the same weight, as the LPIPS paper averages.
      overall: All judgements taken as one subset.
    """

    subsets: Mapping[str, ForcedChoice]
    mean: ForcedChoice
    overall: ForcedChoice


def two_alternatives(distances: np.ndarray, shares: np.ndarray) -> ForcedChoice:
    """The mean share of observers who agree with the distances about which version is nearer.

    A triplet gives the share of observers who chose the version that has the smaller distance; one
    half if the distances are equal. With shares j and 1 - j, ``best`` is the mean of max(j, 1 - j):
    always siding with the majority. ``observer`` is the mean of j^2 + (1 - j)^2: the answer of one
    of the observers, drawn anew for each triplet. That observer is one of those agreed with:
    somebody who was not asked would agree less.

    Args:
      distances: ``[2 * triplets]``, of the two versions of a triplet one after the other; 0 for
        identical images and growing.
      shares: ``[2 * triplets]``, share of the observers who chose each version; the two of a
        triplet add up to 1.

    Returns:
      Score in [0, 1], one half for a guess; NaN without triplets and if a distance is not finite.

    Raises:
      ValueError: If the lengths differ or are odd, or shares do not add up to 1.
    """
    distances, shares = _float64(distances, shares)
    if len(shares) % 2:
        raise ValueError(f"{len(shares)} rows are not two a triplet")
    first, second = shares[::2], shares[1::2]
    wrong = np.flatnonzero(~(np.abs(first + second - 1) <= _TOLERANCE))
    if wrong.size:
        raise ValueError(
            f"{wrong.size} triplets have shares that do not add up to 1, the first is number "
            f"{wrong[0]}: {first[wrong[0]]} and {second[wrong[0]]}"
        )
    return ForcedChoice(
        judgements=len(first),
        score=_mean(_agreement(distances[::2], distances[1::2], first, second)),
        best=_mean(np.maximum(first, second)),
        observer=_mean(np.square(first) + np.square(second)),
    )


def same_or_different(distances: np.ndarray, shares: np.ndarray) -> ForcedChoice:
    """The average precision of small distances as a sign that observers see no difference.

    Pairs are called the same up to a distance. Over all such limits, precision is the share of the
    answers "same" among all answers to the pairs within it, recall the share of all answers "same"
    that it catches. The score is the area below precision as a function of recall, where precision
    is raised to the highest that any greater recall has (PASCAL VOC's definition since 2010). Pairs
    of one distance are within a limit together, so that their order does not matter; where no two
    distances are equal this is the number that the LPIPS paper calls mAP.

    Args:
      distances: ``[pairs]``, 0 for identical images and growing.
      shares: ``[pairs]``, share of the observers who said that the two are the same.

    Returns:
      Score in [0, 1]; ``best`` is that of distances in the order of the shares, all different. NaN
      without any answer "same" and if a distance is not finite.

    Raises:
      ValueError: If the lengths differ.
    """
    distances, shares = _float64(distances, shares)
    return ForcedChoice(
        judgements=len(shares),
        score=_average_precision(distances, shares),
        best=_average_precision(np.arange(len(shares)), np.sort(shares)[::-1]),
    )


def by_subset(table: PairTable, distances: np.ndarray) -> Subsets:
    """The forced choices of a dataset, each of its subsets apart and all together.

    Args:
      table: Of two alternatives, or of same or different; the distortion names the subset.
      distances: ``[pairs]``, in the table's order.

    Raises:
      ValueError: If the table is of another protocol, or the lengths differ.
    """
    if table.protocol not in _SCORES:
        raise ValueError(f"{table.name}: its observers were not forced to choose")
    score = _SCORES[table.protocol]
    distances, shares = _float64(distances, np.array([pair.score for pair in table.pairs]))
    rows = defaultdict(list)
    for row, pair in enumerate(table.pairs):
        rows[pair.distortion].append(row)
    subsets = {name: score(distances[those], shares[those]) for name, those in rows.items()}
    return Subsets(subsets, _mean_of(list(subsets.values())), score(distances, shares))


_SCORES = {
    Protocol.TWO_ALTERNATIVES: two_alternatives,
    Protocol.SAME_OR_DIFFERENT: same_or_different,
}


def _mean_of(subsets: list[ForcedChoice]) -> ForcedChoice:
    def mean(name: str) -> float:
        return _mean(np.array([getattr(subset, name) for subset in subsets]))

    judgements = sum(subset.judgements for subset in subsets)
    return ForcedChoice(judgements, mean("score"), mean("best"), mean("observer"))


def agreeing(
    to_first: np.ndarray, to_second: np.ndarray, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """Share of the observers who chose what is nearer, one half for a tie.

    Args:
      to_first: Distance of the first version of each triplet, finite, ``[triplets, ...]``.
      to_second: Likewise of the second.
      first: Share of the observers who chose the first, in the same dimensions or of size 1.
      second: Likewise the second.
    """
    chosen = np.where(to_first < to_second, first, second)
    return np.where(to_first == to_second, 0.5, chosen)


def _agreement(
    to_first: np.ndarray, to_second: np.ndarray, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """The same, ``[triplets]``; NaN for all if a distance is not finite."""
    if not np.isfinite([to_first, to_second]).all():
        return np.full(len(first), math.nan)
    return agreeing(to_first, to_second, first, second)


def _average_precision(distances: np.ndarray, shares: np.ndarray) -> float:
    if not (np.isfinite(distances).all() and shares.sum() > 0):
        return math.nan
    _, limit = np.unique(distances, return_inverse=True)
    same = np.bincount(limit, weights=shares)
    precision = np.cumsum(same) / np.cumsum(np.bincount(limit))
    highest_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    return float(same @ highest_from_here / shares.sum())


def _float64(distances: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    distances, shares = np.asarray(distances, np.float64), np.asarray(shares, np.float64)
    if distances.shape != shares.shape:
        raise ValueError(f"{len(distances)} distances do not fit {len(shares)} shares")
    return distances, shares


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else math.nan
