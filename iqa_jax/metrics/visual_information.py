"""Visual information fidelity in the domain of pixels.

Sheikh and Bovik, IEEE Trans. Image Processing 15 (2006), and their script ``vifp_mscale.m``.

At four scales, in a Gaussian window around each position, the distorted image is modelled as a gain
times the reference plus noise. The score is the information that it conveys of the reference
through noise of the eye, divided by that of the reference itself::

    sum(log(1 + gain^2 variance_r / (variance_noise + 2))) / sum(log(1 + variance_r / 2))

The values are those of the script for the unrounded luma, from 0 to 255. The paper's own VIF is in
the domain of wavelets and gives other numbers.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from iqa_jax.metrics.filters import gaussian, local_covariance, local_moments, weighted_mean
from iqa_jax.metrics.gray import mixed_levels
from iqa_jax.readouts.safe import ratio

_WINDOW_SIZES = (17, 9, 5, 3)
_WINDOWS = tuple(gaussian(size, sigma=size / 5) for size in _WINDOW_SIZES)
"""Windows of the scales, from fine to coarse. They lie wholly inside the image, and each also blurs
the next finer scale before its every other position is taken."""

_EYE_VARIANCE = 2.0
_LEAST_VARIANCE = 1e-10
"""Constants of the script, in squared levels; a lower variance counts as none."""

LEAST_SIZE = 41
"""The shorter side at which a window fits into the coarsest scale."""


class Prepared(NamedTuple):
    """One image at one scale: luma ``[h, w]`` without its first value, and local variances."""

    plane: jax.Array
    variances: jax.Array


def prepare(image: jax.Array) -> tuple[Prepared, ...]:
    """Prepares one image at each scale, from fine to coarse."""
    (plane,) = mixed_levels(image)
    # Differences from one of its values: a flat image has a variance of exactly 0.
    plane -= jax.lax.stop_gradient(plane[0, 0])
    scales = [_prepared(plane, _WINDOWS[0])]
    for window in _WINDOWS[1:]:
        blurred = weighted_mean(weighted_mean(scales[-1].plane, window, -1), window, -2)
        scales.append(_prepared(blurred[::2, ::2], window))
    return tuple(scales)


def compare(reference: tuple[Prepared, ...], distorted: tuple[Prepared, ...]) -> jax.Array:
    """VIF: 1 for identical images, lower for most others, from 0; above 1 for more contrast.

    Not symmetric. A reference that is flat everywhere has no information to lose: the score is 1,
    where the script returns NaN.
    """
    scales = [
        _information(r, d, window)
        for r, d, window in zip(reference, distorted, _WINDOWS, strict=True)
    ]
    conveyed, whole = jnp.sum(jnp.stack(scales), axis=0)
    return 1 + ratio(conveyed - whole, whole)


def _prepared(plane: jax.Array, window: tuple[float, ...]) -> Prepared:
    _, variances = local_moments(plane, window)
    return Prepared(plane, variances)


def _information(reference: Prepared, distorted: Prepared, window: tuple[float, ...]) -> jax.Array:
    """Information that the distorted image and the reference convey, summed over positions: [2]."""
    change = distorted.plane - reference.plane
    _, change_variances = local_moments(change, window)
    covariances = local_covariance(change, reference.plane, window)
    signal = jnp.where(reference.variances < _LEAST_VARIANCE, 0.0, reference.variances)
    # The gain is 1 for identical images, and the noise 0, whatever is rounded.
    change_gain = ratio(covariances, signal)
    gain = 1 + change_gain
    noise = jnp.maximum(change_variances - change_gain * covariances, 0.0)
    is_lost = (gain <= 0) | (distorted.variances < _LEAST_VARIANCE)
    conveyed = jnp.where(is_lost, 0.0, jnp.square(gain) * signal / (noise + _EYE_VARIANCE))
    whole = signal / _EYE_VARIANCE
    sums = jnp.sum(jnp.log1p(jnp.stack([conveyed, whole])), axis=-1)
    return jnp.sum(sums, axis=-1)
