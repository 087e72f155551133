"""Files of VISSL, of its predecessor, the benchmark of Goyal et al., and of Places365.

This module holds their URLs and licences, and turns their networks into registry entries.
"""

from iqa_jax.images.preprocess import IMAGENET, Preprocessing
from iqa_jax.weights.conversion import Rename
from iqa_jax.weights.download import UrlFile
from iqa_jax.zoo import caffe2
from iqa_jax.zoo.entries import Conversion, Model, Source

_VISSL_URL = "https://dl.fbaipublicfiles.com/vissl/model_zoo"
_FAIR_URL = "https://dl.fbaipublicfiles.com/fair_self_supervision_benchmark/models"
_PLACES365_URL = "https://places2.csail.mit.edu/models_places365"

# Licences.
VISSL = "MIT (VISSL)"
_FAIR = "CC BY-NC 4.0 (fair_self_supervision_benchmark)"
FAIR_BY_VISSL = f"{_FAIR}; converted by VISSL, which is MIT"
DEEPCLUSTER_BY_VISSL = "CC BY-NC 4.0 (deepcluster); converted by VISSL, which is MIT"
SEMISUPERVISED_BY_VISSL = (
    "CC BY-NC 4.0 (semi-supervised-ImageNet1K-models); converted by VISSL, which is MIT"
)
SWAV_BY_VISSL = "CC BY-NC 4.0 (swav); distributed by VISSL, which is MIT"
ROTNET_BY_VISSL = "MIT (FeatureLearningRotNet, VISSL)"
LEMNISCATE_BY_VISSL = "not stated (lemniscate.pytorch); converted by VISSL, which is MIT"
_PLACES365_LICENCE = "CC BY (Places365)"
_PLACES365 = ("zhou2017places",)

_PARAMETERS = {
    "alexnet": 2_469_696,
    "alexnet_bvlc": 2_334_080,
    "alexnet_jigsaw": 2_336_128,
    "alexnet_colorization": 2_313_600,
    "alexnet_rotnet": 2_472_000,
    "alexnet_deepcluster": 3_738_336,
    "resnet50": 23_508_032,
    "resnet50_colorization": 23_501_760,
}

_UNSCALED = Preprocessing(mean=IMAGENET.mean, std=(1 / 255, 1 / 255, 1 / 255))
"""Range 0 to 255, minus (123.675, 116.28, 103.53)."""
_LUMINANCE = Preprocessing(mean=(0.5,), std=(0.01,))
"""L of CIELAB minus 50."""

_PREPROCESSING = {
    "alexnet_bvlc": _UNSCALED,
    "alexnet_colorization": _LUMINANCE,
    "resnet50_colorization": _LUMINANCE,
}
"""Preprocessing other than ImageNet's, by trunk."""


def from_vissl(
    file: str, publications: tuple[str, ...], licence: str = VISSL, sha256: str = ""
) -> Conversion:
    """Conversion of a file in VISSL's model zoo.

    Args:
      file: Path below the zoo's URL.
      publications: Keys of the publications to cite for the weights.
      licence: Licence, as stated by the publisher.
      sha256: SHA-256 or its first digits; empty if unknown.
    """
    return Conversion(
        Source(UrlFile(f"{_VISSL_URL}/{file}"), sha256, licence, publications),
        # Numbered blocks (AlexNets) keep their names here; named ones (ResNets) lose the prefix.
        renames=(Rename(r"_feature_blocks\.([a-z].*)", r"\1"),),
        ignored=(
            r"_feature_blocks\.[89]\..*",  # RotNet's classifier
            r"sobel\..*",  # DeepCluster's constant first layers
            r"fc\..*",
            r"(projection_head|prototypes)\..*",  # DeepClusterV2's
        ),
    )


def from_caffe2(file: str, publications: tuple[str, ...]) -> Conversion:
    """Conversion of a Caffe2 file from the benchmark of Goyal et al."""
    return Conversion(
        Source(UrlFile(f"{_FAIR_URL}/{file}"), "", _FAIR, publications),
        renames=caffe2.RESNET if file.startswith("resnet") else caffe2.ALEXNET,
        ignored=caffe2.IGNORED,
    )


def from_places365(file: str) -> Conversion:
    """Conversion of a PyTorch file by the authors of Places365."""
    return Conversion(
        Source(UrlFile(f"{_PLACES365_URL}/{file}"), "", _PLACES365_LICENCE, _PLACES365),
        ignored=(r"(classifier|fc)\..*",),
    )


def trained(
    trunk: str,
    goal: str,
    environment: str,
    linear_probe: float | None,
    *conversions: Conversion,
    top1: float | None = None,
    accuracy_source: str = "VISSL's model zoo",
    epochs: int | None = None,
    training_resolution: int | None = 224,
    recipe: str = "vissl",
) -> Model:
    """A network of the study; the trunk determines architecture, preprocessing and size.

    Args:
      trunk: Key of ``backbones.ARCHITECTURES``.
      goal: Training objective.
      environment: Training images.
      linear_probe: Top-1 accuracy of a linear classifier on ImageNet-1k, in percent.
      conversions: Sources of the weights, the preferred one first.
      top1: Top-1 accuracy after supervised training, in percent.
      accuracy_source: Source of the accuracies.
      epochs: Number of passes over the training images; None if unknown.
      training_resolution: Height and width of the training images; None if unknown.
      recipe: Code and settings of the training, in a word.
    """
    return Model(
        architecture=trunk.partition("_")[0],
        goal=goal,
        environment=environment,
        trunk=trunk,
        preprocessing=_PREPROCESSING.get(trunk, IMAGENET),
        parameters=_PARAMETERS[trunk],
        conversions=conversions,
        top1=top1,
        linear_probe=linear_probe,
        accuracy_source=accuracy_source if linear_probe is not None else "",
        epochs=epochs,
        training_resolution=training_resolution,
        recipe=recipe,
        in_study=True,
    )
