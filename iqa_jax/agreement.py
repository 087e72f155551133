"""Agreement of distances with human scores, on the host in float64.

Every correlation is signed and oriented: it is taken between the negated distance and the score
turned so that higher is better. Positive means agreement; nothing takes an absolute value.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats

_PARAMETERS = 4
_LOCATIONS = np.linspace(-2.0, 4.0, 9)
_SCALES = (0.1, 0.3, 1.0, 3.0)
_LOCATION_BOUNDS = (-20.0, 20.0)
_SCALE_BOUNDS = (1e-3, 1e2)
"""Start values and bounds of the logistic fit, in standard deviations of the distances.

Within the bounds the logistic comes as close as 1e-4 in correlation to what it tends to outside of
them: a step, a straight line and an exponential.
"""


@dataclass(frozen=True)
class LogisticFit:
    """How well a logistic function of the distances predicts the scores.

    Attributes:
      plcc: Pearson's correlation of scores and prediction.
      rmse: Root mean squared error of the prediction, in units of the score.
      converged: Whether the search settled on a curve that is better than a constant.
    """

    plcc: float
    rmse: float
    converged: bool


NO_FIT = LogisticFit(math.nan, math.nan, False)


@dataclass(frozen=True)
class Agreement:
    """How well distances predict human scores.

    Attributes:
      pairs: Number of pairs.
      plcc: Pearson's correlation.
      srcc: Spearman's rank correlation.
      krcc: Kendall's tau-b.
      logistic: Pearson's correlation and error after a logistic map.
    """

    pairs: int
    plcc: float
    srcc: float
    krcc: float
    logistic: LogisticFit


def agreement(
    distances: np.ndarray, scores: np.ndarray, *, higher_is_better: bool, fit: bool = True
) -> Agreement:
    """Correlates distances with human scores.

    Args:
      distances: ``[pairs]``, 0 for identical images and growing.
      scores: ``[pairs]``, finite.
      higher_is_better: Direction of the scores.
      fit: Whether a logistic map is fitted, too, which takes most of the time.

    Returns:
      Correlations in [-1, 1], NaN where they are not defined: a distance that is not finite, or
      fewer than two different distances or scores. Never raises for want of a fit.

    Raises:
      ValueError: If the two are of different lengths.
    """
    similarity = -np.asarray(distances, np.float64)
    quality = (
        np.asarray(scores, np.float64) if higher_is_better else -np.asarray(scores, np.float64)
    )
    if similarity.shape != quality.shape:
        raise ValueError(f"{len(similarity)} distances do not fit {len(quality)} scores")
    if not (_varies(similarity) and _varies(quality)):
        return Agreement(len(quality), math.nan, math.nan, math.nan, NO_FIT)
    return Agreement(
        pairs=len(quality),
        plcc=_pearson(similarity, quality),
        srcc=spearman(similarity, quality),
        krcc=float(np.asarray(stats.kendalltau(similarity, quality))[0]),
        logistic=fit_logistic(-similarity, quality) if fit else NO_FIT,
    )


def fit_logistic(distances: np.ndarray, quality: np.ndarray) -> LogisticFit:
    """Fits ``b + a / (1 + exp((x - m) / t))``, a and t positive, to the quality.

    x are the standardised distances. For given m and t the best a and b are those of a linear
    regression, and the correlation of quality and prediction is that of quality and
    ``1 / (1 + exp((x - m) / t))``: the search has two dimensions, starts at the best point of a
    fixed grid and cannot turn the curve round.

    Args:
      distances: ``[pairs]``, finite, not all equal.
      quality: ``[pairs]``, finite, higher is better.

    Returns:
      The fit; NaN and not converged where no falling curve is better than a constant, or with no
      more pairs than parameters.
    """
    if len(quality) <= _PARAMETERS:
        return NO_FIT
    x = (distances - distances.mean()) / distances.std()
    y = (quality - quality.mean()) / quality.std()

    def residuals(parameters: np.ndarray) -> np.ndarray:
        location, log_scale = parameters
        curve = special.expit((location - x) / math.exp(log_scale))
        curve = curve - curve.mean()
        energy = curve @ curve
        slope = max(curve @ y, 0.0) / energy if energy > 0 else 0.0
        return y - slope * curve

    starts = [(location, math.log(scale)) for location in _LOCATIONS for scale in _SCALES]
    start = min(starts, key=lambda point: np.sum(np.square(residuals(np.array(point)))))
    lower, upper = zip(_LOCATION_BOUNDS, np.log(_SCALE_BOUNDS), strict=True)
    found = optimize.least_squares(residuals, start, bounds=(lower, upper), xtol=1e-10, ftol=1e-12)
    prediction = y - residuals(found.x)
    if not _varies(prediction):
        return LogisticFit(math.nan, float(quality.std()), False)
    return LogisticFit(
        plcc=_pearson(prediction, y),
        rmse=float(np.sqrt(np.mean(np.square(y - prediction))) * quality.std()),
        converged=bool(found.success),
    )


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's rank correlation, ties sharing their rank.

    Args:
      x: ``[n]``.
      y: ``[n]``.

    Returns:
      In [-1, 1]; NaN if a number is not finite, or all are equal.
    """
    if not (_varies(x) and _varies(y)):
        return math.nan
    return _pearson(stats.rankdata(x), stats.rankdata(y))


def _varies(values: np.ndarray) -> bool:
    return bool(np.isfinite(values).all()) and np.unique(values).size > 1


def _pearson(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.corrcoef(x, y)[0, 1])
