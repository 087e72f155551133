"""How far distances can agree with human scores: the noise ceiling, on the host in float64.

The scores are noisy measurements of the quality. Their agreement with that quality is what no
distance can be expected to exceed.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from iqa_jax.agreement.correlation import spearman

_SIMULATIONS = 100


@dataclass(frozen=True)
class Ceiling:
    """What agreement to expect with scores that are noisy measurements of the quality.

    There are two ceilings. The true quality itself would agree with the scores by ``plcc`` and
    ``srcc``: no distance can be expected to do better. One observer would agree with them by
    ``observer_plcc`` and ``observer_srcc``, which is less: a distance may well do better.

    Attributes:
      pairs: Number of pairs.
      reliability: Share of the scores' variance that is variance of the quality; not above 1, and
        below 0 where the noise that is claimed exceeds the variance that there is.
      plcc: Pearson's correlation of true quality and scores.
      srcc: Spearman's.
      observer_plcc: Pearson's correlation of the opinions of one observer, who is not among those
        of the scores, and the scores; NaN where the deviation of single opinions is unknown.
      observer_srcc: Spearman's.
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
      score_std: ``[pairs]``, as published.
      opinions: Number of opinions behind each score; 1 where the deviations published are those of
        the mean already, NaN where it is unknown what they are.

    Returns:
      ``[pairs]``, in units of the score; NaN where one of the two is.
    """
    return np.asarray(score_std, np.float64) / math.sqrt(opinions)


def single_deviations(score_std: np.ndarray, opinions: float) -> np.ndarray:
    """Standard deviations of single opinions.

    Args:
      score_std: ``[pairs]``, as published.
      opinions: As for :func:`standard_errors`.

    Returns:
      ``[pairs]``, in units of the score; NaN where those of the mean are published, or it is
      unknown which are.
    """
    return np.where(opinions > 1, np.asarray(score_std, np.float64), math.nan)


def noise_ceiling(
    scores: np.ndarray, errors: np.ndarray, deviations: np.ndarray | None = None, *, seed: int = 0
) -> Ceiling:
    """The agreement of the true quality, and of one observer, with scores of known uncertainty.

    The model: a score is the quality plus an independent error whose standard deviation is known,
    ``y_i = q_i + e_i``. The variance of the scores is then that of the quality plus the mean
    variance of the errors, so that the reliability is ``1 - mean(errors^2) / var(scores)`` and the
    expected Pearson correlation of quality and scores its square root. Spearman's depends on how
    the quality is distributed, too: as the quality are taken the scores, drawn to their mean until
    they have its variance (by the root of the reliability); errors are then added to it, and the
    correlations of many such draws averaged. Nothing is clipped to the ends of the scale. An
    observer's opinion is likewise the quality plus an error, whose deviation is that of single
    opinions; what observers differ by in their use of the scale counts as such error.

    Pearson's ceiling holds for any distribution of the quality. Spearman's is right within .005
    for a uniform or normal quality of a reliability above .8. Where the quality is bunched it is
    too high, as the errors blur the bunches in the scores and the order within a bunch is lost:
    simulated by .02 (exponential quality, reliability .9), by .03 (two bunches of a deviation of a
    tenth of their distance from the middle, .99) to .10 (.9), and by more than .1 where most pairs
    stand at one end of the scale. It is then a bound, no estimate. A distance may exceed both by
    chance, or if errors of the scores have a cause that it shares.

    Args:
      scores: ``[pairs]``, finite.
      errors: ``[pairs]``, standard deviation of each score as an estimate: of the mean opinion, not
        of single opinions (see :func:`standard_errors`).
      deviations: ``[pairs]``, standard deviation of single opinions (see
        :func:`single_deviations`); None if it is unknown.
      seed: Seed of the simulated errors.

    Returns:
      Correlations in [0, 1], 0 where the errors explain all variance; NaN if an error is unknown or
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
