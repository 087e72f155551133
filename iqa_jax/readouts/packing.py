"""Activations with neighbouring positions side by side.

A TPU computes with 128 channels at once: 64 of them leave half of its lanes empty, and three nearly
all. Here the channels of neighbouring positions fill the lanes together. The order in memory stays
the same, so other devices have nothing to rearrange.
"""

import math
from dataclasses import dataclass, field
from typing import Self

import jax
import jax.numpy as jnp

from iqa_jax.pytrees import register_pytree

LANES = 128
"""Channels that a TPU computes with at once."""


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
        together = LANES // math.gcd(LANES, channels) if channels < LANES else 1
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

    def mean(self) -> jax.Array:
        """Mean over positions, ``[channels]``."""
        # Row by row: short sums keep float32 accurate, and rows are reduced in parallel.
        lanes = jnp.mean(jnp.mean(self.values, axis=1), axis=0)
        return jnp.mean(lanes.reshape(-1, self.channels), axis=0)

    def along(self, channels: jax.Array) -> jax.Array:
        """One number per channel, repeated for each position side by side, ``[1, 1, lanes]``."""
        return jnp.tile(channels, self.together).reshape(1, 1, -1)
