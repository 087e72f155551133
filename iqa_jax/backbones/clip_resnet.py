"""CLIP's ResNet: a ResNet with a stem of three convolutions that averages before it subsamples.

Radford et al. 2021, arXiv 2103.00020, section 2.4; attribute names as in the authors'
``ModifiedResNet``. Wherever a ResNet has a convolution with a stride, this one averages 2x2
positions (He et al. 2019, arXiv 1812.01187; Zhang 2019, arXiv 1904.11486). The attention that pools
the last layer into one vector is left out, as it is made for images of 224x224.
"""

import functools

import jax
from flax import nnx

from iqa_jax.backbones.layers import BatchNorm, Chain, Layer, average_pool, conv

_EXPANSION = 4


def _identity(x: jax.Array) -> jax.Array:
    return x


class AntialiasedBottleneck(nnx.Module):
    """A 1x1, a 3x3 and a 1x1 convolution and a shortcut; averages replace strides.

    Args:
      in_channels: Number of channels of the input.
      width: Number of channels of the first two convolutions; the last has four times as many.
      stride: Side of the squares of positions that are averaged.
      rngs: Source of the initial parameters.
    """

    def __init__(self, in_channels: int, width: int, *, stride: int = 1, rngs: nnx.Rngs):
        out_channels = _EXPANSION * width
        self.conv1 = conv(in_channels, width, 1, bias=False, rngs=rngs)
        self.bn1 = BatchNorm(width, after="conv1", rngs=rngs)
        self.conv2 = conv(width, width, 3, padding=1, bias=False, rngs=rngs)
        self.bn2 = BatchNorm(width, after="conv2", rngs=rngs)
        self.avgpool: Layer = average_pool(stride) if stride > 1 else _identity
        self.conv3 = conv(width, out_channels, 1, bias=False, rngs=rngs)
        self.bn3 = BatchNorm(out_channels, after="conv3", rngs=rngs)
        is_projected = stride > 1 or in_channels != out_channels
        self.downsample = Chain(
            [
                conv(in_channels, out_channels, 1, bias=False, rngs=rngs),
                BatchNorm(out_channels, after="0", rngs=rngs),
            ]
            if is_projected
            else []
        )

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps ``[B, H, W, C]`` to the next block's input."""
        y = nnx.relu(self.bn1(self.conv1(x)))
        y = nnx.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(self.avgpool(y)))
        return nnx.relu(y + self.downsample(self.avgpool(x)))


class ClipResNet(nnx.Module):
    """The convolutional part of CLIP's ResNet.

    Args:
      blocks: Number of blocks in each of the four stages.
      width: Number of channels of the stem's output.
      rngs: Source of the initial parameters.
    """

    def __init__(self, blocks: tuple[int, int, int, int], *, width: int = 64, rngs: nnx.Rngs):
        half = width // 2
        self.conv1 = conv(3, half, 3, stride=2, padding=1, bias=False, rngs=rngs)
        self.bn1 = BatchNorm(half, after="conv1", rngs=rngs)
        self.conv2 = conv(half, half, 3, padding=1, bias=False, rngs=rngs)
        self.bn2 = BatchNorm(half, after="conv2", rngs=rngs)
        self.conv3 = conv(half, width, 3, padding=1, bias=False, rngs=rngs)
        self.bn3 = BatchNorm(width, after="conv3", rngs=rngs)
        self.avgpool = average_pool(2)
        stages, in_channels = [], width
        for stage, count in enumerate(blocks):
            inner = width * 2**stage
            first = AntialiasedBottleneck(in_channels, inner, stride=2 if stage else 1, rngs=rngs)
            in_channels = _EXPANSION * inner
            rest = [AntialiasedBottleneck(in_channels, inner, rngs=rngs) for _ in range(count - 1)]
            stages.append(nnx.List([first, *rest]))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages

    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        """Maps a preprocessed input ``[B, H, W, 3]`` to its named activations."""
        activations = {}
        activations["conv1"] = x = nnx.relu(self.bn1(self.conv1(x)))
        activations["conv2"] = x = nnx.relu(self.bn2(self.conv2(x)))
        activations["conv3"] = x = nnx.relu(self.bn3(self.conv3(x)))
        activations["avgpool"] = x = self.avgpool(x)
        for number, stage in enumerate((self.layer1, self.layer2, self.layer3, self.layer4), 1):
            for index, block in enumerate(stage):
                activations[f"layer{number}.{index}"] = x = block(x)
        return activations


VARIANTS = {"clip_resnet50": functools.partial(ClipResNet, (3, 4, 6, 3))}
"""Builders by architecture; they take the keyword argument ``rngs``."""
