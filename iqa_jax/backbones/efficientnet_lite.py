"""EfficientNet-Lite: EfficientNet for small devices.

It has no squeeze and excitation, ReLU6 for activations, and a stem and a head that are not scaled.
Attribute names are those of ``efficientnet_lite_pytorch``, as are the paddings, which are those of
TensorFlow for images of the size that the network was trained with, whatever the size of an image.
"""

import functools
import math

import jax
from flax import nnx

from iqa_jax.backbones.efficientnet import STAGES, rounded
from iqa_jax.backbones.layers import BatchNorm, conv

_EPSILON = 1e-3
_STEM_CHANNELS, _HEAD_CHANNELS = 32, 1280


def _halved(size: int, stride: int) -> int:
    """Height or width after a convolution of TensorFlow's kind."""
    return math.ceil(size / stride)


def _padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after, with which TensorFlow keeps ``ceil(size / stride)`` positions."""
    total = max(0, (_halved(size, stride) - 1) * stride + kernel - size)
    return total // 2, total - total // 2


class InvertedBottleneck(nnx.Module):
    """Expansion, depthwise convolution and projection.

    Args:
      in_channels: Number of channels of the input.
      out_channels: Number of channels of the output; the input is added if the shapes are equal.
      expansion: Factor by which the number of channels grows inside the block.
      kernel: Height and width of the depthwise kernel.
      stride: Stride of the depthwise convolution.
      size: Height and width of the input for images of the training.
      rngs: Source of the initial parameters.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        expansion: int,
        kernel: int,
        stride: int,
        size: int,
        rngs: nnx.Rngs,
    ):
        norm = functools.partial(BatchNorm, epsilon=_EPSILON, rngs=rngs)
        inner = in_channels * expansion
        self.expands = expansion > 1
        if self.expands:
            self._expand_conv = conv(in_channels, inner, 1, bias=False, rngs=rngs)
            self._bn0 = norm(inner, after="_expand_conv")
        padding = _padding(size, kernel, stride)
        options = {"stride": stride, "padding": padding, "groups": inner}
        self._depthwise_conv = conv(inner, inner, kernel, **options, bias=False, rngs=rngs)
        self._bn1 = norm(inner, after="_depthwise_conv")
        self._project_conv = conv(inner, out_channels, 1, bias=False, rngs=rngs)
        self._bn2 = norm(out_channels, after="_project_conv")
        self.is_residual = stride == 1 and in_channels == out_channels

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps ``[B, H, W, C]`` to the next block's input."""
        y = nnx.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = nnx.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.is_residual else y


class EfficientNetLite(nnx.Module):
    """The convolutional part of an EfficientNet-Lite.

    Args:
      width: Multiplier for the number of channels of the stages.
      depth: Multiplier for the number of blocks in each stage but the first and the last.
      size: Height and width of the images of the training.
      rngs: Source of the initial parameters.
    """

    def __init__(self, width: float, depth: float, size: int, *, rngs: nnx.Rngs):
        norm = functools.partial(BatchNorm, epsilon=_EPSILON, rngs=rngs)
        options = {"stride": 2, "padding": _padding(size, 3, 2), "bias": False}
        self._conv_stem = conv(3, _STEM_CHANNELS, 3, **options, rngs=rngs)
        self._bn0 = norm(_STEM_CHANNELS, after="_conv_stem")
        size, channels = _halved(size, 2), _STEM_CHANNELS
        blocks, names = [], []
        for stage, (expansion, kernel, first_stride, base, count) in enumerate(STAGES, 1):
            is_scaled = 1 < stage < len(STAGES)
            for index in range(math.ceil(count * depth) if is_scaled else count):
                stride = first_stride if index == 0 else 1
                block = InvertedBottleneck(
                    channels,
                    rounded(base * width),
                    expansion=expansion,
                    kernel=kernel,
                    stride=stride,
                    size=size,
                    rngs=rngs,
                )
                blocks.append(block)
                names.append(f"stage{stage}.{index}")
                size, channels = _halved(size, stride), rounded(base * width)
        self._blocks = nnx.List(blocks)
        self.names = tuple(names)
        self._conv_head = conv(channels, _HEAD_CHANNELS, 1, bias=False, rngs=rngs)
        self._bn1 = norm(_HEAD_CHANNELS, after="_conv_head")

    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        """Maps a preprocessed input ``[B, H, W, 3]`` to its named activations."""
        x = nnx.relu6(self._bn0(self._conv_stem(x)))
        activations = {"stem": x}
        for name, block in zip(self.names, self._blocks, strict=True):
            activations[name] = x = block(x)
        activations["head"] = nnx.relu6(self._bn1(self._conv_head(x)))
        return activations


VARIANTS = {
    "efficientnet_lite0": functools.partial(EfficientNetLite, 1.0, 1.0, 224),
    "efficientnet_lite1": functools.partial(EfficientNetLite, 1.0, 1.1, 240),
    "efficientnet_lite2": functools.partial(EfficientNetLite, 1.1, 1.2, 260),
}
"""Builders by architecture; they take the keyword argument ``rngs``."""
