"""SqueezeNet: fire modules, which squeeze the channels before expanding them again.

Iandola et al. 2016, arXiv 1602.07360; attribute names as in torchvision's ``squeezenet1_1``. Its
poolings keep an incomplete last window.
"""

import functools

import jax
import jax.numpy as jnp
from flax import nnx

from iqa_jax.backbones.layers import Chain, Layer, conv, max_pool, named_activations


class Fire(nnx.Module):
    """A 1x1 convolution to few channels, then a 1x1 and a 3x3 convolution side by side."""

    def __init__(self, in_channels: int, squeezed: int, expanded: int, *, rngs: nnx.Rngs):
        self.squeeze = conv(in_channels, squeezed, 1, rngs=rngs)
        self.expand1x1 = conv(squeezed, expanded, 1, rngs=rngs)
        self.expand3x3 = conv(squeezed, expanded, 3, padding=1, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps ``[B, H, W, C]`` to ``[B, H, W, 2 expanded]``."""
        x = nnx.relu(self.squeeze(x))
        return nnx.relu(jnp.concatenate([self.expand1x1(x), self.expand3x3(x)], axis=-1))


_FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
"""(squeezed, expanded) channels of fire2 to fire9."""


class SqueezeNet(nnx.Module):
    """The convolutional part of a SqueezeNet.

    Args:
      channels: Number of channels of the first convolution.
      size: Height and width of its kernel.
      pooled: Numbers of the layers that are followed by a pooling; 1 is the first convolution.
      rngs: Source of the initial parameters.
    """

    def __init__(self, channels: int, size: int, pooled: tuple[int, ...], *, rngs: nnx.Rngs):
        features: list[Layer] = [conv(3, channels, size, stride=2, rngs=rngs), nnx.relu]
        names: list[str | None] = [None, "relu1"]
        for number, (squeezed, expanded) in enumerate(_FIRES, 2):
            if number - 1 in pooled:
                features.append(max_pool(3, 2, ceil=True))
                names.append(f"pool{number - 1}")
            features.append(Fire(channels, squeezed, expanded, rngs=rngs))
            names.append(f"fire{number}")
            channels = 2 * expanded
        self.features = Chain(features)
        self.names = tuple(names)

    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        """Maps a preprocessed input ``[B, H, W, 3]`` to its named activations."""
        return named_activations(self.features, self.names, x)


VARIANTS = {
    "squeezenet1_0": functools.partial(SqueezeNet, 96, 7, (1, 4, 8)),
    "squeezenet1_1": functools.partial(SqueezeNet, 64, 3, (1, 3, 5)),
}
"""Builders by architecture; they take the keyword argument ``rngs``."""
