"""FLIP, a difference evaluator for alternating images (Andersson et al., HPG 2020).

FLIP is the mean over pixels of the error seen when the two images are shown in turn. The colour
error c in [0, 1] compares the images in a perceptually uniform space, blurred by the contrast
sensitivity of the eye. The feature error f in [0, 1] is the difference of their edges or of their
points, whichever is larger. The error of a pixel is ``c ** (1 - f)``. Images
are of low dynamic range.

The values are those of NVIDIA's evaluator (``flip-evaluator`` 1.7). The authors' loss in PyTorch
bounds some differences from below to stabilise training; here identical images differ by 0.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.images.linear_light import mixtures, srgb_to_linear
from iqa_jax.metrics.filters import gaussian, weighted_deviation, weighted_mean
from iqa_jax.metrics.structural_similarity import spatial_mean
from iqa_jax.readouts.safe import finite_or_nan, guarded_sqrt, positive_power

PIXELS_PER_DEGREE = 0.7 * 3840 / 0.7 * math.pi / 180
"""Pixels per degree of visual angle, 67.02: seen from 0.7 m, a display 0.7 m and 3840 pixels wide,
the default of the authors."""

PIXELS_PER_DEGREE_RANGE = 1, 1000
"""Least and greatest number of pixels per degree. With fewer, the filters are all zeros in the
authors' program, and it has no score."""

HIGHEST_SCORE = 1.0
"""Upper bound: the errors of the pixels lie in [0, 1]."""

_XYZ = np.array(
    [
        [10135552 / 24577794, 8788810 / 24577794, 4435075 / 24577794],
        [2613072 / 12288897, 8788810 / 12288897, 887015 / 12288897],
        [1425312 / 73733382, 8788810 / 73733382, 70074185 / 73733382],
    ]
)
"""Linear RGB to XYZ, from the chromaticities of sRGB with the white of D65."""

_RELATIVE_XYZ = _XYZ / _XYZ.sum(axis=1, keepdims=True)
"""Linear RGB to XYZ divided by that of white."""

_OPPONENT = np.array([[0.0, 1, 0], [1, -1, 0], [0, 1, -1]])
"""XYZ to luminance, red-green and blue-yellow. The authors scale them by 116, 500 and 200, which
linear filters do not change."""

_TO_OPPONENT = _OPPONENT @ _RELATIVE_XYZ
_FROM_OPPONENT = np.linalg.inv(_TO_OPPONENT)

_CHANNELS = 0, 1, 2, 2
_SQUARED_WIDTHS = np.array([0.0047, 0.0053, 0.04, 0.025])
_AMPLITUDES = np.array([1.0, 1.0, 34.1, 13.5]) / np.sqrt(_SQUARED_WIDTHS)
"""Contrast sensitivities: a Gaussian for luminance and red-green, the sum of two for blue-yellow,
with squared widths in degrees."""

_COLOUR_EXPONENT, _FEATURE_EXPONENT = 0.7, 0.5
_KNEE, _KNEE_ERROR = 0.4, 0.95
"""A colour distance of ``_KNEE`` times the greatest is an error of ``_KNEE_ERROR``; the errors are
linear below and above."""

_FEATURE_WIDTH = 0.082
"""Width of the eye's edge detector in degrees, from peak to trough: two standard deviations."""

_LAB_END, _LAB_SLOPE, _LAB_OFFSET = (6 / 29) ** 3, (29 / 6) ** 2 / 3, 4 / 29
"""CIELAB's linear part for dark colours."""


class Prepared(NamedTuple):
    """One image: colours ``[3, H, W]``, strengths of edges and of points ``[2, H, W]``."""

    colours: jax.Array
    features: jax.Array


def prepare(image: jax.Array, pixels_per_degree: float = PIXELS_PER_DEGREE) -> Prepared:
    """Prepares one image, float32 ``[H, W, 3]`` in [0, 1], for any number of comparisons.

    Args:
      image: sRGB image.
      pixels_per_degree: Number of pixels per degree of visual angle.
    """
    linear = srgb_to_linear(jnp.moveaxis(finite_or_nan(image), -1, 0))
    opponents = mixtures(linear, _TO_OPPONENT)
    seen = mixtures(_seen(opponents, pixels_per_degree), _FROM_OPPONENT)
    colours = _uniform(jnp.clip(seen, 0, 1))
    features = _features(opponents[0], pixels_per_degree)
    return Prepared(finite_or_nan(colours), finite_or_nan(features))


def compare_maps(reference: Prepared, distorted: Prepared) -> jax.Array:
    """FLIP error at each pixel, ``[H, W]`` in [0, 1]."""
    distances = _distances(reference.colours, distorted.colours)
    compressed = _compressed(positive_power(distances, _COLOUR_EXPONENT))
    change = jnp.max(jnp.abs(reference.features - distorted.features), axis=0)
    return positive_power(compressed, 1 - positive_power(change / math.sqrt(2), _FEATURE_EXPONENT))


def compare(reference: Prepared, distorted: Prepared) -> jax.Array:
    """FLIP, the mean error: 0 for identical images, at most 1."""
    return spatial_mean(compare_maps(reference, distorted))


