"""Gradient magnitude similarity deviation, GMSD.

Xue, Zhang, Mou and Bovik, IEEE Trans. Image Processing 23 (2014).

With the magnitudes a and b of the gradients of two images at half their size, a position is similar
by ``(2 a b + T) / (a^2 + b^2 + T)``, and GMSD is the standard deviation of the similarities. The
values are those of the authors' script ``GMSD.m`` for the unrounded luma of images of 8 bits: means
of 2 x 2 pixels, Prewitt's filters, zeros outside the image, and the standard deviation with the
number of positions minus one. (piq divides by the number of positions.)
"""

import jax

from iqa_jax.metrics.filters import box_downsample
from iqa_jax.metrics.gradients import magnitudes, prewitt
from iqa_jax.metrics.gray import mixed_levels
from iqa_jax.metrics.local_similarity import dissimilarity, plane_variance
from iqa_jax.readouts.safe import guarded_sqrt

_T = 170.0
"""Constant of section II.B of the paper, for levels from 0 to 255."""

LEAST_SIZE = 3
"""At half the size there are two rows and columns; the deviation of one position would be 0."""

HIGHEST_SCORE = (1 / 3) ** 0.5
"""Upper bound: similarities lie in (0, 1], and there are at least four."""


def prepare(image: jax.Array) -> jax.Array:
    """Gradient magnitudes of one image, ``[ceil(H / 2), ceil(W / 2)]``."""
    luma = box_downsample(mixed_levels(image), 2, outside="zero")
    return magnitudes(prewitt(luma[0]))


def compare(reference: jax.Array, distorted: jax.Array) -> jax.Array:
    """GMSD: 0 for identical images, higher for others.

    The derivative is 0 where the score is 0.
    """
    dissimilarities = dissimilarity(reference, distorted, _T)
    return guarded_sqrt(plane_variance(dissimilarities, lost=1))
