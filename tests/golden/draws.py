"""Weights and images that a seed reproduces, and the statistics that a golden file keeps.

Everything is computed from the raw bits of a counter-based generator, with arithmetic that gives
the same result on every machine: NumPy promises never to change the bits, unlike its distributions.
"""

import math
import re
import zlib
from collections.abc import Mapping

import numpy as np

KEPT_CHANNELS = 32
"""Maximum number of channels kept of a layer, evenly spaced."""

_BRANCH_END = re.compile(
    r"layer\d+\.\d+\.bn[23]\.weight"  # last norm of a ResNet block
    r"|features\.\d+\.[1-9]\d*\.block\.[23]\.1\.weight"  # last norm of a residual MBConv
    r"|_blocks\.\d+\._bn2\.weight"  # last norm of an MBConv of EfficientNet-Lite
    r"|features\.\d+\.\d+\.layer_scale"  # end of a ConvNeXt block
    r"|blocks\.\d+\.ls[12]\.gamma"  # ends of DINOv2's block
)
_BRANCH_SCALE = 0.3
"""Scale of a residual branch, so that sums of many branches stay small."""

_FIRST, _FIRST_NORM = "_feature_blocks.0.0.", "_feature_blocks.0.1.weight"
_FIRST_SCALE = 10.0
"""Scale of an AlexNet's first layer without batch norm: local response normalisation only has an
effect on large numbers."""

_NORMALISED = 0.1
"""Scale of the weights of a divisive normalisation, some of which are below their bound."""

_CONVNEXT = "features.0.0.bias"
"""Name of an array that only a ConvNeXt has."""
_BEFORE_LAYER_NORM = re.compile(r"features\.(0\.0|\d+\.\d+\.block\.0)\.(weight|bias)")
_TOKENS = ("cls_token", "pos_embed", "register_tokens")
"""Embeddings of a transformer, which are added to the patches or are tokens of their own."""
_BEFORE_SCALE = 0.03
"""Scale of a convolution before a layer norm, whose epsilon only matters for small numbers."""


def draw(shapes: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, np.ndarray]:
    """Draws the weights of a network so that its activations stay near 1 at any depth.

    Args:
      shapes: Shapes by PyTorch's names, without batch counters.
      seed: Seed of the values.

    Returns:
      Float32 arrays by name; convolutions and linear layers are scaled as in He et al. 2015.
    """
    return {name: _draw(name, tuple(shape), shapes, seed) for name, shape in shapes.items()}


def image(height: int, width: int, seed: int) -> np.ndarray:
    """A smooth image with noise, ``uint8`` [H, W, 3]."""
    cells = 5
    coarse = _bits(seed, f"coarse {height}x{width}", (cells + 1) ** 2 * 3) >> np.uint32(24)
    coarse = coarse.astype(np.int64).reshape(cells + 1, cells + 1, 3)
    rows, columns = (np.arange(size) * cells * 256 // size for size in (height, width))
    y, x = rows // 256, columns // 256
    v, u = (rows % 256)[:, None, None], (columns % 256)[None, :, None]
    upper = coarse[y][:, x] * (256 - u) + coarse[y][:, x + 1] * u
    lower = coarse[y + 1][:, x] * (256 - u) + coarse[y + 1][:, x + 1] * u
    smooth = (upper * (256 - v) + lower * v) >> 16
    noise = _bits(seed, f"noise {height}x{width}", height * width * 3) >> np.uint32(26)
    noise = noise.astype(np.int64).reshape(height, width, 3) - 32
    return np.clip(smooth + noise, 0, 255).astype(np.uint8)


def statistics(activation: np.ndarray) -> np.ndarray:
    """Statistics that are kept of an activation.

    Args:
      activation: Activation [H, W, C].

    Returns:
      Float32 vector: spatial means and (population) standard deviations of the kept channels, then
      the mean and standard deviation of the whole layer.
    """
    x = np.asarray(activation, np.float64)
    kept = x[..., kept_channels(x.shape[-1])]
    return np.concatenate(
        [kept.mean((0, 1)), kept.std((0, 1)), [x.mean(), x.std()]], dtype=np.float32
    )


def kept_channels(channels: int) -> np.ndarray:
    """Indices of the channels of a layer that :func:`statistics` keeps."""
    count = min(channels, KEPT_CHANNELS)
    return np.arange(count) * (channels - 1) // max(count - 1, 1)


def _draw(name: str, shape: tuple[int, ...], shapes: Mapping, seed: int) -> np.ndarray:
    uniform = _uniform(seed, name, shape)  # [-1, 1)
    scale = _scale(name, shapes)
    if name in _TOKENS:
        return uniform
    if name.endswith((".bias", ".running_mean")):
        return uniform * np.float32(scale * 0.1 * math.sqrt(3))
    if name.endswith(".gamma") and len(shape) == 4:
        return (np.float32(0.25) + uniform / 2) * np.float32(_NORMALISED)
    if len(shape) == 1 or name.endswith("layer_scale"):
        return (np.float32(1) + uniform / 2) * np.float32(scale)
    fan_in = math.prod(shape[1:])
    return uniform * np.float32(scale * math.sqrt(2 / fan_in) * math.sqrt(3))


def _scale(name: str, shapes: Mapping) -> float:
    if name.startswith(_FIRST):
        return 1.0 if _FIRST_NORM in shapes else _FIRST_SCALE
    if _CONVNEXT in shapes and _BEFORE_LAYER_NORM.fullmatch(name):
        return _BEFORE_SCALE
    third = name.replace(".bn2.", ".bn3.")  # if there is a third norm, the second is not the last
    is_end = _BRANCH_END.fullmatch(name) and (third == name or third not in shapes)
    return _BRANCH_SCALE if is_end else 1.0


def _uniform(seed: int, name: str, shape: tuple[int, ...]) -> np.ndarray:
    bits = _bits(seed, name, math.prod(shape)) >> np.uint32(
        8
    )  # 24 bits, which float32 represents exactly
    return (bits.astype(np.float32) * np.float32(2**-23) - np.float32(1)).reshape(shape)


def _bits(seed: int, name: str, count: int) -> np.ndarray:
    generator = np.random.Philox(key=np.array([seed, zlib.crc32(name.encode())], np.uint64))
    return generator.random_raw((count + 1) // 2).astype("<u8").view("<u4")[:count]
