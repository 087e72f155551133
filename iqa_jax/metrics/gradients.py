"""Gradients of planes as MATLAB's ``conv2`` computes them, with zeros outside the image."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from iqa_jax.readouts.safe import finite_or_nan, guarded_sqrt


def prewitt(planes: jax.Array) -> jax.Array:
    """Differences of opposite neighbours in 3 x 3 windows, each the mean of three.

    Args:
      planes: ``[..., H, W]``.

    Returns:
      ``[2, ..., H, W]``: across columns and across rows.
    """
    return finite_or_nan(_differences(planes, lambda a, b, c: a + b + c) / 3)


def scharr(planes: jax.Array) -> jax.Array:
    """Differences of opposite neighbours in 3 x 3 windows, each a mean with weights 3, 10 and 3.

    Args:
      planes: ``[..., H, W]``.

    Returns:
      ``[2, ..., H, W]``: across columns and across rows.
    """
    return finite_or_nan(_differences(planes, lambda a, b, c: 3 * (a + c) + 10 * b) / 16)


def _differences(
    planes: jax.Array, combined: Callable[[jax.Array, jax.Array, jax.Array], jax.Array]
) -> jax.Array:
    """Differences of opposite neighbours, combined along the other axis: ``[2, ..., H, W]``."""
    height, width = planes.shape[-2:]
    padded = jnp.pad(planes, ((0, 0),) * (planes.ndim - 2) + ((1, 1), (1, 1)))
    rows = combined(padded[..., :height, :], padded[..., 1:-1, :], padded[..., 2:, :])
    columns = combined(padded[..., :width], padded[..., 1:-1], padded[..., 2:])
    across_columns = rows[..., 2:] - rows[..., :width]
    across_rows = columns[..., 2:, :] - columns[..., :height, :]
    return jnp.stack([across_columns, across_rows])


def magnitudes(gradients: jax.Array) -> jax.Array:
    """Lengths of gradients ``[2, ...]``; the derivative of length 0 is 0."""
    return finite_or_nan(guarded_sqrt(jnp.sum(jnp.square(gradients), axis=0)))
