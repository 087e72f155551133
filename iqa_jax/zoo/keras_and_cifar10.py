"""Networks of other publishers.

The original VGGs and SqueezeNet, DISTS's variant of VGG-16, and ResNets for CIFAR-10.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from iqa_jax.images.preprocess import IMAGENET, Preprocessing
from iqa_jax.weights.conversion import Rename
from iqa_jax.weights.download import UrlFile
from iqa_jax.zoo import torchvision
from iqa_jax.zoo.entries import Conversion, Model, Source
from iqa_jax.zoo.torchvision import TORCHVISION, TORCHVISION_LICENCE

DISTS_CITATION = (
    "Ding et al., Image Quality Assessment: Unifying Structure and Texture Similarity, "
    "IEEE TPAMI 2020, arXiv 2004.07728"
)

_KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"
_KERAS_SQUEEZENET = "https://github.com/rcmalli/keras-squeezenet/releases/download/v1.0"
_CIFAR10 = "https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models"

_VGG = "Simonyan and Zisserman, ICLR 2015, arXiv 1409.1556"
_SQUEEZENET = "Iandola et al. 2016, arXiv 1602.07360"
_RESNET = (
    "He et al., CVPR 2016, arXiv 1512.03385; Idelbayev, Proper ResNet Implementation for "
    "CIFAR10/CIFAR100 in PyTorch, github.com/akamaster/pytorch_resnet_cifar10"
)


def _unscaled(red: float, green: float, blue: float) -> Preprocessing:
    """0 to 255 minus a mean colour."""
    return Preprocessing((red / 255, green / 255, blue / 255), (1 / 255, 1 / 255, 1 / 255))


def _reverse_channels(kernel: np.ndarray) -> np.ndarray:
    """HWIO, the input from BGR to RGB."""
    return kernel[:, :, ::-1]


def _keras_vgg_renames(blocks: tuple[int, ...]) -> tuple[Rename, ...]:
    """``block1_conv1``, ... with kernels in HWIO -> positions in torchvision's ``features``."""
    renames = [Rename(r"block1_conv1\.block1_conv1_W_1:0", r"features.0.kernel", _reverse_channels)]
    position = 0
    for block, convolutions in enumerate(blocks, 1):
        for number in range(1, convolutions + 1):
            layer = f"block{block}_conv{number}"
            renames += [
                Rename(rf"{layer}\.{layer}_W_1:0", f"features.{position}.kernel"),
                Rename(rf"{layer}\.{layer}_b_1:0", f"features.{position}.bias"),
            ]
            position += 2  # a rectification follows
        position += 1  # a pooling
    return tuple(renames)


def _keras_vgg(trunk: str, blocks: tuple[int, ...], file: str, size: int, parameters: int) -> Model:
    source = Source(
        file=UrlFile(f"{_KERAS}/{trunk}/{file}", size),
        sha256="",
        licence="CC BY 4.0 (VGG, University of Oxford; converted by Keras)",
        citation=f"{_VGG}; converted by Keras Applications",
    )
    return Model(
        architecture=trunk,
        goal="supervised",
        environment="imagenet1k",
        trunk=trunk,
        preprocessing=_unscaled(123.68, 116.779, 103.939),
        parameters=parameters,
        conversions=(Conversion(source, _keras_vgg_renames(blocks)),),
        top1=71.3,
        accuracy_source="Keras Applications",
    )


_FIRES = ((2, 3), (3, 4), (4, 6), (5, 7), (6, 9), (7, 10), (8, 11), (9, 12))
"""Numbers of the fire modules, and their positions in torchvision's ``features``."""

_FIRE_PARTS = (("squeeze1x1", "squeeze"), ("expand1x1", "expand1x1"), ("expand3x3", "expand3x3"))

_KERAS_SQUEEZENET_RENAMES = (
    Rename(r"conv1\.conv1_\d\.kernel:0", r"features.0.kernel", _reverse_channels),
    Rename(r"conv1\.conv1_\d\.bias:0", r"features.0.bias"),
    *(
        Rename(
            rf"fire{fire}\.{part}\.fire{fire}\.{part}_\d\.(kernel|bias):0",
            rf"features.{position}.{name}.\1",
        )
        for fire, position in _FIRES
        for part, name in _FIRE_PARTS
    ),
)


