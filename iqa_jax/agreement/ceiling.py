"""The noise ceiling: how closely distances can agree with human scores, on the host in float64.

The scores are noisy measurements of the quality. No distance can be expected to agree with them
better than that quality itself.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from iqa_jax.agreement.correlation import spearman

_SIMULATIONS = 100


@dataclass(frozen=True)
class Ceiling:
    """Agreement to expect with scores that are noisy measurements of the quality.

    There are two ceilings. The true quality itself would agree with the scores by ``plcc`` and
    ``srcc``: no distance can be expected to do better. One observer would agree with them by
    ``observer_plcc`` and ``observer_srcc``, which is less: a distance may well do better.

    Attributes:
      pairs: Number of pairs.
      reliability: Share of the scores' variance that is variance of the quality; at most 1, and
        below 0 if the claimed noise exceeds the whole variance.
      plcc: Pearson's correlation of true quality and scores.
      srcc: Spearman's correlation of true quality and scores.
      observer_plcc: Pearson's correlation of the scores with the opinions of one further observer;
        NaN if the deviation of single opinions is unknown.
      observer_srcc: Spearman's correlation of the same.
    """

    pairs: int
    reliability: float
    plcc: float
    srcc: float
    observer_plcc: float = math.nan
    observer_srcc: float = math.nan


def standard_errors(score_std: np.ndarray, opinions: float) -> np.ndarray:
    """Standard deviations of mean opinions from those of single opinions.

    Args:
      score_std: Published standard deviations, ``[pairs]``.
      opinions: Number of opinions behind each score; 1 if the published deviations are already
        those of the mean, NaN if it is unknown what they are.

    Returns:
      ``[pairs]``, in units of the score; NaN where either of the two is NaN.
    """
    return np.asarray(score_std, np.float64) / math.sqrt(opinions)


def single_deviations(score_std: np.ndarray, opinions: float) -> np.ndarray:
    """Standard deviations of single opinions.

    Args:
      score_std: Published standard deviations, ``[pairs]``.
      opinions: Number of opinions behind each score (see :func:`standard_errors`).

    Returns:
      ``[pairs]``, in units of the score; NaN if the published deviations are those of the mean, or
      it is unknown what they are.
    """
    return np.where(opinions > 1, np.asarray(score_std, np.float64), math.nan)


def noise_ceiling(
    scores: np.ndarray, errors: np.ndarray, deviations: np.ndarray | None = None, *, seed: int = 0
) -> Ceiling:
    """The agreement of the true quality, and of one observer, with scores of known uncertainty.

    The model: a score is the quality plus an independent error whose standard deviation is known,
    ``y_i = q_i + e_i``. The variance of the scores is then that of the quality plus the mean
    variance of the errors, so the reliability is ``1 - mean(errors^2) / var(scores)``, and the
    expected Pearson correlation of quality and scores is its square root. Spearman's also depends
    on the distribution of the quality: as a stand-in for quality we take the scores, shrunk towards
    their mean until the variances match (by the root of the reliability). Errors are then added to
    it, and the correlations of many such draws averaged. Nothing is clipped to the ends of the
    scale. An observer's opinion is also the quality plus an error, with the deviation of single
    opinions; differences between observers in their use of the scale count as such error.

    Pearson's ceiling holds for any distribution of the quality. Spearman's is accurate to .005 for
    a uniform or normal quality with a reliability above .8. It is too high if the quality is
    bunched, as the errors blur the bunches in the scores and the order within a bunch is lost: in
    simulations by .02 (exponential quality, reliability .9), by .03 (two bunches with a deviation
    of a tenth of their distance from the middle, .99) to .10 (.9), and by more than .1 if most
    pairs are at one end of the scale. It is then a bound, not an estimate. A distance may exceed
    both ceilings by chance, or if the errors of the scores have a cause that it shares.

    Args:
      scores: ``[pairs]``, finite.
      errors: ``[pairs]``, standard deviation of each score as an estimate: that of the mean
        opinion, not of single opinions (see :func:`standard_errors`).
      deviations: ``[pairs]``, standard deviation of single opinions (see
        :func:`single_deviations`); None if unknown.
      seed: Seed of the simulated errors.

    Returns:
      Correlations in [0, 1], 0 if the errors explain all variance; NaN if an error is unknown or
      all scores are equal.

    Raises:
      ValueError: If the lengths differ.
    """
    scores, errors = np.asarray(scores, np.float64), np.asarray(errors, np.float64)
    single = np.full_like(scores, math.nan) if deviations is None else np.asarray(deviations)
    for each in (errors, single):
        if scores.shape != each.shape:
            raise ValueError(f"{len(each)} standard errors do not fit {len(scores)} scores")
    known = len(scores) > 0 and np.isfinite(errors).all() and np.ptp(scores) > 0
    if not known:
        return Ceiling(len(scores), math.nan, math.nan, math.nan)
    reliability = 1 - float(np.mean(np.square(errors)) / scores.var(ddof=1))
    is_known = bool(np.isfinite(single).all())
    if reliability <= 0:
        return Ceiling(len(scores), reliability, 0.0, 0.0, *[0.0 if is_known else math.nan] * 2)
    shrinkage = math.sqrt(reliability)
    quality = scores.mean() + shrinkage * (scores - scores.mean())
    random = np.random.default_rng(seed)

    def measured(errors: np.ndarray) -> np.ndarray:
        return quality + errors * random.standard_normal(len(scores))

    simulated = [spearman(quality, measured(errors)) for _ in range(_SIMULATIONS)]
    found = Ceiling(len(scores), reliability, shrinkage, float(np.mean(simulated)))
    if not is_known:
        return found
    by_observer = [spearman(measured(single), measured(errors)) for _ in range(_SIMULATIONS)]
    noise = float(np.mean(np.square(single)) / scores.var(ddof=1))
    return replace(
        found,
        observer_plcc=reliability / math.sqrt(reliability + noise),
        observer_srcc=float(np.mean(by_observer)),
    )
