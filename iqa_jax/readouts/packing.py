"""Activations with neighbouring positions side by side.

A TPU computes with 128 channels at once; 64 of them leave half of its lanes empty. Here the
channels of neighbouring positions fill the lanes together. The order in memory stays the same, so
other devices have nothing to rearrange.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

import jax
import jax.numpy as jnp

from iqa_jax.pytrees import register_pytree

LANES = 128
"""Channels that a TPU computes with at once."""

_IN_PLANES = 4
"""Up to this many channels, a TPU keeps a plane for each, whose rows fill the lanes already."""


@register_pytree
@dataclass(frozen=True)
class Packed:
    """Activations of one image.

    Attributes:
      values: ``[height, width / n, n * channels]``: the channels of n positions of a row, one
        position after the other.
      channels: Number of channels of a position.
    """

    values: jax.Array
    channels: int = field(metadata={"static": True})

    @classmethod
    def of(cls, activations: jax.Array) -> Self:
        """Packs activations ``[height, width, channels]``."""
        height, width, channels = activations.shape
        is_packed = _IN_PLANES < channels < LANES
        together = LANES // math.gcd(LANES, channels) if is_packed else 1
        together = math.gcd(width, together)
        shape = height, width // together, together * channels
        return cls(activations.reshape(shape), channels)

    @property
    def together(self) -> int:
        """Number of positions side by side."""
        return self.values.shape[-1] // self.channels

    def unpacked(self) -> jax.Array:
        """The activations, ``[height, width, channels]``."""
        height, columns, _ = self.values.shape
        return self.values.reshape(height, columns * self.together, self.channels)


def mean_over_positions(
    function: Callable[..., jax.Array], images: Sequence[Packed], means: Sequence[jax.Array] = ()
) -> jax.Array:
    """Mean over positions of a function of the activations of images, ``[channels]``.

    Args:
      function: Function of the values of each image, then of each of the means, position by
        position.
      images: Images of one shape.
      means: Arrays ``[channels]``, the same at every position.
    """
    channels = images[0].channels

    def by_lanes(values: Sequence[jax.Array], means: Sequence[jax.Array]) -> jax.Array:
        lanes = values[0].shape[-1]
        along = [jnp.tile(each, lanes // channels).reshape(1, 1, lanes) for each in means]
        # Row by row: short sums keep float32 accurate, and rows are reduced in parallel.
        sums = jnp.mean(jnp.mean(function(*values, *along), axis=1), axis=0)
        return jnp.mean(sums.reshape(-1, channels), axis=0)

    def by_channels(values: Sequence[jax.Array], means: Sequence[jax.Array]) -> jax.Array:
        unpacked = [Packed(each, channels).unpacked() for each in values]
        return by_lanes(unpacked, means)

    values = [each.values for each in images]
    if images[0].together == 1:
        return by_lanes(values, list(means))
    return jax.lax.platform_dependent(values, list(means), tpu=by_lanes, default=by_channels)
