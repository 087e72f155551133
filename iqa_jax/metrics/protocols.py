"""Protocols of published metrics: what is done with an image before the network, and with a score.

A protocol may depend on the size of the image, which is known when a metric is compiled.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from iqa_jax.images.preprocess import unit_range
from iqa_jax.images.resize import Resize, Size, resize_pixels


@dataclass(frozen=True)
class Protocol:
    """A resize that belongs to a metric.

    Attributes:
      resize: The resize.
    """

    resize: Resize

    @property
    def formulas(self) -> tuple[str, ...]:
        """Formulas that it adds: names of ``iqa_jax.revisions``."""
        return ("images/resizing on the device",)

    @property
    def signature(self) -> Mapping[str, Any]:
        """Settings of the protocol, as JSON."""
        return {"protocol_resize": asdict(self.resize)}

    def size(self, height: int, width: int) -> Size:
        """Height and width of the network's input for an image of ``height`` x ``width``."""
        return self.resize.size(height, width)

    def shrink(self, image: jax.Array) -> jax.Array:
        """The network's input for an image ``[H, W, 3]``: float32 ``[height, width, 3]``."""
        return resize_pixels(unit_range(image), self.resize)

    def readout(self, readout: str, height: int, width: int) -> str:
        """The read-out that is computed for images of ``height`` x ``width``."""
        del height, width
        return readout

    def score(self, distance: jax.Array, height: int, width: int) -> jax.Array:
        """The score for a read-out of images of ``height`` x ``width``."""
        del height, width
        return distance


_USUAL_SIDE = 256
"""Side of the images for which DeepWSD's network is meant, in pixels."""

_RESIZED = range(513, 1000)
"""Longer sides, in pixels, of the images that DeepWSD resizes to a square."""

_LARGE = 5
"""Factor of averaging from which DeepWSD's windows have 16 x 16 samples instead of 4 x 4."""


@dataclass(frozen=True)
class DeepWSD(Protocol):
    """Protocol of DeepWSD (Liao et al. 2022), as in the authors' program for quality assessment.

    An image with a longer side of 513 to 999 pixels is resized to a square of 256 x 256. Other
    images are averaged over blocks of f x f pixels with f the longer side divided by 256, rounded
    (half to even); pixels right and below that fill no block are left out. For f >= 5 windows have
    256 samples. The score is log(1 + d), for f > 1 its square.

    Attributes:
      resize: The resize of images of medium size.
    """

    resize: Resize = field(default_factory=lambda: Resize(f"exact:{_USUAL_SIDE}x{_USUAL_SIDE}"))

    @property
    def formulas(self) -> tuple[str, ...]:
        """Formulas that it adds: names of ``iqa_jax.revisions``."""
        return (*super().formulas, "protocol/deepwsd", "readout/wasserstein_16")

    @property
    def signature(self) -> Mapping[str, Any]:
        """Settings of the protocol, as JSON."""
        return {"protocol": "deepwsd"}

    def size(self, height: int, width: int) -> Size:
        """Height and width of the network's input for an image of ``height`` x ``width``."""
        factor = self._factor(height, width)
        height, width = self._resized(height, width)
        return height // factor, width // factor

    def shrink(self, image: jax.Array) -> jax.Array:
        """The network's input for an image ``[H, W, 3]``: float32 ``[height, width, 3]``."""
        height, width, _ = image.shape
        factor, (rows, columns) = self._factor(height, width), self.size(height, width)
        pixels = unit_range(image)
        if self._is_resized(height, width):
            pixels = super().shrink(image)
        if factor == 1:
            return pixels
        blocks = pixels[: rows * factor, : columns * factor]
        return jnp.mean(blocks.reshape(rows, factor, columns, factor, 3), axis=(1, 3))

    def readout(self, readout: str, height: int, width: int) -> str:
        """The read-out that is computed for images of ``height`` x ``width``."""
        return f"{readout}_16" if self._factor(height, width) >= _LARGE else readout

    def score(self, distance: jax.Array, height: int, width: int) -> jax.Array:
        """The score for a read-out of images of ``height`` x ``width``."""
        logarithm = jnp.log1p(distance)
        return logarithm if self._factor(height, width) == 1 else jnp.square(logarithm)

    def _is_resized(self, height: int, width: int) -> bool:
        return max(height, width) in _RESIZED

    def _resized(self, height: int, width: int) -> Size:
        return super().size(height, width) if self._is_resized(height, width) else (height, width)

    def _factor(self, height: int, width: int) -> int:
        """Side of the blocks that are averaged."""
        return max(1, round(max(self._resized(height, width)) / _USUAL_SIDE))
