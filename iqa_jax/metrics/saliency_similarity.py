"""Visual saliency-induced index, VSI.

Zhang, Shen and Li, IEEE Trans. Image Processing 23 (2014).

A position is similar by the product of the similarity of saliency and of small powers of those of
gradients and of two chroma planes; positions weigh by the higher saliency of the two images. The
values are those of the authors' script ``VSI.m``: saliency at 256 x 256 pixels, resized as MATLAB
does, then everything downsampled by means of f x f pixels with ``f = round(min(H, W) / 256)``,
halves upwards, with zeros outside the image, and of a complex power the real part counts. (piq
resizes without antialiasing, rounds halves to even numbers, and clips the negative ones.)
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from iqa_jax.metrics.filters import box_downsample
from iqa_jax.metrics.gradients import magnitudes, scharr
from iqa_jax.metrics.gray import mixed_levels
from iqa_jax.metrics.local_similarity import dissimilarity, power_losses, weighted_plane_mean
from iqa_jax.metrics.salient_positions import saliency
from iqa_jax.metrics.structural_similarity import joined, viewing_factor

_LMN = ((0.06, 0.63, 0.27), (0.30, 0.04, -0.35), (0.34, -0.60, 0.17))
_C1, _C2, _C3 = 1.27, 386.0, 130.0
_GRADIENT_EXPONENT, _CHROMA_EXPONENT = 0.40, 0.02
"""Constants of section III of the paper, for levels from 0 to 255 and saliency from 0 to 1."""


class Prepared(NamedTuple):
    """One image, downsampled.

    Attributes:
      saliency: ``[h, w]`` in [0, 1].
      gradients: Gradient magnitudes of lightness, ``[h, w]``.
      chroma: M and N, ``[2, h, w]``.
    """

    saliency: jax.Array
    gradients: jax.Array
    chroma: jax.Array


def prepare(image: jax.Array) -> Prepared:
    """Prepares one image, float32 ``[H, W, 3]`` in [0, 1]."""
    factor = viewing_factor(*image.shape[:2])
    planes = jnp.concatenate([saliency(image)[None], mixed_levels(image, _LMN)])
    salient, lightness, *chroma = box_downsample(planes, factor, outside="zero")
    return Prepared(salient, magnitudes(scharr(lightness)), jnp.stack(chroma))


def compare(reference: Prepared, distorted: Prepared) -> jax.Array:
    """VSI: 1 for identical images, lower for others, above 0.

    Two flat images have nothing salient that could weigh, and the script returns NaN for one: every
    position weighs the same in two, and a flat image has the saliency 0.
    """
    of_saliency = dissimilarity(reference.saliency, distorted.saliency, _C1)
    of_gradients = dissimilarity(reference.gradients, distorted.gradients, _C2)
    of_gradients, _ = power_losses(of_gradients, _GRADIENT_EXPONENT)
    of_chroma = joined(*dissimilarity(reference.chroma, distorted.chroma, _C3))
    of_chroma, _ = power_losses(of_chroma, _CHROMA_EXPONENT)
    losses = joined(joined(of_saliency, of_gradients), of_chroma)
    weights = jnp.maximum(reference.saliency, distorted.saliency)
    return 1 - weighted_plane_mean(losses, weights)
