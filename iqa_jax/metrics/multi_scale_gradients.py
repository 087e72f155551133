"""Multi-scale gradient magnitude similarity deviation, MS-GMSD, of luma.

Zhang, Sander and Bermak, "Gradient magnitude similarity deviation on multiple scales for color
image quality assessment", ICASSP (2017).

The similarity of gradients has a masking term, and the variances of the similarities at four scales
are averaged with weights; the score is the root. Details are those of piq's ``multi_scale_gmsd``:
unrounded luma, means of 2 x 2 pixels between scales, zeros outside the image, and variances with
the number of positions.
"""

import jax
import jax.numpy as jnp

from iqa_jax.metrics.filters import box_downsample
from iqa_jax.metrics.gradients import magnitudes, prewitt
from iqa_jax.metrics.gray import mixed_levels
from iqa_jax.metrics.local_similarity import dissimilarity, plane_variance
from iqa_jax.readouts.safe import guarded_sqrt

WEIGHTS = (0.096, 0.596, 0.289, 0.019)
"""Weights of the scales, from fine to coarse; they sum to 1."""

_T = 170.0
_MASKING = 0.5
"""Constants of the similarity, for levels from 0 to 255."""

LEAST_SIZE = 2 ** len(WEIGHTS) + 1
"""The shorter side, 17 pixels, as in piq; the coarsest scale has three rows or columns."""

HIGHEST_SCORE = 0.5
"""Upper bound: similarities lie in (0, 1]."""


def prepare(image: jax.Array) -> tuple[jax.Array, ...]:
    """Gradient magnitudes ``[h, w]`` of one image at each scale, from fine to coarse."""
    scales = [mixed_levels(image)]
    for _ in WEIGHTS[1:]:
        scales.append(box_downsample(scales[-1], 2, outside="zero"))
    return tuple(magnitudes(prewitt(scale[0])) for scale in scales)


def compare(reference: tuple[jax.Array, ...], distorted: tuple[jax.Array, ...]) -> jax.Array:
    """MS-GMSD: 0 for identical images, higher for others, at most 0.5.

    The derivative is 0 where the score is 0.
    """
    variances = [
        plane_variance(dissimilarity(r, d, _T, masking=_MASKING))
        for r, d in zip(reference, distorted, strict=True)
    ]
    weighted = [weight * each for weight, each in zip(WEIGHTS, variances, strict=True)]
    return guarded_sqrt(jnp.sum(jnp.stack(weighted)))
