"""Configurations for which the golden numbers in ``backbones/`` were made, and their readers.

``make_backbones.py`` writes ``backbones/NAME.npz`` for every entry of :data:`CONFIGURATIONS` and
``trunks/TRUNK.json.gz`` for every architecture in it; this module needs neither PyTorch nor JAX.
"""

import functools
import gzip
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from golden.draws import KEPT_CHANNELS

FOLDER = Path(__file__).parent
SIZES = ((67, 93), (101, 75))
"""Heights and widths of the two images."""
IMAGE_SEED = 1

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Input:
    """Input that a checkpoint in its own file format expects.

    Attributes:
      channels: Order of the channels, ``rgb`` or ``bgr``; ``luminance`` is OpenCV's 8-bit L in
        [-50, 50].
      scale: Factor by which pixels in [0, 255] are multiplied first.
      mean: Red, green and blue values subtracted second.
      std: Red, green and blue divisors applied last.
    """

    channels: str = "rgb"
    scale: float = 1 / 255
    mean: tuple[float, float, float] = _IMAGENET_MEAN
    std: tuple[float, float, float] = _IMAGENET_STD


@dataclass(frozen=True)
class Configuration:
    """A checkpoint file of the study.

    Attributes:
      trunk: Name of the architecture.
      format: Key of ``formats.FORMATS``.
      input: Input of the original network.
      seed: Seed of the weights.
      sizes: Heights and widths of the two images.
    """

    trunk: str
    format: str
    input: Input
    seed: int
    sizes: tuple[tuple[int, int], ...] = SIZES


