"""SSIMULACRA 2, structural similarity unveiling local and compression related artifacts.

Each image is converted to XYB, the opponent space of JPEG XL, at six scales; linear light is halved
between them. Three maps compare the images in every channel: a structural dissimilarity, edges that
the distorted image has gained, and edges that it has lost. The 1-norms and 4-norms of the maps are
weighted, and their sum becomes a score: 100 for identical images, about 90 where no difference is
seen, 70 for high, 50 for medium and 30 for low quality, below 0 for the worst.

The formulas are those of the author's program (github.com/cloudinary/ssimulacra2, version 2.1).
Its recursive filter accumulates rounding errors in float32: its scores differ from these by up to
0.1 for a photograph and by 0.4 for artificial images. With an exact filter instead, the program
agrees to 0.002. As in the program,

* pixels outside the image are 0, in the shifted XYB;
* a scale is followed by another if it is at least 8 pixels high and wide. With fewer than six, as
  for a side below 113 pixels, the first weights of the list are used, which belong to other scales
  and channels: scores of such small images have a meaning of their own.

The package ``ssimulacra2`` on PyPI has another Gaussian and mirrors images at two of their borders;
its scores differ by several units.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.images.linear_light import mixtures, srgb_to_linear
from iqa_jax.metrics.filters import box_downsample, local_moments
from iqa_jax.metrics.structural_similarity import joined, spatial_mean
from iqa_jax.readouts.safe import finite_or_nan, positive_power

LEAST_SIZE = 8
"""Least height and width; also those of a scale that is followed by another."""

_SCALES = 6


_WEIGHTS = (
    # red-green
    *(0, 0.0007376606707406586, 0, 0, 0.0007793481682867309, 0),
    *(0, 0.0004371155730107379, 0, 1.1041726426657346, 0.00066284834129271, 0.00015231632783718752),
    *(0, 0.0016406437456599754, 0, 1.8422455520539298, 11.441172603757666, 0),
    *(0.0007989109436015163, 0.000176816438078653, 0, 1.8787594979546387, 10.94906990605142, 0),
    *(
        0.0007289346991508072,
        0.9677937080626833,
        0,
        0.00014003424285435884,
        0.9981766977854967,
        0.00031949755934435053,
    ),
    *(0.0004550992113792063, 0, 0, 0.0013648766163243398, 0, 0),
    # luminance
    *(0, 0, 0, 7.466890328078848, 0, 17.445833984131262),
    *(0.0006235601634041466, 0, 0, 6.683678146179332, 0.00037724407979611296, 1.027889937768264),
    *(225.20515300849274, 0, 0, 19.213238186143016, 0.0011401524586618361, 0.001237755635509985),
    *(176.39317598450694, 0, 0, 24.43300999870476, 0.28520802612117757, 0.0004485436923833408),
    *(0, 0, 0, 34.77906344483772, 44.835625328877896, 0),
    *(0, 0, 0, 0, 0, 0),
    # blue-yellow
    *(0, 0.0008680556573291698, 0, 0, 0, 0),
    *(0, 0.0005313191874358747, 0, 0.00016533814161379112, 0, 0),
    *(0, 0, 0, 0.0004179171803251336, 0.0017290828234722833, 0),
    *(0.0020827005846636437, 0, 0, 8.826982764996862, 23.19243343998926, 0),
    *(
        95.1080498811086,
        0.9863978034400682,
        0.9834382792465353,
        0.0012286405048278493,
        171.2667255897307,
        0.9807858872435379,
    ),
    *(0, 0, 0, 0.0005130064588990679, 0, 0.00010854057858411537),
)
"""Weights of every channel, scale, norm (the 1-norm, the 4-norm) and map (dissimilarity, gained
edges, lost edges), a scale in a row."""

_SUM_SCALE = 0.9562382616834844
_CUBIC = 2.326765642916932, -0.020884521182843837, 6.248496625763138e-05
_EXPONENT = 0.6276336467831387
"""The score is ``100 - 10 * polynomial(weighted sum) ** _EXPONENT``."""

_C2 = 0.0009
"""Constant of the contrast structure. Luminance has no denominator: XYB is perceptually uniform."""

_ABSORBANCES = np.array(
    [
        [0.3, 0.622, 0.078],
        [0.23, 0.692, 0.078],
        [0.24342268924547819, 0.20476744424496821, 0.5518098665095535],
    ]
)
"""Linear RGB to the signals of the long, middle and short cones."""

_BIAS = 0.0037930732552754493
_X_SCALE, _X_OFFSET, _Y_OFFSET, _B_OFFSET = 14.0, 0.42, 0.01, 0.55
"""They move the channels of sRGB images into [0, 1]."""


def _cosine_window(sigma: float) -> tuple[float, ...]:
    """A Gaussian filter as a sum of three cosines, cut off at their common root.

    Charalampidis, "Recursive implementation of the Gaussian filter using truncated cosine
    functions", IEEE Trans. Signal Processing 64 (2016). The amplitudes are those nearest to the
    Fourier coefficients of the Gaussian that give the weights its sum and variance.
    """
    radius = round(3.2795 * sigma + 0.2546)
    frequencies = np.array([1, 3, 5]) * math.pi / (2 * radius)
    offsets = np.arange(1 - radius, radius)
    cosines = np.cos(frequencies[:, None] * offsets)
    fourier = np.exp(-np.square(sigma * frequencies) / 2) / radius
    moments = cosines @ np.stack([np.ones(offsets.size), np.square(offsets)], axis=1)
    missing = np.array([1, sigma**2]) - fourier @ moments
    amplitudes = fourier + missing @ np.linalg.pinv(moments)
    return tuple((amplitudes @ cosines).tolist())


_WINDOW = _cosine_window(sigma=1.5)
_MARGIN = len(_WINDOW) // 2


class Scale(NamedTuple):
    """One scale of an image: XYB with a black margin, means and variances, edges.

    ``[3, h + 8, w + 8]``, and three times ``[3, h, w]``.
    """

    planes: jax.Array
    means: jax.Array
    variances: jax.Array
    edges: jax.Array


def prepare(image: jax.Array) -> tuple[Scale, ...]:
    """Prepares one image, float32 ``[H, W, 3]`` in [0, 1], for any number of comparisons."""
    linear = srgb_to_linear(jnp.moveaxis(finite_or_nan(image), -1, 0))
    scales = [_scale(linear)]
    while len(scales) < _SCALES and min(linear.shape[1:]) >= LEAST_SIZE:
        linear = box_downsample(linear, 2)
        scales.append(_scale(linear))
    return tuple(scales)


def compare(reference: tuple[Scale, ...], distorted: tuple[Scale, ...]) -> jax.Array:
    """SSIMULACRA 2: 100 for identical images, lower for others, without a lower bound."""
    scales = [_norms(r, d) for r, d in zip(reference, distorted, strict=True)]
    norms = jnp.stack(scales, axis=1).reshape(-1)
    weighted = jnp.sum(norms * jnp.asarray(_WEIGHTS[: norms.size], jnp.float32)) * _SUM_SCALE
    first, second, third = _CUBIC
    error = weighted * (first + weighted * (second + weighted * third))
    return 100 - 10 * positive_power(error, _EXPONENT)


def _scale(linear: jax.Array) -> Scale:
    xyb = _xyb(linear)
    planes = jnp.pad(xyb, ((0, 0), (_MARGIN, _MARGIN), (_MARGIN, _MARGIN)))
    means, variances = local_moments(planes, _WINDOW)
    return Scale(*map(finite_or_nan, (planes, means, variances, jnp.abs(xyb - means))))


def _xyb(linear: jax.Array) -> jax.Array:
    """XYB ``[3, H, W]`` of linear RGB, about in [0, 1]; its third channel is B - Y."""
    long, middle, short = jnp.cbrt(mixtures(linear, _ABSORBANCES) + _BIAS) - _BIAS ** (1 / 3)
    x, y = (long - middle) / 2, (long + middle) / 2
    return jnp.stack([_X_SCALE * x + _X_OFFSET, y + _Y_OFFSET, short - y + _B_OFFSET])


def _norms(reference: Scale, distorted: Scale) -> jax.Array:
    """Norms of the maps of each channel: ``[3, 2, 3]``."""
    mean, variance = local_moments(reference.planes - distorted.planes, _WINDOW)
    contrast_structure = variance / (reference.variances + distorted.variances + _C2)
    dissimilarity = joined(jnp.square(mean), contrast_structure)
    gain = (distorted.edges - reference.edges) / (1 + reference.edges)
    maps = jnp.stack([dissimilarity, jnp.maximum(gain, 0), jnp.maximum(-gain, 0)], axis=1)
    fourth = positive_power(spatial_mean(jnp.square(jnp.square(maps))), 1 / 4)
    return jnp.stack([spatial_mean(maps), fourth], axis=1)