def _seen(opponents: jax.Array, pixels_per_degree: float) -> jax.Array:
    """Opponent channels ``[3, H, W]``, each blurred by its contrast sensitivity."""
    # The Gaussian exp(-(pi x)^2 / b) has a variance of b / (2 pi^2).
    deviations = np.sqrt(_SQUARED_WIDTHS / 2) / math.pi * pixels_per_degree
    radius = math.ceil(3 * deviations.max())
    weights = _per_plane(*(gaussian(2 * radius + 1, deviation) for deviation in deviations))
    padded = _continued(opponents[np.array(_CHANNELS)], radius)
    blurred = weighted_mean(weighted_mean(padded, weights, axis=-1), weights, axis=-2)
    # Their integrals over the filter's square are the shares of the two Gaussians of blue-yellow.
    offsets = np.arange(-radius, radius + 1) / deviations[:, None]
    integrals = _AMPLITUDES * np.exp(-np.square(offsets) / 2).sum(axis=1) ** 2
    narrow, wide = (integrals[2:] / integrals[2:].sum()).tolist()
    return jnp.stack([blurred[0], blurred[1], narrow * blurred[2] + wide * blurred[3]])


def _uniform(linear: jax.Array) -> jax.Array:
    """CIELAB of linear RGB ``[3, H, W]``, with chroma that grows with lightness (Hunt effect)."""
    relative = mixtures(linear, _RELATIVE_XYZ)
    is_dark = relative <= _LAB_END
    roots = jnp.cbrt(jnp.where(is_dark, 1.0, relative))
    x, y, z = jnp.where(is_dark, _LAB_SLOPE * relative + _LAB_OFFSET, roots)
    lightness = 116 * y - 16
    hunt = 0.01 * lightness
    return jnp.stack([lightness, hunt * 500 * (x - y), hunt * 200 * (y - z)])


def _distances(reference: jax.Array, distorted: jax.Array) -> jax.Array:
    """Sums of the difference in lightness and the Euclidean one in chroma (HyAB)."""
    lightness, a, b = reference - distorted
    return jnp.abs(lightness) + guarded_sqrt(jnp.square(a) + jnp.square(b))


def _greatest_power() -> float:
    """Power of the distance of green and blue, the greatest of all."""
    colours = []
    for channel in (1, 2):
        relative = _RELATIVE_XYZ[:, channel]
        dark = _LAB_SLOPE * relative + _LAB_OFFSET
        x, y, z = np.where(relative <= _LAB_END, dark, np.cbrt(relative))
        lightness = 116 * y - 16
        chroma = np.array([500 * (x - y), 200 * (y - z)])
        colours.append((lightness, 0.01 * lightness * chroma))
    (green, of_green), (blue, of_blue) = colours
    distance = abs(green - blue) + np.linalg.norm(of_green - of_blue)
    return float(distance**_COLOUR_EXPONENT)


_GREATEST = _greatest_power()


def _compressed(powers: jax.Array) -> jax.Array:
    """Colour errors in [0, 1] of powers of distances."""
    knee = _KNEE * _GREATEST
    above = (powers - knee) / (_GREATEST - knee)
    return jnp.where(
        powers < knee, powers * (_KNEE_ERROR / knee), _KNEE_ERROR + (1 - _KNEE_ERROR) * above
    )


def _features(luminance: jax.Array, pixels_per_degree: float) -> jax.Array:
    """Lengths of the first and of the second derivatives of luminance: ``[2, H, W]``."""
    deviation = _FEATURE_WIDTH / 2 * pixels_per_degree
    radius = math.ceil(3 * deviation)
    offsets = np.arange(-radius, radius + 1)
    bell = np.exp(-np.square(offsets / deviation) / 2)
    slope, curvature = -offsets * bell, (np.square(offsets / deviation) - 1) * bell
    weights = _per_plane(_balanced(slope), _balanced(curvature))
    padded = jnp.stack([_continued(luminance, radius)] * 2)

    def squares(axis: int, other: int) -> jax.Array:
        smooth = weighted_mean(padded, gaussian(2 * radius + 1, deviation), other)
        return jnp.square(weighted_deviation(smooth, weights, axis))

    return guarded_sqrt(squares(-1, -2) + squares(-2, -1))


def _balanced(weights: np.ndarray) -> np.ndarray:
    """Weights of which the positive ones sum to 1 and the negative ones to -1."""
    positive, negative = weights[weights > 0].sum(), -weights[weights < 0].sum()
    return np.where(weights > 0, weights / positive, weights / negative)


def _per_plane(*weights: Sequence[float] | np.ndarray) -> np.ndarray:
    return np.stack(weights, axis=1)[..., None, None]


def _continued(planes: jax.Array, margin: int) -> jax.Array:
    """Planes ``[..., H, W]`` with their outermost values repeated on each side."""
    widths = ((0, 0),) * (planes.ndim - 2) + ((margin, margin),) * 2
    return jnp.pad(planes, widths, mode="edge")
