"""DenseNet: every layer takes the outputs of all earlier layers of its block as input.

Huang et al. 2017, arXiv 1608.06993; attribute names as in torchvision's ``densenet121``.
"""

import functools

import jax
import jax.numpy as jnp
from flax import nnx

from iqa_jax.backbones.layers import BatchNorm, average_pool, conv
from iqa_jax.backbones.stem import rectify_and_pool


class DenseLayer(nnx.Module):
    """A 1x1 and a 3x3 convolution, each preceded by a normalisation; adds ``growth`` channels."""

    def __init__(self, in_channels: int, growth: int, *, rngs: nnx.Rngs):
        self.norm1 = BatchNorm(in_channels, rngs=rngs)
        self.conv1 = conv(in_channels, 4 * growth, 1, bias=False, rngs=rngs)
        self.norm2 = BatchNorm(4 * growth, after="conv1", rngs=rngs)
        self.conv2 = conv(4 * growth, growth, 3, padding=1, bias=False, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps ``[B, H, W, C]`` to the new channels ``[B, H, W, growth]``."""
        y = self.conv1(nnx.relu(self.norm1(x)))
        return self.conv2(nnx.relu(self.norm2(y)))


class DenseBlock(nnx.Module):
    """Dense layers at one resolution, named ``denselayer1``, ``denselayer2``, ..."""

    def __init__(self, layers: int, in_channels: int, growth: int, *, rngs: nnx.Rngs):
        self.count = layers
        for number in range(layers):
            layer = DenseLayer(in_channels + number * growth, growth, rngs=rngs)
            setattr(self, f"denselayer{number + 1}", layer)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps ``[B, H, W, C]`` to itself, followed by the new channels of all layers."""
        parts = [x]
        for number in range(self.count):
            layer = getattr(self, f"denselayer{number + 1}")
            parts.append(layer(jnp.concatenate(parts, axis=-1)))
        return jnp.concatenate(parts, axis=-1)


class Transition(nnx.Module):
    """Halves the number of channels and the resolution."""

    def __init__(self, in_channels: int, *, rngs: nnx.Rngs):
        self.norm = BatchNorm(in_channels, rngs=rngs)
        self.conv = conv(in_channels, in_channels // 2, 1, bias=False, rngs=rngs)
        self.pool = average_pool(2)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps ``[B, H, W, C]`` to ``[B, H // 2, W // 2, C // 2]``."""
        return self.pool(self.conv(nnx.relu(self.norm(x))))


class _Features(nnx.Module):
    def __init__(self, growth: int, layers: tuple[int, ...], channels: int, *, rngs: nnx.Rngs):
        self.conv0 = conv(3, channels, 7, stride=2, padding=3, bias=False, rngs=rngs)
        self.norm0 = BatchNorm(channels, after="conv0", rngs=rngs)
        for number, count in enumerate(layers, 1):
            block = DenseBlock(count, channels, growth, rngs=rngs)
            setattr(self, f"denseblock{number}", block)
            channels += count * growth
            if number < len(layers):
                setattr(self, f"transition{number}", Transition(channels, rngs=rngs))
                channels //= 2
        self.norm5 = BatchNorm(channels, rngs=rngs)


class DenseNet(nnx.Module):
    """The convolutional part of a DenseNet.

    Args:
      growth: Number of channels that each layer adds.
      layers: Number of layers in each of the four blocks.
      channels: Number of channels of the first convolution.
      rngs: Source of the initial parameters.
    """

    inner = (
        *("denseblock1", "transition1"),
        *("denseblock2", "transition2"),
        *("denseblock3", "transition3"),
        "denseblock4",
    )

    def __init__(
        self, growth: int, layers: tuple[int, int, int, int], channels: int, *, rngs: nnx.Rngs
    ):
        self.features = _Features(growth, layers, channels, rngs=rngs)

    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        """Maps a preprocessed input ``[B, H, W, 3]`` to its named activations."""
        features = self.features
        rectified, x = rectify_and_pool(features.conv0, features.norm0, x)
        activations = {"relu0": rectified, "pool0": x}
        for name in self.inner:
            activations[name] = x = getattr(features, name)(x)
        activations["relu5"] = nnx.relu(features.norm5(x))
        return activations


VARIANTS = {
    "densenet121": functools.partial(DenseNet, 32, (6, 12, 24, 16), 64),
    "densenet161": functools.partial(DenseNet, 48, (6, 12, 36, 24), 96),
    "densenet169": functools.partial(DenseNet, 32, (6, 12, 32, 32), 64),
    "densenet201": functools.partial(DenseNet, 32, (6, 12, 48, 32), 64),
}
"""Builders by architecture; they take the keyword argument ``rngs``."""
