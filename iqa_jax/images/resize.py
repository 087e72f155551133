"""Resizing before scoring. It strongly affects every result and is part of a run's signature."""

import functools
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from iqa_jax.errors import InputError

Size = tuple[int, int]
"""Height and width."""

_LARGEST_SIDE = 2**16
"""Larger than any image's side: a resize that leaves no pixels here leaves none of any image."""

FORMS = "short:PIXELS, factor:NUMBER, exact:HEIGHTxWIDTH or multiple:PIXELS"


@dataclass(frozen=True)
class Resize:
    """An antialiased (Pillow, bilinear) resize of the decoded ``uint8`` pixels.

    Attributes:
      text: ``short:256`` (the shorter side becomes 256 pixels, keeping the aspect ratio),
        ``factor:0.5``, ``exact:384x512`` (height x width), or ``multiple:16`` (each side becomes
        the nearest multiple, as transformers with patches of 16 x 16 pixels need).
      only_larger: Whether to leave smaller images unchanged.

    Raises:
      InputError: If the text has none of these forms.
    """

    text: str
    only_larger: bool = False

    def __post_init__(self):
        try:
            size = self._size(_LARGEST_SIDE, _LARGEST_SIDE)
        except (ValueError, OverflowError) as error:
            raise InputError(f"resize: expected {FORMS}, got {self.text!r}") from error
        if min(size) < 1:
            raise InputError(f"resize: {self.text!r} leaves no pixels; expected {FORMS}")

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width after resizing an image of ``height`` x ``width``.

        Raises:
          InputError: If no pixels would be left.
        """
        size = self._size(height, width)
        if min(size) < 1:
            raise InputError(
                f"resize: {self.text!r} leaves no pixels of an image of {height}x{width} "
                "(height x width); resize less, or leave the image out"
            )
        return (height, width) if self.only_larger and size > (height, width) else size

    def _size(self, height: int, width: int) -> tuple[int, int]:
        kind, _, value = self.text.partition(":")
        if kind == "short":
            short = int(value)
            if height <= width:
                return short, int(short * width / height)
            return int(short * height / width), short
        if kind == "factor":
            return round(height * float(value)), round(width * float(value))
        if kind == "exact":
            new_height, new_width = map(int, value.split("x"))
            return new_height, new_width
        if kind == "multiple":
            side = int(value)
            return _nearest_multiple(height, side), _nearest_multiple(width, side)
        raise InputError(kind)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Resizes ``uint8`` ``[height, width, 3]``."""
        height, width = self.size(*image.shape[:2])
        if (height, width) == image.shape[:2]:
            return image
        resized = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(resized)


def _nearest_multiple(length: int, side: int) -> int:
    if side < 1:
        raise ValueError(side)
    return max(1, (2 * length + side) // (2 * side)) * side


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def resize_pixels(images: jax.Array, resize: Resize) -> jax.Array:
    """Resizes on the device, bit for bit like Pillow before version 13.

    Each new pixel is an integer sum of neighbours, weighted by a triangle as wide as a step of the
    smaller image; first along the rows, then along the columns, rounded to 8 bits after each.
    (Since version 13 Pillow chooses the cheaper order, which occasionally differs by one level.)

    Args:
      images: Images, float32 ``[..., H, W, 3]`` in [0, 1]; rounded to 8 bits.
      resize: The resize to apply.

    Returns:
      Resized images, float32 ``[..., height, width, 3]`` in [0, 1], in steps of 1 / 255. The
      rounding passes the derivative through. An image with a pixel that is not finite is NaN.
    """
    levels = jnp.round(images * 255.0).astype(jnp.int32)
    half = 1 << (_WEIGHT_BITS - 1)
    for axis, neighbours in _neighbours(images.shape, resize):
        total = _weighted_sum(levels, axis, neighbours)
        levels = jnp.clip((total + half) >> _WEIGHT_BITS, 0, 255)
    is_finite = jnp.all(jnp.isfinite(images), axis=(-3, -2, -1), keepdims=True)
    return jnp.where(is_finite, levels.astype(jnp.float32) / 255.0, jnp.nan)


@resize_pixels.defjvp
def _resize_pixels_jvp(
    resize: Resize, primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    (images,), (tangent,) = primals, tangents
    for axis, (places, weights) in _neighbours(images.shape, resize):
        shares = weights.astype(np.float32) / np.float32(1 << _WEIGHT_BITS)
        tangent = _weighted_sum(tangent, axis, (places, shares))
    return resize_pixels(images, resize), tangent


_WEIGHT_BITS = 22
_Neighbours = tuple[np.ndarray, np.ndarray]


def _weighted_sum(values: jax.Array, axis: int, neighbours: _Neighbours) -> jax.Array:
    places, weights = neighbours
    shape = [1] * values.ndim
    shape[axis] = -1
    return sum(
        (
            jnp.take(values, place, axis=axis) * jnp.asarray(weight).reshape(shape)
            for place, weight in zip(places, weights, strict=True)
        ),
        start=jnp.zeros((), values.dtype),
    )


def _neighbours(shape: tuple[int, ...], resize: Resize) -> list[tuple[int, _Neighbours]]:
    """Old pixels that make up the new ones, and their weights, for each axis that changes."""
    height, width = shape[-3:-1]
    new_height, new_width = resize.size(height, width)
    return [
        (len(shape) + axis, _triangles(old, new))
        for axis, old, new in ((-2, width, new_width), (-3, height, new_height))
        if old != new
    ]


@functools.cache
def _triangles(old: int, new: int) -> _Neighbours:
    """Positions and integer weights, each ``[neighbours, new]``; missing neighbours weigh zero."""
    step = old / new
    reach = max(step, 1.0)
    centres = (np.arange(new) + 0.5) * step
    first = np.maximum((centres - reach + 0.5).astype(int), 0)
    last = np.minimum((centres + reach + 0.5).astype(int), old)
    places = first + np.arange((last - first).max())[:, None]
    weights = np.maximum(0.0, 1.0 - np.abs((places - centres + 0.5) / reach))
    weights = np.where(places < last, weights, 0.0)
    weights /= weights.sum(axis=0)
    return np.minimum(places, old - 1), np.rint(weights * (1 << _WEIGHT_BITS)).astype(np.int32)
