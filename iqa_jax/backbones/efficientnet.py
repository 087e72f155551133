"""EfficientNet: inverted bottlenecks with squeeze and excitation, scaled in width and depth.

Tan and Le 2019, arXiv 1905.11946; attribute names as in torchvision's ``efficientnet_b0``.
"""

import functools
import math

import jax
import jax.numpy as jnp
from flax import nnx

from iqa_jax.backbones.layers import BatchNorm, Chain, Layer, conv

STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
"""(expansion, kernel size, stride, channels, blocks) of B0, from table 1 of the paper."""


class SqueezeExcitation(nnx.Module):
    """Scales every channel by a function of the means of all channels (Hu et al. 2018)."""

    def __init__(self, channels: int, squeezed: int, *, rngs: nnx.Rngs):
        self.fc1 = conv(channels, squeezed, 1, rngs=rngs)
        self.fc2 = conv(squeezed, channels, 1, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps ``[B, H, W, C]`` to the same shape."""
        means = jnp.mean(x, axis=(1, 2), keepdims=True)
        return x * nnx.sigmoid(self.fc2(nnx.silu(self.fc1(means))))


class InvertedBottleneck(nnx.Module):
    """Expansion, depthwise convolution, squeeze and excitation, projection; the paper's MBConv.

    Args:
      in_channels: Number of channels of the input.
      out_channels: Number of channels of the output; the input is added if the shapes are equal.
      expansion: Factor by which the number of channels grows inside the block.
      size: Height and width of the depthwise kernel.
      stride: Stride of the depthwise convolution.
      epsilon: Constant added to the variance in batch normalisations.
      rngs: Source of the initial parameters.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        expansion: int,
        size: int,
        stride: int,
        epsilon: float,
        rngs: nnx.Rngs,
    ):
        inner = rounded(in_channels * expansion)
        unit = functools.partial(_unit, epsilon=epsilon, rngs=rngs)
        layers: list[Layer] = [unit(in_channels, inner, 1)] if inner != in_channels else []
        layers += [
            unit(inner, inner, size, stride=stride, groups=inner),
            SqueezeExcitation(inner, max(1, in_channels // 4), rngs=rngs),
            unit(inner, out_channels, 1, activation=None),
        ]
        self.block = Chain(layers)
        self.is_residual = stride == 1 and in_channels == out_channels

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps ``[B, H, W, C]`` to the next block's input."""
        y = self.block(x)
        return x + y if self.is_residual else y


def _unit(
    in_channels: int,
    out_channels: int,
    size: int,
    *,
    stride: int = 1,
    groups: int = 1,
    activation: Layer | None = nnx.silu,
    epsilon: float,
    rngs: nnx.Rngs,
) -> Chain:
    """Convolution, batch normalisation and activation."""
    options = {"stride": stride, "padding": (size - 1) // 2, "groups": groups}
    layers: list[Layer] = [
        conv(in_channels, out_channels, size, **options, bias=False, rngs=rngs),
        BatchNorm(out_channels, after="0", epsilon=epsilon, rngs=rngs),
    ]
    return Chain([*layers, activation] if activation else layers)


def rounded(channels: float) -> int:
    """The multiple of 8 nearest to ``channels``, but at least nine tenths of it."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * channels else rounded + 8


class EfficientNet(nnx.Module):
    """The convolutional part of an EfficientNet.

    Args:
      width: Multiplier for the number of channels.
      depth: Multiplier for the number of blocks in each stage.
      epsilon: Constant added to the variance in batch normalisations.
      rngs: Source of the initial parameters.
    """

    def __init__(self, width: float, depth: float, *, epsilon: float = 1e-5, rngs: nnx.Rngs):
        channels = rounded(32 * width)
        features: list[nnx.List] = [_unit(3, channels, 3, stride=2, epsilon=epsilon, rngs=rngs)]
        for expansion, size, stride, base, count in STAGES:
            stage = []
            for index in range(math.ceil(count * depth)):
                block = InvertedBottleneck(
                    channels,
                    rounded(base * width),
                    expansion=expansion,
                    size=size,
                    stride=stride if index == 0 else 1,
                    epsilon=epsilon,
                    rngs=rngs,
                )
                stage.append(block)
                channels = rounded(base * width)
            features.append(nnx.List(stage))
        features.append(_unit(channels, 4 * channels, 1, epsilon=epsilon, rngs=rngs))
        self.features = nnx.List(features)

    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        """Maps a preprocessed input ``[B, H, W, 3]`` to its named activations."""
        stem, *stages, head = self.features
        x = stem(x)
        activations = {"stem": x}
        for number, stage in enumerate(stages, 1):
            for index, block in enumerate(stage):
                activations[f"stage{number}.{index}"] = x = block(x)
        activations["head"] = head(x)
        return activations


VARIANTS = {
    "efficientnet_b0": functools.partial(EfficientNet, 1.0, 1.0),
    "efficientnet_b1": functools.partial(EfficientNet, 1.0, 1.1),
    "efficientnet_b2": functools.partial(EfficientNet, 1.1, 1.2),
    "efficientnet_b3": functools.partial(EfficientNet, 1.2, 1.4),
    "efficientnet_b4": functools.partial(EfficientNet, 1.4, 1.8),
    "efficientnet_b5": functools.partial(EfficientNet, 1.6, 2.2, epsilon=1e-3),
    "efficientnet_b6": functools.partial(EfficientNet, 1.8, 2.6, epsilon=1e-3),
    "efficientnet_b7": functools.partial(EfficientNet, 2.0, 3.1, epsilon=1e-3),
}
"""Builders by architecture; they take the keyword argument ``rngs``."""
