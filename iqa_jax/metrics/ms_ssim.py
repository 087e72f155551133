"""Multi-scale structural similarity (Wang, Simoncelli and Bovik, Asilomar 2003).

Contrast structure at every scale and luminance at the coarsest, each averaged over positions and
raised to the weight of its scale; between scales the image is halved as in the authors' script
``msssim.m``, by the mean of 2 x 2 pixels.
"""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp

from iqa_jax.metrics import ssim
from iqa_jax.metrics.filters import box_downsample
from iqa_jax.metrics.gray import gray_levels, rgb_levels

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales, from fine to coarse (section 3.2 of the paper)."""

LEAST_SIZE = (ssim.WINDOW_SIZE - 1) * 2 ** (len(WEIGHTS) - 1) + 1
"""The shorter side, 161 pixels, at which a window fits into the coarsest scale. The authors' script
asks for 176, though its own coarsest scale is rounded up."""

PRESETS: Mapping[str, Callable[[jax.Array], jax.Array]] = {
    "wang2003": gray_levels,
    "rgb": rgb_levels,
}
"""What is compared of an image ``[H, W, 3]``: planes, whose similarities are averaged."""


def prepare(planes: jax.Array) -> tuple[ssim.Prepared, ...]:
    """What is needed of one image, ``[C, H, W]`` in [0, 255], at each scale."""
    scales = [planes]
    for _ in WEIGHTS[1:]:
        scales.append(box_downsample(scales[-1], 2))
    return tuple(ssim.prepare(scale) for scale in scales)


def compare(
    reference: tuple[ssim.Prepared, ...], distorted: tuple[ssim.Prepared, ...]
) -> jax.Array:
    """MS-SSIM, from 0 to 1, which is the score of identical images.

    A scale whose mean contrast structure is negative has no real power; it counts as 0, and so does
    then the whole, with a derivative of 0. The authors' script returns a complex number there.
    """
    *finer, coarsest = (
        ssim.dissimilarities(r, d) for r, d in zip(reference, distorted, strict=True)
    )
    maps = [*(contrast_structure for _, contrast_structure in finer), ssim.joined(*coarsest)]
    similarities = jnp.stack([1 - ssim.spatial_mean(each) for each in maps])
    products = jnp.prod(_positive_power(similarities, jnp.asarray(WEIGHTS)[:, None]), axis=0)
    return jnp.mean(products)


def _positive_power(bases: jax.Array, exponents: jax.Array) -> jax.Array:
    """``bases ** exponents``; 0 with a derivative of 0 where a base is not positive, NaN of NaN."""
    is_low = bases <= 0
    return jnp.where(is_low, 0.0, jnp.where(is_low, 1.0, bases) ** exponents)
