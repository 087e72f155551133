"""The original VGGs and SqueezeNet of their authors, converted by Keras and others.

Also the VGGs of DISTS, DeepWSD and DeepDC: torchvision's weights in other surroundings.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from iqa_jax.images.preprocess import IDENTITY, IMAGENET, Preprocessing
from iqa_jax.weights.conversion import Rename
from iqa_jax.weights.download import UrlFile
from iqa_jax.zoo import torchvision
from iqa_jax.zoo.entries import Conversion, Model, Source
from iqa_jax.zoo.torchvision import TORCHVISION, TORCHVISION_LICENCE

_KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"
_KERAS_SQUEEZENET = "https://github.com/rcmalli/keras-squeezenet/releases/download/v1.0"

_VGG = "simonyan2015very"
_VGG_EPOCHS = 74
"""Number of epochs in the paper."""
_SQUEEZENET = "iandola2016squeezenet"


def _unscaled(red: float, green: float, blue: float) -> Preprocessing:
    """Preprocessing to the range 0 to 255, minus a mean colour."""
    return Preprocessing((red / 255, green / 255, blue / 255), (1 / 255, 1 / 255, 1 / 255))


def _reverse_channels(kernel: np.ndarray) -> np.ndarray:
    """Reverses the input channels of an HWIO kernel: BGR to RGB."""
    return kernel[:, :, ::-1]


def _keras_vgg_renames(blocks: tuple[int, ...]) -> tuple[Rename, ...]:
    """Renames from ``block1_conv1``, ... (HWIO) to positions in torchvision's ``features``."""
    renames = [Rename(r"block1_conv1\.block1_conv1_W_1:0", r"features.0.kernel", _reverse_channels)]
    position = 0
    for block, convolutions in enumerate(blocks, 1):
        for number in range(1, convolutions + 1):
            layer = f"block{block}_conv{number}"
            renames += [
                Rename(rf"{layer}\.{layer}_W_1:0", f"features.{position}.kernel"),
                Rename(rf"{layer}\.{layer}_b_1:0", f"features.{position}.bias"),
            ]
            position += 2  # skip the ReLU
        position += 1  # skip the pooling
    return tuple(renames)


def _keras_vgg(trunk: str, blocks: tuple[int, ...], file: str, size: int, parameters: int) -> Model:
    source = Source(
        file=UrlFile(f"{_KERAS}/{trunk}/{file}", size),
        sha256="",
        licence="CC BY 4.0 (VGG, University of Oxford; converted by Keras)",
        publications=(_VGG,),
        note="converted by Keras Applications",
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
        epochs=_VGG_EPOCHS,
        training_resolution=224,
        recipe="oxford",
    )


_FIRES = ((2, 3), (3, 4), (4, 6), (5, 7), (6, 9), (7, 10), (8, 11), (9, 12))
"""Numbers of the fire modules and their positions in torchvision's ``features``."""

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


def _torchvision_weights(
    architecture: str, trunk: str, preprocessing: Preprocessing = IMAGENET
) -> Model:
    """A variant of a torchvision model, whose accuracy was measured without the change."""
    return dataclasses.replace(
        torchvision.MODELS[architecture],
        trunk=trunk,
        preprocessing=preprocessing,
        top1=None,
        accuracy_source="",
        in_study=False,
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
                    publications=(_VGG,),
                    note="ported from github.com/amdegroot/ssd.pytorch",
                ),
                ignored=(r"classifier\..*",),  # filled with NaN
            ),
        ),
        epochs=_VGG_EPOCHS,
        training_resolution=224,
        recipe="oxford",
    ),
    "vgg16-supervised-imagenet1k-l2pool": _torchvision_weights("vgg16", "vgg16_l2pool"),
    # Their authors give them images in [0, 1], without the preprocessing of the training.
    "vgg16-supervised-imagenet1k-deepwsd": _torchvision_weights("vgg16", "vgg16_l2pool", IDENTITY),
    "vgg19-supervised-imagenet1k-deepdc": _torchvision_weights("vgg19", "vgg19_conv5_4", IDENTITY),
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
                    publications=(_SQUEEZENET,),
                    note="converted by github.com/rcmalli/keras-squeezenet",
                ),
                _KERAS_SQUEEZENET_RENAMES,
            ),
        ),
        training_resolution=227,
        recipe="caffe",
    ),
}
