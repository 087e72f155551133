"""The public image range, and what a checkpoint makes of it.

Public image arrays are ``[B, H, W, 3]``, RGB, ``uint8`` or float32 in [0, 1].
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from iqa_jax.errors import InputError
from iqa_jax.images.luminance import lightness

_ROUNDING = 1e-5
"""How far resizing and colour conversions in float32 may leave [0, 1]."""


def check_images(images: jax.Array | np.ndarray, what: str = "images") -> None:
    """Refuses anything but public image arrays; values are looked at only outside of ``jit``.

    Args:
      images: The array to check.
      what: What the error calls it.

    Raises:
      InputError: If shape, type or range is another; the message says what was found.
    """
    if not isinstance(images, jax.Array | np.ndarray):
        raise InputError(
            f"{what}: expected an array [batch, height, width, 3], got {type(images).__name__}; "
            "np.asarray(PIL.Image.open(path).convert('RGB'))[None] makes one of a file"
        )
    shape, dtype = images.shape, images.dtype
    if len(shape) != 4 or shape[-1] != 3:
        raise InputError(f"{what}: expected the shape [batch, height, width, 3], got {list(shape)}")
    if dtype not in (np.uint8, np.float32):
        raise InputError(f"{what}: expected uint8, or float32 in [0, 1], got {dtype}")
    if dtype == np.uint8 or isinstance(images, Tracer) or images.size == 0:
        return
    with jax.ensure_compile_time_eval():  # a constant of a function that is being compiled
        low, high = float(images.min()), float(images.max())
    if not (low >= -_ROUNDING and high <= 1 + _ROUNDING):
        raise InputError(
            f"{what}: expected float32 in [0, 1] (or uint8), found values from {low:g} to {high:g}"
        )


def unit_range(images: jax.Array) -> jax.Array:
    """Images as float32 in [0, 1]: ``uint8`` is divided by 255, float32 passes."""
    if images.dtype == jnp.uint8:
        return images.astype(jnp.float32) / 255.0
    return images


@dataclass(frozen=True)
class Preprocessing:
    """From RGB in [0, 1] to a network's input: ``(channels - mean) / std``, channel by channel.

    Attributes:
      mean: Subtracted, in units of [0, 1]; of red, green and blue, or of luminance alone.
      std: Divided by, likewise.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def is_of_luminance(self) -> bool:
        """Whether the network has one channel: it is given L of CIELAB, divided by 100."""
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
"""For networks that take images as they are."""
