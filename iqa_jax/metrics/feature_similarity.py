"""Feature similarity: FSIM of luma, and FSIMc with colour.

Zhang, Zhang, Mou and Zhang, IEEE Trans. Image Processing 20 (2011).

A position is similar by the product of the similarities of phase congruency and of gradients, and
in FSIMc by a small power of those of two chroma planes; positions weigh by the higher phase
congruency of the two images. The values are those of the authors' script ``FeatureSIM.m``: images
of more than 384 pixels are downsampled by means of f x f pixels with
``f = round(min(H, W) / 256)``, halves upwards (piq rounds them to even numbers), with zeros outside
the image, and of a complex power the real part counts.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from iqa_jax.metrics import phase_congruency
from iqa_jax.metrics.filters import box_downsample
from iqa_jax.metrics.gradients import magnitudes, scharr
from iqa_jax.metrics.gray import YIQ, mixed_levels
from iqa_jax.metrics.local_similarity import dissimilarity, power_losses, weighted_plane_mean
from iqa_jax.metrics.structural_similarity import joined, viewing_factor

_T1, _T2, _T3 = 0.85, 160.0, 200.0
_CHROMA_EXPONENT = 0.03
"""Constants of sections III and IV of the paper, for levels from 0 to 255."""

LEAST_SIZE = phase_congruency.LEAST_SIZE


class Prepared(NamedTuple):
    """One image, downsampled.

    Attributes:
      congruency: Phase congruency of luma, ``[h, w]``.
      gradients: Gradient magnitudes of luma, ``[h, w]``.
      chroma: I and Q, ``[2, h, w]``.
    """

    congruency: jax.Array
    gradients: jax.Array
    chroma: jax.Array


def prepare(image: jax.Array) -> Prepared:
    """Prepares one image, float32 ``[H, W, 3]`` in [0, 1]."""
    factor = viewing_factor(*image.shape[:2])
    planes = box_downsample(mixed_levels(image, YIQ), factor, outside="zero")
    luma = planes[0]
    return Prepared(phase_congruency.congruency(luma), magnitudes(scharr(luma)), planes[1:])


def compare(reference: Prepared, distorted: Prepared) -> jax.Array:
    """FSIM: 1 for identical images, lower for others, above 0.

    Two flat images have no features that could weigh: every position weighs the same.
    """
    return 1 - weighted_plane_mean(_losses(reference, distorted), _weights(reference, distorted))


def compare_colours(reference: Prepared, distorted: Prepared) -> jax.Array:
    """FSIMc, as :func:`compare`.

    Where a product of chroma similarities is 0 but for rounding, as in an image and its negative,
    its small power is not: there, scores in float32 and float64 differ in the fifth digit.
    """
    of_chroma = joined(*dissimilarity(reference.chroma, distorted.chroma, _T3))
    of_chroma, _ = power_losses(of_chroma, _CHROMA_EXPONENT)
    losses = joined(_losses(reference, distorted), of_chroma)
    return 1 - weighted_plane_mean(losses, _weights(reference, distorted))


def _losses(reference: Prepared, distorted: Prepared) -> jax.Array:
    of_congruency = dissimilarity(reference.congruency, distorted.congruency, _T1)
    return joined(of_congruency, dissimilarity(reference.gradients, distorted.gradients, _T2))


def _weights(reference: Prepared, distorted: Prepared) -> jax.Array:
    return jnp.maximum(reference.congruency, distorted.congruency)
