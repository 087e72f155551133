"""AlexNet in the six variants for which pretrained weights exist.

Krizhevsky et al. 2012; ``alexnet`` is the one from "One weird trick for parallelizing convolutional
neural networks" (Krizhevsky 2014, arXiv 1404.5997), with torchvision's attribute names. The others
are the trunks of VISSL (Goyal et al. 2021), with VISSL's attribute names.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from iqa_jax.backbones.layers import (
    BatchNorm,
    Chain,
    Layer,
    conv,
    local_response_norm,
    max_pool,
    named_activations,
)


class AlexNet(nnx.Module):
    """The convolutional part of torchvision's: five convolutions, three overlapping poolings."""

    names = (
        *(None, "relu1", "pool1"),
        *(None, "relu2", "pool2"),
        *(None, "relu3"),
        *(None, "relu4"),
        *(None, "relu5", "pool5"),
    )

    def __init__(self, *, rngs: nnx.Rngs):
        self.features = Chain(
            [
                conv(3, 64, 11, stride=4, padding=2, rngs=rngs),
                nnx.relu,
                max_pool(3, 2),
                conv(64, 192, 5, padding=2, rngs=rngs),
                nnx.relu,
                max_pool(3, 2),
                conv(192, 384, 3, padding=1, rngs=rngs),
                nnx.relu,
                conv(384, 256, 3, padding=1, rngs=rngs),
                nnx.relu,
                conv(256, 256, 3, padding=1, rngs=rngs),
                nnx.relu,
                max_pool(3, 2),
            ]
        )

    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        """Maps a preprocessed input ``[B, H, W, 3]`` to its named activations."""
        return named_activations(self.features, self.names, x)


@dataclass(frozen=True)
class Trunk:
    """Differences between VISSL's AlexNets.

    Attributes:
      channels: Number of channels of the input and of the five convolutions.
      stride: Stride of the first convolution.
      padding: Padding of the first convolution.
      groups: Number of groups of the second, fourth and fifth convolutions.
      normalised: Numbers of the convolutions that are followed by a batch normalisation.
      pooling: Layers between the first two convolutions, and between the second and the third.
    """

    channels: tuple[int, int, int, int, int, int]
    stride: int = 4
    padding: int = 0
    groups: int = 1
    normalised: tuple[int, ...] = (1, 2, 3, 4, 5)
    pooling: tuple[Layer, ...] = (max_pool(3, 2),)


class VisslAlexNet(nnx.Module):
    """The convolutional part of one of VISSL's AlexNets.

    Args:
      trunk: Variant of the architecture.
      front: Layer applied to the preprocessed input before the first convolution.
      rngs: Source of the initial parameters.
    """

    names = ("conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5")

    def __init__(self, trunk: Trunk, front: Layer | None = None, *, rngs: nnx.Rngs):
        def block(number: int, size: int, **options: Any) -> Chain:
            before, channels = trunk.channels[number - 1 : number + 1]
            convolution = conv(before, channels, size, **options, rngs=rngs)
            if number in trunk.normalised:
                return Chain([convolution, BatchNorm(channels, after="0", rngs=rngs), nnx.relu])
            return Chain([convolution, nnx.relu])

        self._feature_blocks = nnx.List(
            [
                block(1, 11, stride=trunk.stride, padding=trunk.padding),
                Chain(trunk.pooling),
                block(2, 5, padding=2, groups=trunk.groups),
                Chain(trunk.pooling),
                block(3, 3, padding=1),
                block(4, 3, padding=1, groups=trunk.groups),
                block(5, 3, padding=1, groups=trunk.groups),
                max_pool(3, 2),
            ]
        )
        self.front = front
        self.in_channels = 3 if front else trunk.channels[0]

    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        """Maps a preprocessed input ``[B, H, W, C]`` to its named activations."""
        return named_activations(
            self._feature_blocks, self.names, self.front(x) if self.front else x
        )


_SOBEL = (
    ((1.0, 0.0, -1.0), (2.0, 0.0, -2.0), (1.0, 0.0, -1.0)),
    ((1.0, 2.0, 1.0), (0.0, 0.0, 0.0), (-1.0, -2.0, -1.0)),
)


def sobel(x: jax.Array) -> jax.Array:
    """Horizontal and vertical derivatives of the channel mean: ``[B, H, W, 3]`` to two channels.

    These are the fixed first layers of DeepCluster (Caron et al. 2018, arXiv 1807.05520).
    """
    gray = jnp.pad(jnp.mean(x, axis=-1), ((0, 0), (1, 1), (1, 1)))
    height, width = x.shape[1:3]

    def correlate(kernel: Sequence[Sequence[float]]) -> jax.Array:
        return sum(
            (
                weight * gray[:, row : row + height, column : column + width]
                for row, weights in enumerate(kernel)
                for column, weight in enumerate(weights)
                if weight
            ),
            start=jnp.zeros_like(x[..., 0]),
        )

    return jnp.stack([correlate(kernel) for kernel in _SOBEL], axis=-1)


_WIDE = (96, 256, 384, 384, 256)

VARIANTS = {
    "alexnet": AlexNet,
    # Caffe's reference AlexNet, with groups and local response normalisation.
    "alexnet_bvlc": functools.partial(
        VisslAlexNet,
        Trunk((3, *_WIDE), groups=2, normalised=(), pooling=(local_response_norm, max_pool(3, 2))),
    ),
    # Goyal et al. 2019 (arXiv 1905.01235), for jigsaw puzzles; the first stride is 2.
    "alexnet_jigsaw": functools.partial(
        VisslAlexNet,
        Trunk(
            (3, *_WIDE),
            stride=2,
            groups=2,
            normalised=(3, 4, 5),
            pooling=(max_pool(3, 2), local_response_norm),
        ),
    ),
    # Goyal et al. 2019, for colorization; the input is luminance only.
    "alexnet_colorization": functools.partial(VisslAlexNet, Trunk((1, *_WIDE), groups=2)),
    # Gidaris et al. 2018 (arXiv 1803.07728).
    "alexnet_rotnet": functools.partial(
        VisslAlexNet, Trunk((3, 64, 192, 384, 256, 256), padding=2)
    ),
    # Caron et al. 2018 (arXiv 1807.05520); the input is derivatives only.
    "alexnet_deepcluster": functools.partial(VisslAlexNet, Trunk((2, *_WIDE), padding=2), sobel),
}
"""Builders by architecture; they take the keyword argument ``rngs``."""
