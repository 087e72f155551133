"""ConvNeXt: a ResNet modernised after vision transformers.

Liu et al. 2022, arXiv 2201.03545; attribute names as in torchvision's ``convnext_tiny``.
"""

import functools

import jax
import jax.numpy as jnp
from flax import nnx

from iqa_jax.backbones.layers import Chain, conv

_EPSILON = 1e-6


def _layer_norm(channels: int, rngs: nnx.Rngs) -> nnx.LayerNorm:
    return nnx.LayerNorm(channels, epsilon=_EPSILON, use_fast_variance=False, rngs=rngs)


def _pass(x: jax.Array) -> jax.Array:
    """Placeholder where the original permutes between NCHW and NHWC."""
    return x


class InvertedBottleneck(nnx.Module):
    """A residual block: a depthwise 7x7 convolution, then two linear layers at every position."""

    def __init__(self, channels: int, *, rngs: nnx.Rngs):
        self.layer_scale = nnx.Param(jnp.full((channels,), 1e-6))
        self.block = Chain(
            [
                conv(channels, channels, 7, padding=3, groups=channels, rngs=rngs),
                _pass,
                _layer_norm(channels, rngs),
                nnx.Linear(channels, 4 * channels, rngs=rngs),
                functools.partial(nnx.gelu, approximate=False),
                nnx.Linear(4 * channels, channels, rngs=rngs),
            ]
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps ``[B, H, W, C]`` to the same shape."""
        scale = self.layer_scale[...].reshape(1, 1, 1, -1)
        return x + scale * self.block(x)


class ConvNeXt(nnx.Module):
    """The convolutional part of a ConvNeXt.

    Args:
      blocks: Number of blocks in each of the four stages.
      channels: Number of channels of each stage.
      rngs: Source of the initial parameters.
    """

    def __init__(self, blocks: tuple[int, ...], channels: tuple[int, ...], *, rngs: nnx.Rngs):
        features: list[Chain] = [
            Chain([conv(3, channels[0], 4, stride=4, rngs=rngs), _layer_norm(channels[0], rngs)])
        ]
        names: list[str] = ["stem"]
        for stage, (count, width) in enumerate(zip(blocks, channels, strict=True), 1):
            if stage > 1:
                before = channels[stage - 2]
                halving = conv(before, width, 2, stride=2, rngs=rngs)
                features.append(Chain([_layer_norm(before, rngs), halving]))
                names.append(f"downsample{stage - 1}")
            features.append(Chain([InvertedBottleneck(width, rngs=rngs) for _ in range(count)]))
            names.append(f"stage{stage}")
        self.features = nnx.List(features)
        self.names = tuple(names)

    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        """Maps a preprocessed input ``[B, H, W, 3]`` to its named activations."""
        activations = {}
        for name, part in zip(self.names, self.features, strict=True):
            if name.startswith("stage"):
                for index, block in enumerate(part):
                    activations[f"{name}.{index}"] = x = block(x)
            else:
                activations[name] = x = part(x)
        return activations


VARIANTS = {
    "convnext_tiny": functools.partial(ConvNeXt, (3, 3, 9, 3), (96, 192, 384, 768)),
    "convnext_base": functools.partial(ConvNeXt, (3, 3, 27, 3), (128, 256, 512, 1024)),
}
"""Builders by architecture; they take the keyword argument ``rngs``."""
