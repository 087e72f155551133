"""Linear interpolation as MATLAB's ``imresize(planes, size, 'bilinear')`` computes it."""

import functools

import jax
import jax.numpy as jnp
import numpy as np


def resized(planes: jax.Array, height: int, width: int) -> jax.Array:
    """Resizes planes with a triangle as wide as a step of the smaller image.

    Args:
      planes: float32 ``[..., H, W]``; outside they are continued by their mirror image.
      height: New height.
      width: New width.

    Returns:
      float32 ``[..., height, width]``. A flat plane stays exactly flat.
    """
    rows, columns = (
        jnp.asarray(resizing(*sizes), jnp.float32)
        for sizes in zip(planes.shape[-2:], (height, width), strict=True)
    )
    level = jax.lax.stop_gradient(planes[..., :1, :1])
    return product(product(rows, planes - level), columns.T) + level


def product(first: jax.Array, second: jax.Array) -> jax.Array:
    """Product of matrices, in float32 on every device."""
    return jnp.matmul(first, second, precision=jax.lax.Precision.HIGHEST)


@functools.lru_cache(maxsize=32)
def resizing(old: int, new: int) -> np.ndarray:
    """Weights of the old positions along one axis in the new ones, float64 ``[new, old]``."""
    step = old / new
    reach = max(step, 1.0)
    centres = (np.arange(new) + 0.5) * step - 0.5
    places = np.floor(centres - reach).astype(int)[:, None] + np.arange(int(2 * reach) + 3)
    weights = np.maximum(0.0, 1.0 - np.abs(places - centres[:, None]) / reach)
    weights /= weights.sum(axis=1, keepdims=True)
    mirrored = places % (2 * old)
    mirrored = np.minimum(mirrored, 2 * old - 1 - mirrored)
    table = np.zeros((new, old))
    np.add.at(table, (np.arange(new)[:, None], mirrored), weights)
    return table
