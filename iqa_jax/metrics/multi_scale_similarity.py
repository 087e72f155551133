"""Multi-scale structural similarity (Wang, Simoncelli and Bovik, Asilomar 2003).

Contrast structure at every scale and luminance at the coarsest, each averaged over positions and
raised to the weight of its scale; between scales the image is halved as in the authors' script
``msssim.m``, by the mean of 2 x 2 pixels.
"""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp

from iqa_jax.metrics.filters import box_downsample
from iqa_jax.metrics.gray import gray_levels, rgb_levels
from iqa_jax.metrics.structural_similarity import (
    WINDOW_SIZE,
    Prepared,
    dissimilarities,
    joined,
    spatial_mean,
)
from iqa_jax.metrics.structural_similarity import prepare as prepare_scale
from iqa_jax.readouts.safe import positive_power

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Weights of the scales, from fine to coarse (section 3.2 of the paper)."""

LEAST_SIZE = (WINDOW_SIZE - 1) * 2 ** (len(WEIGHTS) - 1) + 1
"""The shorter side, 161 pixels, at which a window fits into the coarsest scale. The authors' script
asks for 176, though its own coarsest scale is rounded up."""

PRESETS: Mapping[str, Callable[[jax.Array], jax.Array]] = {
    "wang2003": gray_levels,
    "rgb": rgb_levels,
}
"""Functions from an image ``[H, W, 3]`` to the planes whose similarities are averaged."""


def prepare(planes: jax.Array) -> tuple[Prepared, ...]:
    """Prepares one image, ``[C, H, W]`` in [0, 255], at each scale."""
    scales = [planes]
    for _ in WEIGHTS[1:]:
        scales.append(box_downsample(scales[-1], 2))
    return tuple(prepare_scale(scale) for scale in scales)


def compare(reference: tuple[Prepared, ...], distorted: tuple[Prepared, ...]) -> jax.Array:
    """MS-SSIM, from 0 to 1, the score of identical images.

    A negative mean contrast structure has no real power. Then the score is 0 and so is its
    derivative, where the authors' script returns a complex number.
    """
    *finer, coarsest = (dissimilarities(r, d) for r, d in zip(reference, distorted, strict=True))
    maps = [*(contrast_structure for _, contrast_structure in finer), joined(*coarsest)]
    similarities = jnp.stack([1 - spatial_mean(each) for each in maps])
    products = jnp.prod(
        positive_power(similarities, jnp.asarray(WEIGHTS, jnp.float32)[:, None]), axis=0
    )
    return jnp.mean(products)
