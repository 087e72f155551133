"""Intervals for networks like these: readers are networks, cases are references.

Networks share the images that test them. Their spread alone would miss the noise that all of them
have in common, so its covariance, from the pseudo-values, is added: the analysis of many readers
and many cases by Obuchowski and Rockette (1995, Communications in Statistics: Simulation and
Computation 24) with the degrees of freedom of Hillis (2007, Statistics in Medicine 26).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from iqa_jax.study.estimates import Estimate
from iqa_jax.study.pseudovalues import Sample

LEAST = 2
"""Minimum number of networks, or of families of them, on each side of a comparison."""


@dataclass(frozen=True)
class Side:
    """Exchangeable networks, or families of them, whose mean takes part in a comparison.

    Attributes:
      sign: Factor of their mean.
      weights: Weights of the columns for each of them, ``[columns]`` or ``[2, columns]``.
    """

    sign: float
    weights: Sequence[np.ndarray]


def comparison_weights(sides: Sequence[Side]) -> np.ndarray:
    """Weights of the columns for a comparison of means: the estimate for these networks.

    Args:
      sides: The sides of the comparison.
    """
    return sum(
        (side.sign * sum(side.weights, np.zeros(())) / len(side.weights) for side in sides),
        np.zeros(()),
    )


def networks_estimate(sample: Sample, sides: Sequence[Side]) -> Estimate | None:
    """A comparison of means of networks, with the errors of networks and of images.

    Args:
      sample: Correlations of a dataset.
      sides: One side for a mean, or two for a difference.

    Returns:
      The estimate; None if a side has fewer than two networks.
    """
    if any(len(side.weights) < LEAST for side in sides):
        return None
    values = [np.array([sample.value(each) for each in side.weights]) for side in sides]
    common = max(_covariances(sample, sides), default=0.0)
    return pooled_estimate([side.sign for side in sides], values, common)


def pooled_estimate(
    signs: Sequence[float], values: Sequence[np.ndarray], covariance: float
) -> Estimate:
    """A comparison of means of readers that share their cases.

    With ``MS`` the variance of n readers, the variance of their mean is
    ``(MS + n covariance) / n``, and the degrees of freedom are
    ``(MS + n covariance)^2 / (MS^2 / (n - 1))``. Several sides add their variances, with the
    degrees of freedom of Satterthwaite.

    Args:
      signs: Factor of the mean of each side.
      values: Values of the readers of each side, at least two each.
      covariance: Variance of the comparison that is common to all readers of a side; a negative
        estimate counts as 0.
    """
    spread = [
        sign**2 * each.var(ddof=1) / len(each) for sign, each in zip(signs, values, strict=True)
    ]
    variance = sum(spread) + max(covariance, 0.0)
    value = sum(sign * each.mean() for sign, each in zip(signs, values, strict=True))
    of_spread = sum(each**2 / (len(side) - 1) for each, side in zip(spread, values, strict=True))
    df = variance**2 / of_spread if of_spread > 0 else np.inf
    return Estimate(float(value), float(np.sqrt(variance)), float(df))


def _covariances(sample: Sample, sides: Sequence[Side]) -> list[float]:
    """Variance that is common to all networks of a side, on each part of the references."""
    found = []
    signs = np.array([side.sign for side in sides])
    stacked = [np.broadcast_arrays(*side.weights) for side in sides]
    halves = 2 if any(each.ndim == 2 for side in stacked for each in side) else 0
    for number in range(max(halves, 1)):
        part = sample.halves[number] if halves else sample.whole
        psi = [
            np.stack([_of_part(part.psi, each, number) for each in side], axis=1)
            for side in stacked
        ]
        sizes = [each.shape[1] for each in psi]
        all_of_them = np.cov(np.concatenate(psi, axis=1), rowvar=False) / len(psi[0])
        ends = np.cumsum([0, *sizes])
        blocks = np.empty((len(sides), len(sides)))
        for a in range(len(sides)):
            for b in range(len(sides)):
                block = all_of_them[ends[a] : ends[a + 1], ends[b] : ends[b + 1]]
                apart = block[~np.eye(len(block), dtype=bool)] if a == b else block
                blocks[a, b] = apart.mean()
        found.append(float(signs @ blocks @ signs))
    return found


def _of_part(psi: np.ndarray, weights: np.ndarray, part: int) -> np.ndarray:
    """Pseudo-values of a contrast on a part of the references."""
    of_part = weights[part] if weights.ndim == 2 else weights
    used = np.flatnonzero(of_part)
    return psi[:, used] @ of_part[used]
