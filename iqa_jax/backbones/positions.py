"""Interpolation of a square grid of position embeddings to the grid of another image size.

Every rule is separable: it is a matrix ``[new, old]`` for each axis, from positions of the stored
grid to those of the new one. A rule is that of an original's own program.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

Rule = Callable[[int, int], np.ndarray]
"""Function from the old and the new length of an axis to weights, float64 ``[new, old]``."""

_PYTORCH_SHARPNESS = -0.75
"""Parameter of PyTorch's cubic convolution (Keys 1981)."""

_ANTIALIASED_SHARPNESS = -0.5
"""The same of its antialiased resize, which follows Pillow."""

_OFFSET = 0.1
"""Positions that DINO adds to the new length, to keep its rounding from losing one."""


def linear(old: int, new: int) -> np.ndarray:
    """Linear interpolation between aligned corners, as in ``scipy.ndimage.zoom`` of order 1.

    For some lengths, such as 86 from 14, SciPy's rounding makes the last row zero; not here.
    """
    places = np.arange(new) * ((old - 1) / (new - 1) if new > 1 else 0.0)
    return np.maximum(0.0, 1.0 - np.abs(places[:, None] - np.arange(old)))


def cubic(old: int, new: int) -> np.ndarray:
    """Cubic interpolation, as in ``torch.nn.functional.interpolate`` with a size."""
    return _cubic(old, new, old / new)


def cubic_with_offset(old: int, new: int) -> np.ndarray:
    """Cubic interpolation by the factor ``(new + 0.1) / old``, as in DINO and the first DINOv2."""
    return _cubic(old, new, old / (new + _OFFSET))


def cubic_antialiased(old: int, new: int) -> np.ndarray:
    """Cubic interpolation with a kernel as wide as a step of the smaller grid, as in Pillow."""
    step = old / new
    reach = max(step, 1.0)
    centres = (np.arange(new) + 0.5) * step
    first = np.maximum((centres - 2 * reach + 0.5).astype(int), 0)
    end = np.minimum((centres + 2 * reach + 0.5).astype(int), old)
    places = np.arange(old)
    weights = _keys((places - centres[:, None] + 0.5) / reach, _ANTIALIASED_SHARPNESS)
    weights[(places < first[:, None]) | (places >= end[:, None])] = 0.0
    return weights / weights.sum(axis=1, keepdims=True)


def resample(grid: jax.Array, height: int, width: int, rule: Rule) -> jax.Array:
    """Position embeddings of a grid of patches.

    Args:
      grid: Stored embeddings ``[side, side, C]``.
      height: Number of rows of patches.
      width: Number of columns of patches.
      rule: Rule of the interpolation.

    Returns:
      Embeddings ``[height, width, C]`` of the same type; the stored ones for their own grid.
    """
    side = grid.shape[0]
    if (height, width) == (side, side):
        return grid
    rows, columns = (jnp.asarray(rule(side, new), jnp.float32) for new in (height, width))
    precise = jax.lax.Precision.HIGHEST
    tall = jnp.einsum("yi,ijc->yjc", rows, grid.astype(jnp.float32), precision=precise)
    return jnp.einsum("xj,yjc->yxc", columns, tall, precision=precise).astype(grid.dtype)


def _cubic(old: int, new: int, step: float) -> np.ndarray:
    """Weights for centres of pixels that are ``step`` apart; the border is repeated outwards."""
    centres = (np.arange(new) + 0.5) * step - 0.5
    nearest = np.floor(centres).astype(int)
    weights = np.zeros((new, old))
    for tap in range(-1, 3):
        places = np.clip(nearest + tap, 0, old - 1)
        share = _keys(nearest + tap - centres, _PYTORCH_SHARPNESS)
        np.add.at(weights, (np.arange(new), places), share)
    return weights


def _keys(distance: np.ndarray, sharpness: float) -> np.ndarray:
    """The kernel of cubic convolution (Keys 1981, equation 15, with a free parameter)."""
    x = np.abs(distance)
    inner = ((sharpness + 2) * x - (sharpness + 3)) * x * x + 1
    outer = sharpness * (((x - 5) * x + 8) * x - 4)
    return np.where(x < 1, inner, np.where(x < 2, outer, 0.0))
