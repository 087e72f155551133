"""Agreement of distances with forced choices, as in the LPIPS paper, on the host in float64.

Zhang et al., The unreasonable effectiveness of deep features as a perceptual metric, CVPR 2018.
Scores are shares in [0, 1], higher for better agreement; the paper prints them as percentages.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from iqa_jax.agreement.intervals import NONE, Method
from iqa_jax.agreement.resampling import Weightings
from iqa_jax.datasets.table import PairTable, Question

_TOLERANCE = 1e-6
"""Largest difference from one in the sum of the shares of two versions."""


@dataclass(frozen=True)
class ForcedChoice:
    """Agreement of distances with choices that observers were forced to make.

    Attributes:
      judgements: Number of triplets or pairs that were judged.
      score: Score of the distances.
      best: Highest score that any distances can have, given that observers disagree.
      observer: Expected score of one of the observers; NaN if it is undefined.
      interval: Ends of the interval of the score, over references; None if there is none.
    """

    judgements: int
    score: float
    best: float
    observer: float = math.nan
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Subsets:
    """Forced choices by subset of a dataset.

    Attributes:
      subsets: Agreement in each subset by its name, in the order of the table.
      mean: Mean over the subsets, each with the same weight, as in the LPIPS paper.
      overall: Agreement over all judgements as one subset.
    """

    subsets: Mapping[str, ForcedChoice]
    mean: ForcedChoice
    overall: ForcedChoice


def two_alternatives(distances: np.ndarray, shares: np.ndarray) -> ForcedChoice:
    """The mean share of observers who agree with the distances about which version is nearer.

    A triplet gives the share of observers who chose the version with the smaller distance; one half
    if the distances are equal. With shares j and 1 - j, ``best`` is the mean of max(j, 1 - j):
    always siding with the majority. ``observer`` is the mean of j^2 + (1 - j)^2: the answer of one
    of the observers, drawn anew for each triplet. That observer is part of the panel; a new
    observer would agree less often.

    Args:
      distances: ``[2 * triplets]``, of the two versions of each triplet in turn; 0 for identical
        images and larger for greater differences.
      shares: ``[2 * triplets]``, share of the observers who chose each version; the two of a
        triplet add up to 1.

    Returns:
      Scores in [0, 1], one half for a guess; NaN if there are no triplets or a distance is not
      finite.

    Raises:
      ValueError: If the lengths differ or are odd, or shares do not add up to 1.
    """
    distances, shares = _float64(distances, shares)
    if len(shares) % 2:
        raise ValueError(f"expected two rows per triplet, got {len(shares)} rows")
    first, second = shares[::2], shares[1::2]
    wrong = np.flatnonzero(~(np.abs(first + second - 1) <= _TOLERANCE))
    if wrong.size:
        raise ValueError(
            f"{wrong.size} triplets have shares that do not add up to 1; the first is number "
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

    Pairs are called the same if their distance is within a limit. Over all such limits, precision
    is the share of the answers "same" among all answers to the pairs within it, recall the share of
    all answers "same" that it catches. The score is the area under precision as a function of
    recall, where precision is raised to its highest value at any greater recall (PASCAL VOC's
    definition since 2010). Pairs with equal distances are within a limit together, so their order
    does not matter; if no two distances are equal this is the number that the LPIPS paper calls
    mAP.

    Args:
      distances: ``[pairs]``, 0 for identical images and larger for greater differences.
      shares: ``[pairs]``, share of the observers who said that the two are the same.

    Returns:
      Scores in [0, 1]; ``best`` is that of distances in the order of the shares, all different. NaN
      if there is no answer "same" or a distance is not finite.

    Raises:
      ValueError: If the lengths differ.
    """
    distances, shares = _float64(distances, shares)
    return ForcedChoice(
        judgements=len(shares),
        score=_average_precision(distances, shares),
        best=_average_precision(np.arange(len(shares)), np.sort(shares)[::-1]),
    )


@dataclass(frozen=True)
class Sampling:
    """The references behind the judgements of a table, for the intervals of many columns.

    Attributes:
      method: Method of the intervals.
      overall: Weightings of all judgements.
      subsets: Weightings of each subset by its name, over its own references.
      rows: Positions of the judgements of each subset, by its name.
    """

    method: Method
    overall: Weightings
    subsets: Mapping[str, Weightings]
    rows: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, table: PairTable, method: Method) -> "Sampling":
        """Divides a table into its subsets, with the weightings of each."""
        judgements = table.pairs[:: table.protocol.rows]
        contents = np.array([pair.reference_id for pair in judgements], np.str_)
        rows = defaultdict(list)
        for row, pair in enumerate(judgements):
            rows[pair.distortion].append(row)
        of_subset = {name: np.array(those) for name, those in rows.items()}
        return cls(
            method=method,
            overall=method.weightings(contents.tolist()),
            subsets={
                name: method.weightings(contents[those].tolist())
                for name, those in of_subset.items()
            },
            rows=of_subset,
        )


