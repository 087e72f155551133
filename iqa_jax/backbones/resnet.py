"""ResNet: residual blocks in stages of decreasing resolution.

He et al. 2016, arXiv 1512.03385; attribute names as in torchvision, whose bottlenecks have their
stride in the 3x3 convolution. The CIFAR-10 networks are those of section 4.2 of the paper.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from iqa_jax.backbones.layers import BatchNorm, Chain, Layer, conv
from iqa_jax.backbones.stem import rectify_and_pool


class BasicBlock(nnx.Module):
    """Two 3x3 convolutions and a shortcut.

    Args:
      in_channels: Number of channels of the input.
      width: Number of channels of both convolutions.
      stride: Stride of the first convolution.
      shortcut: Layer from the input to the shape of the output; None for the default: the identity
        if the shapes are equal, otherwise a 1x1 convolution.
      rngs: Source of the initial parameters.
    """

    expansion = 1

    def __init__(
        self,
        in_channels: int,
        width: int,
        *,
        stride: int = 1,
        shortcut: Layer | None = None,
        rngs: nnx.Rngs,
    ):
        self.conv1 = conv(in_channels, width, 3, stride=stride, padding=1, bias=False, rngs=rngs)
        self.bn1 = BatchNorm(width, after="conv1", rngs=rngs)
        self.conv2 = conv(width, width, 3, padding=1, bias=False, rngs=rngs)
        self.bn2 = BatchNorm(width, after="conv2", rngs=rngs)
        self.downsample = shortcut or _projection(in_channels, width, stride, rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps ``[B, H, W, C]`` to the next block's input."""
        y = nnx.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return nnx.relu(y + self.downsample(x))


