"""Agreement of distances with human scores, on the host in float64.

Every correlation is signed and oriented: it is taken between the negated distance and the score,
oriented so that higher is better. Positive means agreement; absolute values are never taken.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats

_PARAMETERS = 4
_QUANTILES = np.linspace(0.05, 0.95, 10)
_WINDOW = 0.15
_LOCAL_SCALES = (0.1, 0.3, 1.0, 3.0)
_LOCATIONS = (-2.0, 0.0, 2.0, 4.0)
_SCALES = (0.3, 1.0, 3.0)
"""Start values of the logistic fit.

Locations are quantiles of the distances, with scales in units of the spread between the quantiles
one window below and one above; and points around the mean, in standard deviations. If a few
distances are far larger than all others, the deviation is theirs and says nothing about the others.
"""

_LOCATION_BOUND = 20.0
_SCALE_BOUNDS = (1e-3, 1e2)
"""Bounds of the search: around the mean, in standard deviations; from a fraction of the smallest
local spread to a multiple of the deviation.

Within the bounds the logistic comes within 1e-4 in correlation of its limits beyond them: a step, a
straight line and an exponential.
"""


@dataclass(frozen=True)
class LogisticFit:
    """Prediction of the scores by a logistic function of the distances.

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
    """Agreement of distances with human scores.

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
      distances: ``[pairs]``, 0 for identical images and larger for greater differences.
      scores: ``[pairs]``, finite.
      higher_is_better: Direction of the scores.
      fit: Whether to fit a logistic map too, which takes most of the time.

    Returns:
      Correlations in [-1, 1], NaN where they are undefined: a distance is not finite, or there are
      fewer than two different distances or scores. A failed fit never raises an error.

    Raises:
      ValueError: If the lengths differ.
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

    For given m and t the best a and b are those of a linear regression, and the correlation of
    quality and prediction is that of quality and ``1 / (1 + exp((x - m) / t))``. The search
    therefore has two dimensions; it starts at the best point of a grid that follows the
    distribution of the distances, and cannot invert the curve.

    Args:
      distances: ``[pairs]``, finite, not all equal.
      quality: ``[pairs]``, finite, higher is better.

    Returns:
      The fit; NaN and not converged if no falling curve is better than a constant, or if there are
      no more pairs than parameters.
    """
    if len(quality) <= _PARAMETERS:
        return NO_FIT
    spreads = _local_spreads(distances)
    unit = np.median(spreads)
    x = (distances - np.median(distances)) / unit
    y = (quality - quality.mean()) / quality.std()

    def residuals(parameters: np.ndarray) -> np.ndarray:
        location, log_scale = parameters
        curve = special.expit((location - x) / math.exp(log_scale))
        curve = curve - curve.mean()
        energy = curve @ curve
        slope = max(curve @ y, 0.0) / energy if energy > 0 else 0.0
        return y - slope * curve

    mean, deviation, spreads = x.mean(), x.std(), spreads / unit
    starts = np.concatenate(
        [
            _grid(np.quantile(x, _QUANTILES), np.outer(spreads, _LOCAL_SCALES)),
            _grid(mean + deviation * np.array(_LOCATIONS), deviation * np.array([_SCALES] * 4)),
        ]
    )
    start = min(starts, key=lambda point: np.sum(np.square(residuals(point))))
    margin, smallest = _LOCATION_BOUND * deviation, min(spreads.min(), deviation)
    scales = np.log([_SCALE_BOUNDS[0] * smallest, _SCALE_BOUNDS[1] * deviation])
    bounds = [mean - margin, scales[0]], [mean + margin, scales[1]]
    found = optimize.least_squares(
        residuals, start, bounds=bounds, x_scale="jac", xtol=1e-10, ftol=1e-12
    )
    prediction = y - residuals(found.x)
    if not _varies(prediction):
        return LogisticFit(math.nan, float(quality.std()), False)
    return LogisticFit(
        plcc=_pearson(prediction, y),
        rmse=float(np.sqrt(np.mean(np.square(y - prediction))) * quality.std()),
        converged=bool(found.success),
    )


def _local_spreads(values: np.ndarray) -> np.ndarray:
    """Spread of the values around each quantile; the standard deviation where many are tied."""
    below, above = (
        np.quantile(values, np.clip(_QUANTILES + offset, 0, 1)) for offset in (-_WINDOW, _WINDOW)
    )
    return np.where(above > below, above - below, values.std())


def _grid(locations: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Each location with each of its scales, ``[starts, 2]``; scales as logarithms."""
    return np.stack([np.repeat(locations, scales.shape[1]), np.log(scales).ravel()], axis=1)


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's rank correlation; ties share their rank.

    Args:
      x: ``[n]``.
      y: ``[n]``.

    Returns:
      The correlation in [-1, 1]; NaN if a value is not finite, or all values are equal.
    """
    if not (_varies(x) and _varies(y)):
        return math.nan
    return _pearson(stats.rankdata(x), stats.rankdata(y))


def _varies(values: np.ndarray) -> bool:
    return bool(np.isfinite(values).all()) and np.unique(values).size > 1


def _pearson(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.corrcoef(x, y)[0, 1])
