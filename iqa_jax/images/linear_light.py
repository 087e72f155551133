"""Light that a display emits for the values of an sRGB image, and mixtures of its colours."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

_DARK, _SLOPE = 0.04045, 12.92
_OFFSET, _EXPONENT = 0.055, 2.4
"""Curve of sRGB (IEC 61966-2-1): a line up to ``_DARK``, then a power."""


def srgb_to_linear(encoded: jax.Array) -> jax.Array:
    """Linear light of sRGB values.

    Args:
      encoded: float32 in [0, 1], of any shape.

    Returns:
      float32 in [0, 1], of the same shape.
    """
    # Both branches of jnp.where are differentiated, so each is given safe arguments.
    is_dark = encoded <= _DARK
    powers = ((jnp.where(is_dark, 1.0, encoded) + _OFFSET) / (1 + _OFFSET)) ** _EXPONENT
    return jnp.where(is_dark, encoded / _SLOPE, powers)


def mixtures(planes: jax.Array, weights: np.ndarray) -> jax.Array:
    """Weighted sums of planes.

    They are sums of products, because a device may round the factors of a matrix product.

    Args:
      planes: ``[C, H, W]``.
      weights: ``[D, C]``.

    Returns:
      ``[D, H, W]``.
    """

    def mixture(row: list[float]) -> jax.Array:
        terms = (weight * plane for weight, plane in zip(row, planes, strict=True))
        return functools.reduce(jnp.add, terms)

    return jnp.stack([mixture(row) for row in weights.tolist()])