class Bottleneck(nnx.Module):
    """A 1x1, a 3x3 and a 1x1 convolution and a shortcut.

    Args:
      in_channels: Number of channels of the input.
      width: Number of channels of the first two convolutions; the last has four times as many.
      stride: Stride of the 3x3 convolution.
      rngs: Source of the initial parameters.
    """

    expansion = 4

    def __init__(self, in_channels: int, width: int, *, stride: int = 1, rngs: nnx.Rngs):
        out_channels = self.expansion * width
        self.conv1 = conv(in_channels, width, 1, bias=False, rngs=rngs)
        self.bn1 = BatchNorm(width, after="conv1", rngs=rngs)
        self.conv2 = conv(width, width, 3, stride=stride, padding=1, bias=False, rngs=rngs)
        self.bn2 = BatchNorm(width, after="conv2", rngs=rngs)
        self.conv3 = conv(width, out_channels, 1, bias=False, rngs=rngs)
        self.bn3 = BatchNorm(out_channels, after="conv3", rngs=rngs)
        self.downsample = _projection(in_channels, out_channels, stride, rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps ``[B, H, W, C]`` to the next block's input."""
        y = nnx.relu(self.bn1(self.conv1(x)))
        y = nnx.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return nnx.relu(y + self.downsample(x))


def _projection(in_channels: int, out_channels: int, stride: int, rngs: nnx.Rngs) -> Chain:
    if stride == 1 and in_channels == out_channels:
        return Chain([])
    return Chain(
        [
            conv(in_channels, out_channels, 1, stride=stride, bias=False, rngs=rngs),
            BatchNorm(out_channels, after="0", rngs=rngs),
        ]
    )


class ResNet(nnx.Module):
    """The convolutional part of a ResNet.

    Args:
      block: :class:`BasicBlock` or :class:`Bottleneck`.
      blocks: Number of blocks in each of the four stages.
      in_channels: Number of channels of the input.
      last_stride: Stride of the last stage.
      rngs: Source of the initial parameters.
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[Bottleneck],
        blocks: tuple[int, int, int, int],
        *,
        in_channels: int = 3,
        last_stride: int = 2,
        rngs: nnx.Rngs,
    ):
        self.in_channels = in_channels
        self.conv1 = conv(in_channels, 64, 7, stride=2, padding=3, bias=False, rngs=rngs)
        self.bn1 = BatchNorm(64, after="conv1", rngs=rngs)
        stage = functools.partial(_stage, block, rngs=rngs)
        out = block.expansion
        self.layer1 = stage(blocks[0], 64, 64)
        self.layer2 = stage(blocks[1], 64 * out, 128, stride=2)
        self.layer3 = stage(blocks[2], 128 * out, 256, stride=2)
        self.layer4 = stage(blocks[3], 256 * out, 512, stride=last_stride)

    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        """Maps a preprocessed input ``[B, H, W, C]`` to its named activations."""
        rectified, x = rectify_and_pool(self.conv1, self.bn1, x)
        activations = {"conv1": rectified, "maxpool": x}
        stages = (self.layer1, self.layer2, self.layer3, self.layer4)
        return activations | _run_stages(stages, x)


class CifarResNet(nnx.Module):
    """The convolutional part of a ResNet for CIFAR-10.

    Args:
      blocks: Number of blocks in each of the three stages.
      rngs: Source of the initial parameters.
    """

    def __init__(self, blocks: int, *, rngs: nnx.Rngs):
        self.conv1 = conv(3, 16, 3, padding=1, bias=False, rngs=rngs)
        self.bn1 = BatchNorm(16, after="conv1", rngs=rngs)
        stage = functools.partial(_stage, BasicBlock, blocks, rngs=rngs)
        self.layer1 = stage(16, 16)
        self.layer2 = stage(16, 32, stride=2, shortcut=_subsample_and_pad)
        self.layer3 = stage(32, 64, stride=2, shortcut=_subsample_and_pad)

    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        """Maps a preprocessed input ``[B, H, W, 3]`` to its named activations."""
        x = nnx.relu(self.bn1(self.conv1(x)))
        return {"conv1": x} | _run_stages((self.layer1, self.layer2, self.layer3), x)


def _subsample_and_pad(x: jax.Array) -> jax.Array:
    """The paper's shortcut A: every second pixel, with zeros for the additional channels."""
    margin = x.shape[-1] // 2
    return jnp.pad(x[:, ::2, ::2], ((0, 0), (0, 0), (0, 0), (margin, margin)))


def _stage(
    block: type[BasicBlock] | type[Bottleneck],
    blocks: int,
    in_channels: int,
    width: int,
    *,
    rngs: nnx.Rngs,
    **first: Any,
) -> nnx.List:
    """Blocks at one resolution; ``first`` holds options for the first block only."""
    rest = [block(block.expansion * width, width, rngs=rngs) for _ in range(blocks - 1)]
    return nnx.List([block(in_channels, width, **first, rngs=rngs), *rest])


def _run_stages(stages: tuple[nnx.List, ...], x: jax.Array) -> dict[str, jax.Array]:
    """The output of every block, by name, starting with ``layer1.0``."""
    activations = {}
    for number, stage in enumerate(stages, 1):
        for index, block in enumerate(stage):
            activations[f"layer{number}.{index}"] = x = block(x)
    return activations


VARIANTS = {
    "resnet18": functools.partial(ResNet, BasicBlock, (2, 2, 2, 2)),
    "resnet34": functools.partial(ResNet, BasicBlock, (3, 4, 6, 3)),
    "resnet50": functools.partial(ResNet, Bottleneck, (3, 4, 6, 3)),
    "resnet101": functools.partial(ResNet, Bottleneck, (3, 4, 23, 3)),
    "resnet152": functools.partial(ResNet, Bottleneck, (3, 8, 36, 3)),
    # Goyal et al. 2019 (arXiv 1905.01235): input of luminance only, last stage without stride.
    "resnet50_colorization": functools.partial(
        ResNet, Bottleneck, (3, 4, 6, 3), in_channels=1, last_stride=1
    ),
    "resnet20": functools.partial(CifarResNet, 3),
    "resnet32": functools.partial(CifarResNet, 5),
    "resnet44": functools.partial(CifarResNet, 7),
    "resnet56": functools.partial(CifarResNet, 9),
}
"""Builders by architecture; they take the keyword argument ``rngs``."""
