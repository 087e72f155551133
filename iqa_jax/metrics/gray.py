"""Images in the 8-bit levels for which the constants of pixel metrics were published, 0 to 255."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from iqa_jax.readouts.safe import finite_or_nan

PEAK = 255
"""Highest level. It is fixed: a score does not depend on the range found in an image."""

_WEIGHTS = (589399, 1157447, 224810)
_WEIGHTS_ONE = sum(_WEIGHTS)
"""Weights of red, green and blue in luma. MATLAB's ``rgb2gray`` inverts the matrix from RGB to YIQ,
whose entries have three digits. These are the exact fractions, 0.2989, 0.5870 and 0.1140 in four
digits. With only four digits, published values of SSIM are off in their last digit."""

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the luma of ITU-R BT.601, Y of YIQ."""

YIQ = (LUMA, (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))
"""Weights of red, green and blue in Y, I and Q, in the three digits of many authors' scripts."""


def rgb_levels(image: jax.Array) -> jax.Array:
    """Red, green and blue, unrounded.

    Args:
      image: float32 ``[H, W, 3]`` in [0, 1].

    Returns:
      float32 ``[3, H, W]`` in [0, 255].
    """
    return finite_or_nan(jnp.moveaxis(image, -1, 0) * float(PEAK))


def mixed_levels(
    image: jax.Array, weights: Sequence[tuple[float, float, float]] = (LUMA,)
) -> jax.Array:
    """Weighted sums of red, green and blue, unrounded.

    Args:
      image: float32 ``[H, W, 3]`` in [0, 1].
      weights: Weights of red, green and blue in each sum.

    Returns:
      float32 ``[len(weights), H, W]``, in levels from 0 to 255 for weights like those of luma.
    """
    red, green, blue = rgb_levels(image)
    sums = [r * red + g * green + b * blue for r, g, b in weights]
    return finite_or_nan(jnp.stack(sums))


@jax.custom_jvp
def gray_levels(image: jax.Array) -> jax.Array:
    """``round(0.2989 R + 0.5870 G + 0.1140 B)`` of the image in 8 bits, halves upwards.

    The sum is computed in integers, so the result is exact on every device.

    Args:
      image: float32 ``[H, W, 3]`` in [0, 1]; rounded to 8 bits.

    Returns:
      float32 ``[1, H, W]``, integers from 0 to 255; NaN where the image is not finite. The
      derivative is that of the unrounded sum.
    """
    codes = jnp.round(image * float(PEAK)).astype(jnp.int32)
    red, green, blue = (weight * codes[..., i] for i, weight in enumerate(_WEIGHTS))
    weighted = red + green + blue
    gray = (weighted + _WEIGHTS_ONE // 2) // _WEIGHTS_ONE
    is_finite = jnp.all(jnp.isfinite(image), axis=-1)
    return jnp.where(is_finite, gray.astype(jnp.float32), jnp.nan)[None]


@gray_levels.defjvp
def _gray_levels_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]):
    (image,), (tangent,) = primals, tangents
    slopes = (PEAK * weight / _WEIGHTS_ONE for weight in _WEIGHTS)
    change = sum((slope * tangent[..., i] for i, slope in enumerate(slopes)), start=jnp.float32(0))
    return gray_levels(image), change[None]
