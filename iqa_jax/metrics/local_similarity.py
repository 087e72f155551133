"""Local similarities that many metrics share, as one minus them, and their means."""

import math

import jax
import jax.numpy as jnp

from iqa_jax.metrics.structural_similarity import spatial_mean
from iqa_jax.readouts.safe import ratio


def dissimilarity(
    first: jax.Array, second: jax.Array, constant: float, *, masking: float = 0.0
) -> jax.Array:
    """One minus ``((2 - m) a b + c) / (a^2 + b^2 - m a b + c)``, without loss of digits.

    Args:
      first: Values a.
      second: Values b of the same shape.
      constant: c > 0, which makes differences of small values matter less.
      masking: m from 0 to below 2, which makes differences of large values matter more.

    Returns:
      ``(a - b)^2 / (a^2 + b^2 - m a b + c)``, from 0 for equal values to below 1, or below 2 for
      values of different signs.
    """
    squares = jnp.square(first) + jnp.square(second) - masking * first * second
    return jnp.square(first - second) / (squares + constant)


def power_losses(dissimilarities: jax.Array, exponent: float) -> tuple[jax.Array, jax.Array]:
    """One minus the powers of similarities, which are complex numbers for negative similarities.

    Nothing is lost for small numbers. A similarity of 0 is a rounded one, and small powers of tiny
    numbers are far from 0: it is replaced by half of the next larger number. Its derivative is 0.

    Args:
      dissimilarities: One minus each similarity.
      exponent: Exponent, above 0 and below 1.

    Returns:
      Real and imaginary parts of ``1 - (1 - d)^exponent``.
    """
    is_real = dissimilarities < 1
    is_complex = dissimilarities > 1
    loss = -jnp.expm1(jnp.log1p(-jnp.where(is_real, dissimilarities, 0.0)) * exponent)
    length = jnp.where(is_complex, dissimilarities - 1, 1.0) ** exponent
    cosine, sine = (part(math.pi * exponent) for part in (math.cos, math.sin))
    at_zero = 1 - (float(jnp.finfo(loss.dtype).eps) / 4) ** exponent
    real = jnp.where(is_complex, 1 - length * cosine, jnp.where(is_real, loss, at_zero))
    known = jnp.isfinite(dissimilarities)
    return jnp.where(known, real, jnp.nan), jnp.where(is_complex, -length * sine, 0.0)


def weighted_plane_mean(plane: jax.Array, weights: jax.Array) -> jax.Array:
    """Weighted mean of the values of a plane.

    Args:
      plane: ``[H, W]``.
      weights: Weights >= 0 of the same shape. If all are 0, the mean is the plain one.
    """
    total = spatial_mean(weights)
    mean = ratio(spatial_mean(plane * weights), total)
    return jnp.where(total == 0, spatial_mean(plane), mean)


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