def by_subset(table: PairTable, distances: np.ndarray, sampling: Sampling | None = None) -> Subsets:
    """The forced choices of a dataset, for each of its subsets and for all together.

    Args:
      table: Judgements of two alternatives, or of same or different; the distortion names the
        subset.
      distances: ``[pairs]``, in the table's order.
      sampling: Sampling of the table's references, for intervals; None for no intervals.

    Raises:
      ValueError: If the table has another protocol, or the lengths differ.
    """
    if table.protocol not in _SCORES:
        raise ValueError(f"{table.name}: its observers were not forced to choose")
    score, weighed = _SCORES[table.protocol]
    sampling = sampling or Sampling.of(table, Method(NONE))
    distances, shares = _float64(distances, np.array([pair.score for pair in table.pairs]))
    overall = score(distances, shares)
    distances, shares = (each.reshape(-1, table.protocol.rows) for each in (distances, shares))

    def scores(rows: np.ndarray, weightings: Weightings) -> np.ndarray:
        """The scores of some judgements under each weighting."""
        return weighed(distances[rows], shares[rows], weightings)

    def with_interval(found: ForcedChoice, values: np.ndarray) -> ForcedChoice:
        (low,), (high,) = sampling.method.ends(values[:, None])
        return found if math.isnan(low) else replace(found, interval=(float(low), float(high)))

    every = np.arange(overall.judgements)
    subsets, together = {}, []
    for name, rows in sampling.rows.items():
        found = score(distances[rows].ravel(), shares[rows].ravel())
        subsets[name] = with_interval(found, scores(rows, sampling.subsets[name]))
        together.append(scores(rows, sampling.overall.select(rows)))
    return Subsets(
        subsets,
        with_interval(_mean_of(list(subsets.values())), np.mean(together, axis=0)),
        with_interval(overall, scores(every, sampling.overall)),
    )


def _mean_of(subsets: Sequence[ForcedChoice]) -> ForcedChoice:
    def mean(name: str) -> float:
        return _mean(np.array([getattr(subset, name) for subset in subsets]))

    judgements = sum(subset.judgements for subset in subsets)
    return ForcedChoice(judgements, mean("score"), mean("best"), mean("observer"))


def agreeing(
    to_first: np.ndarray, to_second: np.ndarray, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """Share of the observers who chose the nearer version, one half for a tie.

    Args:
      to_first: Distance of the first version of each triplet, finite, ``[triplets, ...]``.
      to_second: Distance of the second version, ``[triplets, ...]``.
      first: Share of the observers who chose the first, with the same dimensions or size 1.
      second: Share of the observers who chose the second.
    """
    chosen = np.where(to_first < to_second, first, second)
    return np.where(to_first == to_second, 0.5, chosen)


def _agreement(
    to_first: np.ndarray, to_second: np.ndarray, first: np.ndarray, second: np.ndarray
) -> np.ndarray:
    """The same as :func:`agreeing`, ``[triplets]``; NaN for all if a distance is not finite."""
    if not np.isfinite([to_first, to_second]).all():
        return np.full(len(first), math.nan)
    return agreeing(to_first, to_second, first, second)


def _average_precision(distances: np.ndarray, shares: np.ndarray) -> float:
    return float(_average_precisions(distances, shares, np.ones((len(shares), 1)))[0])


def _average_precisions(
    distances: np.ndarray, shares: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """The average precision if each pair occurred as often as its weight, ``[weightings]``."""
    same = weights * shares[:, None]
    total = same.sum(axis=0)
    if not (np.isfinite(distances).all() and len(shares)):
        return np.full(len(total), math.nan)
    order = np.argsort(distances, kind="stable")
    limits = np.flatnonzero(np.diff(distances[order], append=math.inf))
    same, answers = (np.cumsum(each[order], axis=0)[limits] for each in (same, weights))
    precision = same / np.maximum(answers, 1)  # 0 before the first pair
    highest_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    caught = np.einsum("lw,lw->w", np.diff(same, axis=0, prepend=0), highest_from_here)
    return np.where(total > 0, caught / np.where(total > 0, total, 1.0), math.nan)


def _weighed_precision(
    distances: np.ndarray, shares: np.ndarray, weightings: Weightings
) -> np.ndarray:
    """The average precision under each weighting, from ``[pairs, 1]``."""
    blocks = weightings.blocks()
    found = [_average_precisions(distances[:, 0], shares[:, 0], weights) for weights in blocks]
    return np.concatenate(found)


def _weighed_agreement(
    distances: np.ndarray, shares: np.ndarray, weightings: Weightings
) -> np.ndarray:
    """The mean agreement under each weighting, from ``[triplets, 2]``."""
    agreed = _agreement(*distances.T, *shares.T)
    with np.errstate(invalid="ignore"):  # a weighting may have no triplet of a subset
        return weightings.sums(agreed[:, None])[:, 0] / weightings.pairs


_SCORES = {
    Question.TWO_ALTERNATIVES: (two_alternatives, _weighed_agreement),
    Question.SAME_OR_DIFFERENT: (same_or_different, _weighed_precision),
}


def _float64(distances: np.ndarray, shares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    distances, shares = np.asarray(distances, np.float64), np.asarray(shares, np.float64)
    if distances.shape != shares.shape:
        raise ValueError(f"{len(distances)} distances do not fit {len(shares)} shares")
    return distances, shares


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else math.nan
