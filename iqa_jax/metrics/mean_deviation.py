"""Mean deviation similarity index, MDSI.

Nafchi, Shahkolaei, Hedjam and Cheriet, IEEE Access 4 (2016).

A position is similar by a weighted sum of the similarity of gradients, of two images and of each
with their mean, and of the similarity of two chroma planes. The score is the fourth root of the
mean absolute deviation of the fourth roots of the similarities. The values are those of the
authors' script ``MDSI.m`` with its sum as the combination: images of more than 384 pixels are
downsampled by means of f x f pixels with ``f = round(min(H, W) / 256)``, halves upwards (piq rounds
them to even numbers), with zeros outside the image. The fourth root of a negative similarity is a
complex number.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from iqa_jax.metrics.filters import box_downsample
from iqa_jax.metrics.gradients import magnitudes, prewitt
from iqa_jax.metrics.gray import mixed_levels
from iqa_jax.metrics.local_similarity import dissimilarity, power_losses
from iqa_jax.metrics.structural_similarity import spatial_mean, viewing_factor
from iqa_jax.readouts.safe import guarded_sqrt

_LHM = ((0.2989, 0.5870, 0.1140), (0.30, 0.04, -0.35), (0.34, -0.60, 0.17))
_C1, _C2, _C3 = 140.0, 55.0, 550.0
_GRADIENT_SHARE = 0.6
"""Constants of sections II and III of the paper, for levels from 0 to 255."""

LEAST_SIZE = 2
"""The deviation of a single position would be 0."""

HIGHEST_SCORE = 0.873
"""Upper bound. A similarity is from -1 to 1.6, so its fourth root is a real number up to 1.125 or
lies between 0 and ``exp(i pi / 4)``. A circle with the radius 0.581 holds all of these, so the mean
deviation is at most 0.581, and the score is its fourth root."""


class Prepared(NamedTuple):
    """One image, downsampled: gradients of luma and chroma, both ``[2, h, w]``."""

    gradients: jax.Array
    chroma: jax.Array


def prepare(image: jax.Array) -> Prepared:
    """Prepares one image, float32 ``[H, W, 3]`` in [0, 1]."""
    factor = viewing_factor(*image.shape[:2])
    planes = box_downsample(mixed_levels(image, _LHM), factor, outside="zero")
    return Prepared(prewitt(planes[0]), planes[1:])


def compare(reference: Prepared, distorted: Prepared) -> jax.Array:
    """MDSI: 0 for identical images, higher for others.

    Not symmetric. The derivative is 0 where the score is 0.
    """
    r, d = magnitudes(reference.gradients), magnitudes(distorted.gradients)
    fused = magnitudes((reference.gradients + distorted.gradients) / 2)
    of_gradients = dissimilarity(r, d, _C1) + dissimilarity(d, fused, _C2)
    of_gradients -= dissimilarity(r, fused, _C2)
    squares = jnp.square(reference.chroma) + jnp.square(distorted.chroma)
    differences = jnp.square(reference.chroma - distorted.chroma)
    of_chroma = jnp.sum(differences, axis=0) / (jnp.sum(squares, axis=0) + _C3)
    joined = _GRADIENT_SHARE * of_gradients + (1 - _GRADIENT_SHARE) * of_chroma
    return _fourth_root(spatial_mean(_deviations(*power_losses(joined, 0.25))))


def _deviations(real: jax.Array, imaginary: jax.Array) -> jax.Array:
    """Distances of complex numbers ``[h, w]`` from their mean."""
    real, imaginary = (each - spatial_mean(each) for each in (real, imaginary))
    # A square would underflow for small numbers.
    length = guarded_sqrt(jnp.square(real) + jnp.square(imaginary))
    return jnp.where(imaginary == 0, jnp.abs(real), length)


def _fourth_root(number: jax.Array) -> jax.Array:
    """Fourth root of a number >= 0, with a derivative of 0 at 0."""
    return guarded_sqrt(guarded_sqrt(number))
