"""Luminance as input to the colorization networks: L of CIELAB in 8 bits, as in OpenCV.

OpenCV computes L of 8-bit images in integers, through two tables; this module reproduces it bit for
bit.
"""

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.images.linear_light import srgb_to_linear
from iqa_jax.images.tables import look_up

_LINEAR_BITS, _SUM_BITS, _ROOT_BITS = 3, 12, 15
_LINEAR_ONE = 255 << _LINEAR_BITS
_WEIGHTS = (0.212671, 0.715160, 0.072169)
"""Weights of linear red, green and blue in luminance: ITU-R BT.709 with white at 1."""

_THRESHOLD, _SLOPE, _OFFSET = 216 / 24389, 841 / 108, 16 / 116
"""CIELAB's linear part for dark colours: its upper limit, slope and offset."""


def _srgb_to_linear(values: np.ndarray) -> np.ndarray:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _root(luminances: np.ndarray) -> np.ndarray:
    dark = luminances * _SLOPE + _OFFSET
    return np.where(luminances < _THRESHOLD, dark, np.cbrt(luminances))


def _table(values: np.ndarray, one: int) -> np.ndarray:
    return np.rint(values * one).astype(np.int32)


_LINEAR = _table(_srgb_to_linear(np.arange(256) / 255), _LINEAR_ONE)
_ROOT = _table(_root(np.arange(_LINEAR_ONE + 2) / _LINEAR_ONE), 1 << _ROOT_BITS)
_INTEGER_WEIGHTS = _table(np.array(_WEIGHTS), 1 << _SUM_BITS)
_SCALE = round(1.16 * 255)
_SHIFT = round(0.16 * 255 * (1 << _ROOT_BITS))


@jax.custom_jvp
def lightness(images: jax.Array) -> jax.Array:
    """L of CIELAB divided by 100, in steps of 1 / 255.

    Args:
      images: sRGB images, float32 ``[..., 3]`` in [0, 1]; rounded to 8 bits.

    Returns:
      Lightness, float32 ``[..., 1]`` in [0, 1]; NaN where the image is not finite. The derivative
      is that of the unrounded formula.
    """
    codes = jnp.round(images * 255.0).astype(jnp.int32)
    linear = look_up(_LINEAR, codes)
    weighted = jnp.sum(linear * _INTEGER_WEIGHTS.reshape((1,) * (linear.ndim - 1) + (3,)), axis=-1)
    roots = look_up(_ROOT, _descale(weighted, _SUM_BITS))
    levels = _descale(_SCALE * roots - _SHIFT, _ROOT_BITS)
    is_finite = jnp.all(jnp.isfinite(images), axis=-1, keepdims=True)
    return jnp.where(is_finite, levels[..., None].astype(jnp.float32) / 255.0, jnp.nan)


def _descale(values: jax.Array, bits: int) -> jax.Array:
    return (values + (1 << (bits - 1))) >> bits


@lightness.defjvp
def _lightness_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]):
    (images,), (tangent,) = primals, tangents
    return lightness(images), jax.jvp(_unrounded, (images,), (tangent,))[1]


def _unrounded(images: jax.Array) -> jax.Array:
    linear = srgb_to_linear(images)
    weights = jnp.asarray(_WEIGHTS, jnp.float32).reshape((1,) * (images.ndim - 1) + (3,))
    value = jnp.sum(linear * weights, axis=-1, keepdims=True)
    # Both branches of jnp.where are differentiated, so each is given safe arguments.
    is_dark = value < _THRESHOLD
    roots = jnp.cbrt(jnp.where(is_dark, 1.0, value))
    return 1.16 * jnp.where(is_dark, value * _SLOPE + _OFFSET, roots) - 0.16
