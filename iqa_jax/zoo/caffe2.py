"""Names of the Caffe2 blobs that Goyal et al. 2019 (arXiv 1905.01235) trained and exported.

The jigsaw networks have nine towers, ``s0`` to ``s8``, with shared kernels but separate batch
norms; the first tower is used, as in VISSL. Images are BGR, so the input channels of the first
kernel are reversed (which leaves a single channel unchanged).
"""

import numpy as np

from iqa_jax.weights.conversion import Rename


def _reverse_channels(kernel: np.ndarray) -> np.ndarray:
    """Reverses the input channels of an OIHW kernel: BGR to RGB or back."""
    return kernel[:, ::-1]


_FIRST_TOWER = Rename(r"(.+)_s0(_.+)", r"\1\2")

_CONVOLUTIONS = (("w", "weight"), ("b", "bias"))
_NORMS = (("s", "weight"), ("b", "bias"), ("rm", "running_mean"), ("riv", "running_var"))
"""Last parts of names in Caffe2 and in PyTorch; despite its name, ``riv`` is the variance."""

_BLOCKS = ((1, 0), (2, 2), (3, 4), (4, 5), (5, 6))
"""Numbers of AlexNet's convolutions and of the VISSL blocks that contain them."""

ALEXNET: tuple[Rename, ...] = (
    _FIRST_TOWER,
    Rename(r"conv1_w", r"conv1_w", _reverse_channels),
    *(
        Rename(rf"conv{number}_{leaf}", f"_feature_blocks.{block}.0.{name}")
        for number, block in _BLOCKS
        for leaf, name in _CONVOLUTIONS
    ),
    *(
        Rename(rf"conv{number}(?:norm|_bn)_{leaf}", f"_feature_blocks.{block}.1.{name}")
        for number, block in _BLOCKS
        for leaf, name in _NORMS
    ),
)
"""Renames from Caffe2 to the names of VISSL's AlexNets."""

_BRANCHES = (
    ("branch2a", "conv1", "bn1"),
    ("branch2b", "conv2", "bn2"),
    ("branch2c", "conv3", "bn3"),
    ("branch1", "downsample.0", "downsample.1"),
)
"""Parts of a residual block: Caffe2 name, our convolution, our batch norm."""

_STAGES = ((2, 1), (3, 2), (4, 3), (5, 4))

RESNET: tuple[Rename, ...] = (
    _FIRST_TOWER,
    Rename(r"conv1_w", r"conv1.weight", _reverse_channels),
    *(Rename(rf"res_conv1_bn_{leaf}", f"bn1.{name}") for leaf, name in _NORMS),
    *(Rename(rf"res{stage}_(\d+)_(.+)", rf"layer{layer}.\1.\2") for stage, layer in _STAGES),
    *(
        Rename(rf"(layer\d\.\d+)\.{branch}_w", rf"\1.{conv}.weight")
        for branch, conv, _ in _BRANCHES
    ),
    *(
        Rename(rf"(layer\d\.\d+)\.{branch}_bn_{leaf}", rf"\1.{norm}.{name}")
        for branch, _, norm in _BRANCHES
        for leaf, name in _NORMS
    ),
)
"""Renames from Caffe2 to torchvision's names."""

IGNORED: tuple[str, ...] = (
    r".+_s[1-8]_.+",  # the other towers
    r".+_momentum",
    r"lr",
    r"model_iter",
    r"(fc|pred).*",  # classifiers
)