def _cifar10(trunk: str, file: str, sha256: str, size: int, parameters: int) -> Model:
    source = Source(UrlFile(f"{_CIFAR10}/{file}", size), sha256, "BSD-2-Clause", _RESNET)
    return Model(
        architecture=trunk,
        goal="supervised",
        environment="cifar10",
        trunk=trunk,
        preprocessing=IMAGENET,
        parameters=parameters,
        conversions=(Conversion(source, ignored=(r"linear\..*",)),),
    )


MODELS: Mapping[str, Model] = {
    "vgg16-supervised-imagenet1k-keras": _keras_vgg(
        *("vgg16", (2, 2, 3, 3, 3), "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"),
        *(58_889_256, 14_714_688),
    ),
    "vgg19-supervised-imagenet1k-keras": _keras_vgg(
        *("vgg19", (2, 2, 4, 4, 4), "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"),
        *(80_134_624, 20_024_384),
    ),
    "vgg16-supervised-imagenet1k-ssd": Model(
        architecture="vgg16",
        goal="supervised",
        environment="imagenet1k",
        trunk="vgg16",
        preprocessing=Preprocessing((0.48235, 0.45882, 0.40784), (1 / 255, 1 / 255, 1 / 255)),
        parameters=14_714_688,
        conversions=(
            Conversion(
                Source(
                    file=UrlFile(f"{TORCHVISION}/vgg16_features-amdegroot-88682ab5.pth"),
                    sha256="88682ab5",
                    licence=f"{TORCHVISION_LICENCE}; of the weights themselves: not stated",
                    citation=f"{_VGG}; ported from github.com/amdegroot/ssd.pytorch",
                ),
                ignored=(r"classifier\..*",),  # not a number
            ),
        ),
    ),
    "vgg16-supervised-imagenet1k-l2pool": dataclasses.replace(
        torchvision.MODELS[
            "vgg16"
        ],  # whose accuracy was measured with the poolings of its training
        trunk="vgg16_l2pool",
        top1=None,
        accuracy_source="",
        in_study=False,
    ),
    "squeezenet1_1-supervised-imagenet1k-caffe": Model(
        architecture="squeezenet1_1",
        goal="supervised",
        environment="imagenet1k",
        trunk="squeezenet1_1",
        preprocessing=_unscaled(123, 117, 104),
        parameters=722_496,
        conversions=(
            Conversion(
                Source(
                    file=UrlFile(
                        f"{_KERAS_SQUEEZENET}"
                        "/squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5",
                        3_032_184,
                    ),
                    sha256="2d935d8c102ad1232484a77da8e6fbdf3ff4ab608974a0d8b6283115ffff204f",
                    licence="BSD-2-Clause (SqueezeNet); converted by keras-squeezenet, MIT",
                    citation=f"{_SQUEEZENET}; converted by github.com/rcmalli/keras-squeezenet",
                ),
                _KERAS_SQUEEZENET_RENAMES,
            ),
        ),
    ),
    "resnet20-supervised-cifar10": _cifar10(
        *("resnet20", "resnet20-12fca82f.th"),
        "12fca82f0bebc4135bf1f32f6e3710e61d5108578464b84fd6d7f5c1b04036c8",
        *(1_099_231, 269_072),
    ),
    "resnet32-supervised-cifar10": _cifar10(
        *("resnet32", "resnet32-d509ac18.th"),
        "d509ac1820d7f25398913559d7e81a13229b1e7adc5648e3bfa5e22dc137f850",
        *(1_890_043, 463_504),
    ),
    "resnet44-supervised-cifar10": _cifar10(
        *("resnet44", "resnet44-014dd654.th"),
        "014dd6541728a1c700b1642ab640e211dc6eb8ed507d70697458dc8f8a0ae2e4",
        *(2_680_855, 657_936),
    ),
    "resnet56-supervised-cifar10": _cifar10(
        *("resnet56", "resnet56-4bfd9763.th"),
        "4bfd97631478d6b638d2764fd2baff3edb1d7d82252d54439343b6596b9b5367",
        *(3_471_733, 852_368),
    ),
}