IMAGENET = Input()
IMAGENET_BGR = Input("bgr")
LUMINANCE = Input("luminance")
_UNSCALED = {"scale": 1.0, "std": (1.0, 1.0, 1.0)}
CAFFENET = Input(mean=(123.675, 116.28, 103.53), **_UNSCALED)
CAFFENET_BGR = Input("bgr", mean=(123.675, 116.28, 103.53), **_UNSCALED)
KERAS = Input("bgr", mean=(123.68, 116.779, 103.939), **_UNSCALED)
SQUEEZENET_CAFFE = Input("bgr", mean=(123.0, 117.0, 104.0), **_UNSCALED)
IDENTITY = Input(mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
CLIP = Input(mean=(0.48145466, 0.4578275, 0.40821073), std=(0.26862954, 0.26130258, 0.27577711))
SYMMETRIC = Input(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
LITE = Input(scale=1.0, mean=(127.0, 127.0, 127.0), std=(128.0, 128.0, 128.0))
SSD = Input(mean=(0.48235, 0.45882, 0.40784), std=(1 / 255, 1 / 255, 1 / 255))

_TORCHVISION = (
    "alexnet vgg11 vgg13 vgg16 vgg19 vgg11_bn vgg13_bn vgg16_bn vgg19_bn resnet18 resnet34 resnet50"
    " resnet101 resnet152 densenet121 densenet161 densenet169 densenet201 squeezenet1_0"
    " squeezenet1_1 efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4"
    " efficientnet_b5 efficientnet_b6 efficientnet_b7 convnext_tiny convnext_base"
).split()

_ALEXNETS = {
    "supervised-imagenet1k-bvlc": ("alexnet_bvlc", "vissl-model", CAFFENET),
    "supervised-imagenet1k-bvlc@caffe2": ("alexnet_bvlc", "caffe2-npy", CAFFENET_BGR),
    "supervised-places205": ("alexnet_bvlc", "caffe2", CAFFENET_BGR),
    "supervised-places365": ("alexnet", "places365", IMAGENET),
    "jigsaw-imagenet1k": ("alexnet_jigsaw", "vissl-model", IMAGENET),
    "jigsaw-imagenet1k@caffe2": ("alexnet_jigsaw", "caffe2-siamese", IMAGENET_BGR),
    "jigsaw-imagenet22k": ("alexnet_jigsaw", "vissl-model", IMAGENET),
    "jigsaw-yfcc100m": ("alexnet_jigsaw", "vissl-model", IMAGENET),
    "colorization-imagenet1k": ("alexnet_colorization", "vissl-model", LUMINANCE),
    "colorization-imagenet1k@caffe2": ("alexnet_colorization", "caffe2", LUMINANCE),
    "colorization-imagenet22k": ("alexnet_colorization", "vissl-model", LUMINANCE),
    "colorization-yfcc100m": ("alexnet_colorization", "vissl-model", LUMINANCE),
    "rotnet-imagenet1k": ("alexnet_rotnet", "vissl-model", IMAGENET),
    "deepcluster-imagenet1k": ("alexnet_deepcluster", "vissl-model", IMAGENET),
}

_RESNET50S = {
    "supervised-imagenet1k-caffe2": ("resnet50", "vissl-model", IMAGENET),
    "supervised-imagenet1k-caffe2@caffe2": ("resnet50", "caffe2", IMAGENET_BGR),
    "supervised-places205": ("resnet50", "vissl-model", IMAGENET),
    "supervised-places365": ("resnet50", "places365", IMAGENET),
    "semisupervised-yfcc100m": ("resnet50", "vissl-model", IMAGENET),
    "semiweaklysupervised-instagram": ("resnet50", "vissl-model", IMAGENET),
    "jigsaw-imagenet1k": ("resnet50", "vissl-model", IMAGENET),
    "jigsaw-imagenet1k@caffe2": ("resnet50", "caffe2-siamese", IMAGENET_BGR),
    "jigsaw-imagenet22k": ("resnet50", "vissl-model", IMAGENET),
    "jigsaw-yfcc100m": ("resnet50", "vissl-model", IMAGENET),
    "colorization-imagenet1k": ("resnet50_colorization", "vissl-model", LUMINANCE),
    "colorization-imagenet1k@caffe2": ("resnet50_colorization", "caffe2", LUMINANCE),
    "colorization-imagenet22k": ("resnet50_colorization", "vissl-model", LUMINANCE),
    "colorization-yfcc100m": ("resnet50_colorization", "vissl-model", LUMINANCE),
    "rotnet-imagenet1k": ("resnet50", "vissl-classy", IMAGENET),
    "rotnet-imagenet22k": ("resnet50", "vissl-classy", IMAGENET),
    "clusterfit-imagenet1k": ("resnet50", "vissl-classy", IMAGENET),
    "npid-imagenet1k": ("resnet50", "vissl-model", IMAGENET),
    "npidpp-imagenet1k": ("resnet50", "vissl-classy", IMAGENET),
    "pirl-imagenet1k": ("resnet50", "vissl-classy", IMAGENET),
    "simclr-imagenet1k": ("resnet50", "vissl-classy", IMAGENET),
    "deepclusterv2-imagenet1k": ("resnet50", "vissl-flat", IMAGENET),
    "swav-imagenet1k": ("resnet50", "vissl-classy", IMAGENET),
    "mocov2-imagenet1k": ("resnet50", "vissl-classy", IMAGENET),
    "barlowtwins-imagenet1k": ("resnet50", "vissl-classy", IMAGENET),
}

_OTHERS = {
    "alexnet@old": ("alexnet", "torchvision-old", IMAGENET),
    "resnet18@legacy": ("resnet18", "torchvision-legacy", IMAGENET),
    "densenet121@dotless": ("densenet121", "torchvision", IMAGENET),
    "vgg16-supervised-imagenet1k-keras": ("vgg16", "keras", KERAS),
    "vgg19-supervised-imagenet1k-keras": ("vgg19", "keras", KERAS),
    "vgg16-supervised-imagenet1k-l2pool": ("vgg16_l2pool", "torchvision", IMAGENET),
    "vgg16-supervised-imagenet1k-deepwsd": ("vgg16_l2pool", "torchvision", IDENTITY),
    "vgg19-supervised-imagenet1k-deepdc": ("vgg19_conv5_4", "torchvision", IDENTITY),
    "vgg16-supervised-imagenet1k-ssd": ("vgg16", "ssd", SSD),
    "squeezenet1_1-supervised-imagenet1k-caffe": ("squeezenet1_1", "keras", SQUEEZENET_CAFFE),
    "resnet50-clip-wit400m": ("clip_resnet50", "clip", CLIP),
    "perceptnet-ratings-tid2008": ("perceptnet", "perceptnet", IDENTITY),
    "perceptnet-ratings-tid2008-keras": ("perceptnet_same", "perceptnet-keras", IDENTITY),
    **{
        f"perceptnet-ratings-tid2008-{name}": (trunk, form, IDENTITY)
        for name, trunk, form in (
            ("parametric", "perceptnet_parametric", "perceptnet-flax"),
            ("parametric@later", "perceptnet_parametric", "perceptnet-flax-later"),
            ("biofitted", "perceptnet_parametric", "perceptnet-flax"),
            ("large", "perceptnet_large", "perceptnet-flax"),
        )
    },
    **{
        f"efficientnet_lite{number}": (f"efficientnet_lite{number}", "torchvision-legacy", LITE)
        for number in range(3)
    },
    **{
        f"{trunk}-supervised-cifar10": (trunk, "cifar10", IMAGENET)
        for trunk in ("resnet20", "resnet32", "resnet44", "resnet56")
    },
}


_AUGREG, _SIGLIP2 = ("augreg", SYMMETRIC), ("siglip2", SYMMETRIC)
_DINO, _DINOV2, _MAE = (("state", IMAGENET), ("dinov2", IMAGENET), ("mae", IMAGENET))

_CLIP_SIDES = {"vitb32": 7, "vitb16": 14, "vitl14": 16}
"""Number of patches along a side of the images that CLIP's program takes."""

_TRANSFORMERS = {
    "vits16-supervised-imagenet21k": ("vits16_augreg", *_AUGREG),
    "vitb16-supervised-imagenet21k": ("vitb16_augreg", *_AUGREG),
    "vitl16-supervised-imagenet21k": ("vitl16_augreg", *_AUGREG),
    "vitb32-siglip2-webli": ("vitb32_siglip2", *_SIGLIP2),
    "vitb16-siglip2-webli": ("vitb16_siglip2", *_SIGLIP2),
    "vitl16-siglip2-webli": ("vitl16_siglip2", *_SIGLIP2),
    "vits16-dino-imagenet1k": ("vits16_dino", *_DINO),
    "vitb16-dino-imagenet1k": ("vitb16_dino", *_DINO),
    "vitb8-dino-imagenet1k": ("vitb8_dino", *_DINO),
    "vits14-dinov2-lvd142m": ("vits14_dinov2", *_DINOV2),
    "vitb14-dinov2-lvd142m": ("vitb14_dinov2", *_DINOV2),
    "vitl14-dinov2-lvd142m": ("vitl14_dinov2", *_DINOV2),
    "vits14-dinov2-lvd142m-reg4": ("vits14_dinov2_reg4", *_DINOV2),
    "vitb14-dinov2-lvd142m-reg4": ("vitb14_dinov2_reg4", *_DINOV2),
    "vitl14-dinov2-lvd142m-reg4": ("vitl14_dinov2_reg4", *_DINOV2),
    "vitb16-mae-imagenet1k": ("vitb16_mae", *_MAE),
    "vitl16-mae-imagenet1k": ("vitl16_mae", *_MAE),
    **{f"{size}-clip-wit400m": (f"{size}_clip", "clip", CLIP) for size in _CLIP_SIDES},
}


def _patches(trunk: str) -> tuple[tuple[int, int], ...]:
    """Heights and widths of the images for a transformer, in patches.

    The programs of Google and of MAE interpolate positions for squares alone.
    """
    size, _, family = trunk.partition("_")
    if family == "clip":
        return (_CLIP_SIDES[size], _CLIP_SIDES[size]), (5, 4)
    rectangles = family.startswith("dino")
    return ((2, 3), (5, 4)) if rectangles else ((3, 3), (5, 5))


def _sizes(trunk: str) -> tuple[tuple[int, int], ...]:
    if not trunk.startswith("vit"):
        return SIZES
    patch = int(trunk.partition("_")[0].removeprefix("vit")[1:])
    return tuple((rows * patch, columns * patch) for rows, columns in _patches(trunk))


def _torchvision_format(trunk: str) -> str:
    families = {"densenet": "densenet-dotted", "squeezenet": "torchvision-legacy"}
    return next((form for name, form in families.items() if trunk.startswith(name)), "torchvision")


CONFIGURATIONS: Mapping[str, Configuration] = {
    name: Configuration(*facts, seed=zlib.crc32(name.encode()), sizes=_sizes(facts[0]))
    for name, facts in {
        **{trunk: (trunk, _torchvision_format(trunk), IMAGENET) for trunk in _TORCHVISION},
        **{f"alexnet-{name}": facts for name, facts in _ALEXNETS.items()},
        **{f"resnet50-{name}": facts for name, facts in _RESNET50S.items()},
        **_OTHERS,
        **_TRANSFORMERS,
    }.items()
}
"""Configurations by model; ``MODEL@FORMAT`` is the same model from another kind of file."""


@dataclass(frozen=True)
class Trunk:
    """An architecture as defined in PyTorch.

    Attributes:
      parameters: Shapes by name, in PyTorch's layout, without batch counters.
      layers: For each layer, in forward order, (height, width, channels) at each size.
    """

    parameters: Mapping[str, tuple[int, ...]]
    layers: Mapping[str, tuple[tuple[int, int, int], ...]]


@functools.cache
def read_trunk(trunk: str) -> Trunk:
    """Reads the facts about an architecture."""
    facts = json.loads(gzip.decompress((FOLDER / "trunks" / f"{trunk}.json.gz").read_bytes()))
    return Trunk(
        {name: tuple(shape) for name, shape in facts["parameters"].items()},
        {name: tuple(map(tuple, sizes)) for name, sizes in facts["layers"].items()},
    )


def read_golden(name: str, folder: str = "backbones") -> list[dict[str, np.ndarray]]:
    """Reads the results of ``draws.statistics`` for every layer, at each size."""
    layers = read_trunk(CONFIGURATIONS[name].trunk).layers
    with np.load(FOLDER / folder / f"{name}.npz") as file:
        rows = file["statistics"]
    found = []
    for row in rows:
        ends = np.cumsum([2 * min(sizes[0][2], KEPT_CHANNELS) + 2 for sizes in layers.values()])
        found.append(dict(zip(layers, np.split(row, ends[:-1]), strict=True)))
    return found
