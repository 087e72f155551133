"""Peak signal-to-noise ratio of RGB images."""

import jax
import jax.numpy as jnp

from iqa_jax.metrics.gray import PEAK, rgb_levels

HIGHEST_DECIBELS = 100.0
"""Score of identical images, and of any with a mean squared error up to 1e-10 on the scale of
[0, 1]: in 8 bits, a difference of one level in one of 153,787 numbers."""

prepare = rgb_levels


def compare(reference: jax.Array, distorted: jax.Array) -> jax.Array:
    """``10 log10(255^2 / mean squared error)``, the mean over pixels and channels.

    Args:
      reference: float32 ``[3, H, W]`` in [0, 255].
      distorted: float32 ``[3, H, W]`` in [0, 255].

    Returns:
      Decibels, higher for more similar images: 0 for black and white, at most 100, where the
      derivative is 0.
    """
    # Row by row: the sums stay short, which keeps float32 exact.
    squares = jnp.mean(jnp.square(reference - distorted), axis=-1)
    error = jnp.mean(jnp.mean(squares, axis=-1)) / float(PEAK**2)
    is_below = error > 10 ** (-HIGHEST_DECIBELS / 10)
    # The derivative of the logarithm at 0 would make the gradient NaN even where it is not used.
    decibels = -10 * jnp.log10(jnp.where(is_below, error, 1.0))
    capped = jnp.where(is_below, jnp.minimum(decibels, HIGHEST_DECIBELS), HIGHEST_DECIBELS)
    return jnp.where(jnp.isfinite(error), capped, jnp.nan)
