"""The public image range, and the preprocessing that a checkpoint expects.

Public image arrays are ``[B, H, W, 3]``, RGB, ``uint8`` or floating point in [0, 1]; they are
compared in float32. Messages give sizes as width x height.
"""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from iqa_jax.errors import InputError
from iqa_jax.images.luminance import lightness

_ROUNDING = 1e-5
"""How far resizing and colour conversions in float32 may stray outside [0, 1]."""


def check_images(images: Any, what: str = "images") -> jax.Array | np.ndarray:
    """Checks public image arrays; their values are checked only outside of ``jit`` and the like.

    Args:
      images: Array ``[B, H, W, 3]``, or anything that ``np.asarray`` converts to one.
      what: Name of the images in the error.

    Returns:
      The same images, ``uint8`` or float32; other floating-point types are converted.

    Raises:
      InputError: If the shape, type or range is wrong; the message says what was found.
    """
    array = _as_array(images, what)
    shape, dtype = array.shape, array.dtype
    if len(shape) != 4 or shape[-1] != 3:
        advice = "; images[None] makes a batch of one image" if len(shape) == 3 else ""
        raise InputError(
            f"{what}: expected the shape [batch, height, width, 3], got {list(shape)}{advice}"
        )
    if dtype == np.uint8:
        return array
    if not jnp.issubdtype(dtype, jnp.floating):
        raise InputError(
            f"{what}: expected uint8, or floating point in [0, 1], got {dtype}; convert levels "
            "from 0 to 255 with images.astype(np.uint8), and divide others by their highest level"
        )
    if not (isinstance(array, Tracer) or array.size == 0):
        with jax.ensure_compile_time_eval():  # a constant in a function that is being compiled
            low, high = float(array.min()), float(array.max())
        if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):
            raise InputError(
                f"{what}: expected uint8, or floating point in [0, 1], found values from {low:g} "
                f"to {high:g}"
            )
    return array.astype(np.float32)


def check_pair(reference: Any, distorted: Any) -> tuple[jax.Array | np.ndarray, ...]:
    """Checks reference and distorted images as :func:`check_images` does, and that they match.

    Args:
      reference: Array ``[B, H, W, 3]``, or anything that ``np.asarray`` converts to one.
      distorted: Images of the same shape.

    Returns:
      Both, ``uint8`` or float32.

    Raises:
      InputError: If a shape, type or range is wrong, or the shapes differ.
    """
    pair = check_images(reference, "reference"), check_images(distorted, "distorted")
    shapes = [list(each.shape) for each in pair]
    if shapes[0] != shapes[1]:
        raise InputError(
            f"reference and distorted: expected the same shape, got {shapes[0]} and {shapes[1]}"
        )
    return pair


def _as_array(images: Any, what: str) -> jax.Array | np.ndarray:
    if isinstance(images, jax.Array | np.ndarray):
        return images
    try:
        array = np.asarray(images)
    except (RuntimeError, TypeError, ValueError):  # lists of different lengths, arrays elsewhere
        array = np.asarray(None)
    if array.dtype.kind in "OSU":
        raise InputError(
            f"{what}: expected an array [batch, height, width, 3], got {type(images).__name__}; "
            "np.asarray(PIL.Image.open(path).convert('RGB'))[None] makes one from a file"
        )
    return array


def unit_range(images: jax.Array) -> jax.Array:
    """Images as float32 in [0, 1]: ``uint8`` is divided by 255, floating point is converted."""
    if images.dtype == jnp.uint8:
        return images.astype(jnp.float32) / 255.0
    return images.astype(jnp.float32)


@dataclass(frozen=True)
class Preprocessing:
    """From RGB in [0, 1] to a network's input: ``(channels - mean) / std``, channel by channel.

    Attributes:
      mean: Mean of red, green and blue, or of luminance alone, in units of [0, 1].
      std: Standard deviation of the same channels.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def is_of_luminance(self) -> bool:
        """Whether the network has one input channel: L of CIELAB, divided by 100."""
        return len(self.mean) == 1

    def __call__(self, images: jax.Array) -> jax.Array:
        """Maps float32 ``[..., 3]`` in [0, 1] to the network's input, a channel for each mean."""
        channels = lightness(images) if self.is_of_luminance else images
        mean, std = (
            jnp.asarray(values, images.dtype).reshape((1,) * (images.ndim - 1) + (-1,))
            for values in (self.mean, self.std)
        )
        return (channels - mean) / std


IMAGENET = Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
"""torchvision's; LPIPS's scaling layer is the same, written for images in [-1, 1]."""

IDENTITY = Preprocessing(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
"""Preprocessing of networks that take images in [0, 1] unchanged."""
