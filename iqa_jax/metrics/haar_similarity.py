"""Haar wavelet-based perceptual similarity index, HaarPSI.

Reisenhofer, Bosse, Kutyniok and Wiegand, Signal Processing: Image Communication 61 (2018).

In two orientations, Haar coefficients of two fine scales of luma are compared, and those of a third
scale weigh the positions; the means of 2 x 2 pixels of two chroma planes are compared, too. With
the local similarities s and weights w, the score is ``(logit(sum(w sigmoid(a s)) / sum(w)) /
a)^2``. The values are those of the authors' scripts ``HaarPSI.m`` and ``haarPsi.py`` for images in
colour, with their subsampling to half the size: zeros outside the image, unrounded YIQ of three
digits. (piq has four digits, which changes the fourth digit of the score.)
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from iqa_jax.metrics.filters import box_downsample
from iqa_jax.metrics.gray import YIQ, mixed_levels
from iqa_jax.metrics.local_similarity import dissimilarity
from iqa_jax.metrics.structural_similarity import spatial_mean
from iqa_jax.readouts.safe import finite_or_nan, ratio

_C = 30.0
_ALPHA = 4.2
"""Constants of section 2.3 of the paper, for levels from 0 to 255."""

_COMPARED_SIZES = (2, 4)
_WEIGHING_SIZE = 8
"""Widths of the wavelets in pixels."""


class Prepared(NamedTuple):
    """One image at half its size, all values >= 0.

    Attributes:
      details: Haar coefficients of luma, ``[scale, orientation, h, w]``.
      weights: Haar coefficients of the third scale, ``[orientation, h, w]``.
      chroma: Means of I and Q in 2 x 2 windows, ``[2, h, w]``.
    """

    details: jax.Array
    weights: jax.Array
    chroma: jax.Array


def prepare(image: jax.Array) -> Prepared:
    """Prepares one image, float32 ``[H, W, 3]`` in [0, 1]."""
    luma, *chroma = box_downsample(mixed_levels(image, YIQ), 2, outside="zero")
    return Prepared(
        jnp.stack([_haar(luma, size) for size in _COMPARED_SIZES]),
        _haar(luma, _WEIGHING_SIZE),
        finite_or_nan(jnp.abs(_window_means(jnp.stack(chroma)))),
    )


def compare(reference: Prepared, distorted: Prepared) -> jax.Array:
    """HaarPSI: 1 for identical images, lower for others, above 0.

    Two black images, without any weight, have the score 1; the authors' scripts return NaN.
    """
    of_details = jnp.mean(dissimilarity(reference.details, distorted.details, _C), axis=0)
    of_chroma = jnp.mean(dissimilarity(reference.chroma, distorted.chroma, _C), axis=0)
    dissimilarities = _ALPHA * jnp.concatenate([of_details, of_chroma[None]])
    weights = jnp.maximum(reference.weights, distorted.weights)
    weights = jnp.concatenate([weights, jnp.mean(weights, axis=0, keepdims=True)])
    # The logistic function is nearly flat at 1, where similar images are. Instead of its mean, this
    # is the mean of what it loses from there, divided by 1 - sigmoid(a), which keeps the digits.
    losses = jnp.expm1(dissimilarities) * jax.nn.sigmoid(_ALPHA - dissimilarities)
    sums = [jnp.mean(spatial_mean(each)) for each in (losses * weights, weights)]
    loss = ratio(*sums)
    slope = (jnp.log1p(-jnp.exp(-_ALPHA) * loss) - jnp.log1p(loss)) / _ALPHA
    return jnp.square(1 + slope)


def _haar(luma: jax.Array, size: int) -> jax.Array:
    """Absolute Haar coefficients ``[2, h, w]`` of windows of a size, across rows and columns."""
    half = size // 2
    padded = jnp.pad(luma, (((size - 1) // 2, half),) * 2)
    halves = [_running_sums(padded, half, axis) for axis in (0, 1)]
    differences = [
        _running_sums(halves[0][half:] - halves[0][:-half], size, 1),
        _running_sums(halves[1][:, half:] - halves[1][:, :-half], size, 0),
    ]
    return finite_or_nan(jnp.abs(jnp.stack(differences)) / size)


def _running_sums(plane: jax.Array, size: int, axis: int) -> jax.Array:
    """Sums of a power of two of neighbours along an axis."""
    width = 1
    while width < size:
        end = plane.shape[axis] - width
        plane = jax.lax.slice_in_dim(plane, 0, end, axis=axis) + jax.lax.slice_in_dim(
            plane, width, end + width, axis=axis
        )
        width *= 2
    return plane


def _window_means(planes: jax.Array) -> jax.Array:
    """Means of 2 x 2 windows that begin at each position, with zeros outside the image."""
    padded = jnp.pad(planes, ((0, 0), (0, 1), (0, 1)))
    rows = padded[:, :-1] + padded[:, 1:]
    return (rows[..., :-1] + rows[..., 1:]) / 4
