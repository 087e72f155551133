"""ResNets trained on CIFAR-10."""

from collections.abc import Mapping

from iqa_jax.images.preprocess import IMAGENET
from iqa_jax.weights.download import UrlFile
from iqa_jax.zoo.entries import Conversion, Model, Source

_URL = "https://github.com/akamaster/pytorch_resnet_cifar10/raw/master/pretrained_models"
_PUBLICATIONS = ("he2016deep", "idelbayev")


def _resnet(trunk: str, file: str, sha256: str, size: int, parameters: int) -> Model:
    source = Source(UrlFile(f"{_URL}/{file}", size), sha256, "BSD-2-Clause", _PUBLICATIONS)
    return Model(
        architecture=trunk,
        goal="supervised",
        environment="cifar10",
        trunk=trunk,
        preprocessing=IMAGENET,
        parameters=parameters,
        conversions=(Conversion(source, ignored=(r"linear\..*",)),),
        epochs=200,
        training_resolution=32,
        recipe="idelbayev",
    )


MODELS: Mapping[str, Model] = {
    "resnet20-supervised-cifar10": _resnet(
        *("resnet20", "resnet20-12fca82f.th"),
        "12fca82f0bebc4135bf1f32f6e3710e61d5108578464b84fd6d7f5c1b04036c8",
        *(1_099_231, 269_072),
    ),
    "resnet32-supervised-cifar10": _resnet(
        *("resnet32", "resnet32-d509ac18.th"),
        "d509ac1820d7f25398913559d7e81a13229b1e7adc5648e3bfa5e22dc137f850",
        *(1_890_043, 463_504),
    ),
    "resnet44-supervised-cifar10": _resnet(
        *("resnet44", "resnet44-014dd654.th"),
        "014dd6541728a1c700b1642ab640e211dc6eb8ed507d70697458dc8f8a0ae2e4",
        *(2_680_855, 657_936),
    ),
    "resnet56-supervised-cifar10": _resnet(
        *("resnet56", "resnet56-4bfd9763.th"),
        "4bfd97631478d6b638d2764fd2baff3edb1d7d82252d54439343b6596b9b5367",
        *(3_471_733, 852_368),
    ),
}
