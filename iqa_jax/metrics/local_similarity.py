"""The similarity of two non-negative numbers that many metrics compute at each position."""

import jax
import jax.numpy as jnp

from iqa_jax.metrics.structural_similarity import spatial_mean


def dissimilarity(
    first: jax.Array, second: jax.Array, constant: float, *, masking: float = 0.0
) -> jax.Array:
    """One minus ``((2 - m) a b + c) / (a^2 + b^2 - m a b + c)``, without loss of digits.

    Args:
      first: Values a >= 0.
      second: Values b >= 0 of the same shape.
      constant: c > 0, which makes differences of small values matter less.
      masking: m from 0 to below 2, which makes differences of large values matter more.

    Returns:
      ``(a - b)^2 / (a^2 + b^2 - m a b + c)``, from 0 for equal values to below 1.
    """
    squares = jnp.square(first) + jnp.square(second) - masking * first * second
    return jnp.square(first - second) / (squares + constant)


def plane_variance(planes: jax.Array, *, lost: int = 0) -> jax.Array:
    """Variance of the values of a plane.

    Args:
      planes: ``[..., H, W]``.
      lost: Degrees of freedom that the estimate of the mean costs: 0 or 1.

    Returns:
      ``[...]``.
    """
    deviations = planes - spatial_mean(planes)[..., None, None]
    count = planes.shape[-2] * planes.shape[-1]
    return spatial_mean(jnp.square(deviations)) * (count / (count - lost))
