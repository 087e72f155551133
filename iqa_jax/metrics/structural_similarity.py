"""Structural similarity (Wang, Bovik, Sheikh and Simoncelli, IEEE Trans. Image Processing 2004).

With means, variances and the covariance in a Gaussian window around each position::

    luminance          = (2 mean_r mean_d + C1) / (mean_r^2 + mean_d^2 + C1)
    contrast structure = (2 covariance + C2) / (variance_r + variance_d + C2)

and SSIM is the mean over positions of their product. Both factors are computed as one minus a
dissimilarity, which is the same number without the loss of digits for similar images::

    1 - luminance          = mean(r - d)^2 / (mean_r^2 + mean_d^2 + C1)
    1 - contrast structure = variance(r - d) / (variance_r + variance_d + C2)
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp

from iqa_jax.metrics.filters import box_downsample, gaussian, local_moments
from iqa_jax.metrics.gray import PEAK, gray_levels, rgb_levels

WINDOW_SIZE = 11
_WINDOW = gaussian(WINDOW_SIZE, sigma=1.5)
_C1, _C2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
"""Section III.C of the paper; windows lie wholly inside the image, as in the authors' script."""

_VIEWED_SIZE = 256
"""The authors' script downsamples until the shorter side is near this number of pixels."""


class Prepared(NamedTuple):
    """One image: its levels ``[C, H, W]``, and their local moments ``[C, H - 10, W - 10]``."""

    planes: jax.Array
    means: jax.Array
    variances: jax.Array


def prepare(planes: jax.Array) -> Prepared:
    """Prepares one image, ``[C, H, W]`` in [0, 255], for any number of comparisons."""
    return Prepared(planes, *local_moments(planes, _WINDOW))


def dissimilarities(reference: Prepared, distorted: Prepared) -> tuple[jax.Array, jax.Array]:
    """One minus luminance, one minus contrast structure: each ``[C, h, w]``, 0 if identical."""
    mean, variance = local_moments(reference.planes - distorted.planes, _WINDOW)
    squares = jnp.square(reference.means) + jnp.square(distorted.means)
    luminance = jnp.square(mean) / (squares + _C1)
    contrast_structure = variance / (reference.variances + distorted.variances + _C2)
    return luminance, contrast_structure


def joined(luminance: jax.Array, contrast_structure: jax.Array) -> jax.Array:
    """One minus the product of the two factors."""
    return luminance + contrast_structure - luminance * contrast_structure


def spatial_mean(planes: jax.Array) -> jax.Array:
    """The mean of each plane: ``[C, h, w]`` to ``[C]``."""
    # Row by row: the sums stay short, which keeps float32 exact.
    return jnp.mean(jnp.mean(planes, axis=-1), axis=-1)


def compare(reference: Prepared, distorted: Prepared) -> jax.Array:
    """SSIM: 1 for identical images, lower for others.

    It is above -1: luminance lies in (0, 1], and a covariance is at most the mean of the variances,
    so contrast structure lies in (-1, 1].
    """
    return 1 - jnp.mean(spatial_mean(joined(*dissimilarities(reference, distorted))))


def compare_maps(reference: Prepared, distorted: Prepared) -> jax.Array:
    """SSIM at each position of the window, ``[h, w]``; its mean is SSIM."""
    return 1 - jnp.mean(joined(*dissimilarities(reference, distorted)), axis=0)


def viewed_gray_levels(image: jax.Array) -> jax.Array:
    """Gray levels after the automatic downsampling of the authors' script ``ssim.m``.

    Args:
      image: float32 ``[H, W, 3]`` in [0, 1].

    Returns:
      float32 ``[1, ceil(H / f), ceil(W / f)]`` with ``f = max(1, round(min(H, W) / 256))``.
    """
    return box_downsample(gray_levels(image), viewing_factor(*image.shape[:2]))


def viewing_factor(height: int, width: int) -> int:
    """Factor of the automatic downsampling of images of a size, also in other metrics' scripts."""
    # Python rounds halves to even numbers, MATLAB upwards: 640 pixels are divided by 3.
    return max(1, (2 * min(height, width) + _VIEWED_SIZE) // (2 * _VIEWED_SIZE))


PRESETS: Mapping[str, Callable[[jax.Array], jax.Array]] = {
    "wang2004": gray_levels,
    "matlab": viewed_gray_levels,
    "rgb": rgb_levels,
}
"""Functions from an image ``[H, W, 3]`` to the planes whose similarities are averaged."""
