"""PerceptNet, a model of the early visual system whose weights were fitted to ratings."""

import re
from collections.abc import Mapping

import numpy as np

from iqa_jax.images.preprocess import IDENTITY
from iqa_jax.weights.conversion import Rename
from iqa_jax.weights.download import UrlFile
from iqa_jax.zoo.entries import Arrays, Conversion, Model, Source
from iqa_jax.zoo.licences import NOT_STATED

_PUBLICATIONS = ("hepburn2020perceptnet",)


def _to_hwio(kernel: np.ndarray) -> np.ndarray:
    return kernel.transpose(2, 3, 1, 0)


_AUTHORS = Source(
    file=UrlFile(
        "https://github.com/alexhepburn/perceptnet/raw/master/saved_networks/"
        "percept_colour_tid2008.pth",
        147_739,
    ),
    sha256="c8780e6859906cd1abc54e64d5a579448c43de0abe008590074c0caeb8174973",
    licence=NOT_STATED,
    publications=_PUBLICATIONS,
)

_KERAS = Source(
    file=UrlFile(
        "https://github.com/Jorgvt/perceptnet/releases/download/Weights/final_model_rgb.h5"
    ),
    sha256="",
    licence=NOT_STATED,
    publications=_PUBLICATIONS,
    note="trained again in Keras by J. Vila-Tomas",
)

_KERAS_NAME = re.compile(r"(gdn|conv2d)(?:_(\d+))?\.(?:.+\.)?(kernel|bias|alpha|epsilon):0")
_EXPONENTS = {"alpha": 2.0, "epsilon": 0.5}


def _from_keras(arrays: Arrays) -> Arrays:
    """Names layers by their order; Keras numbers all layers that a program has made.

    Raises:
      ValueError: If the exponents of a normalisation are not those of PerceptNet.
    """
    matches = {name: _KERAS_NAME.fullmatch(name) for name in arrays}
    layers = sorted({(m[1], int(m[2] or 0)) for m in matches.values() if m})
    orders = {
        layer: sum(each[0] == layer[0] for each in layers[: place + 1])
        for place, layer in enumerate(layers)
    }
    found = {}
    for name, array in arrays.items():
        match = matches[name]
        if match is None:
            found[name] = array
            continue
        kind, number, leaf = match.groups()
        order = orders[kind, int(number or 0)]
        if leaf not in _EXPONENTS:
            leaf = leaf if kind == "conv2d" else {"kernel": "gamma", "bias": "beta"}[leaf]
            found[f"{'conv' if kind == 'conv2d' else 'gdn'}{order}.{leaf}"] = array
        elif not np.allclose(array, _EXPONENTS[leaf]):
            raise ValueError(f"{name}: is {array}, expected {_EXPONENTS[leaf]}")
    return found


def _of_hugging_face(name: str) -> Source:
    return Source(
        file=UrlFile(f"https://huggingface.co/Jorgvt/{name}/resolve/main/weights.safetensors"),
        sha256="",
        licence="Apache-2.0",
        publications=("vilatomas2024parametric", *_PUBLICATIONS),
    )


def _for_three_channels(value: np.ndarray) -> np.ndarray:
    return np.repeat(value, 3)


_KERNELS, _GDN = r"state\.precalc_filter", r"GDNSpatioChromaFreqOrient_0"
_POOLING = rf"{_GDN}\.ChromaFreqOrientGaussianGamma_0"
_PARAMETRIC_RENAMES = (
    Rename(r"params\.GDNGamma_0\.bias", "gdn1.bias", _for_three_channels),
    Rename(
        r"params\.GDNGamma_0\.kernel",
        "gdn1.kernel",
        lambda value: _for_three_channels(value).reshape(1, 1, 1, 3),
    ),
    Rename(r"params\.Color\.kernel", "conv1.kernel"),
    Rename(r"params\.GDN_0\.Conv_0\.(kernel|bias)", r"gdn2.\1"),
    Rename(rf"{_KERNELS}\.CenterSurroundLogSigmaK_0\.kernel", "conv2.kernel"),
    Rename(rf"{_KERNELS}\.GDNGaussian_0\.GaussianLayerGamma_0\.kernel", "gdn3.kernel"),
    Rename(r"params\.GDNGaussian_0\.GaussianLayerGamma_0\.bias", "gdn3.bias"),
    Rename(rf"{_KERNELS}\.GaborLayerGammaHumanLike__0\.kernel", "conv3.kernel"),
    Rename(rf"{_KERNELS}\.{_GDN}\.GaussianLayerGamma_0\.kernel", "gdn4.kernel"),
    Rename(rf"params\.{_GDN}\.bias", "gdn4.bias"),
    Rename(rf"params\.{_POOLING}\.(gamma_\w+|H_cc)", r"gdn4.pooling.\1"),
    Rename(r"params\.GaborLayerGammaHumanLike__0\.((freq|theta)_[atd])", r"gdn4.pooling.\1"),
    Rename(rf"params\.({_GDN}|LinearScaling_0)\.B", "scale"),  # since 2025 in a layer of its own
)
_GENERATORS = (
    r"params\.CenterSurroundLogSigmaK_0\.(logsigma|K|A)",
    rf"params\.(GDNGaussian_0|{_GDN})\.GaussianLayerGamma_0\.(gamma|A)",
    r"params\.GaborLayerGammaHumanLike__0\.((gammax|gammay|sigma_theta)_[atd]|A)",
    rf"{_KERNELS}\.{_POOLING}\.kernel",
)
"""Parameters from which the stored kernels were made, and a kernel that is made again."""

_LARGE_RENAMES = (
    *(
        Rename(rf"params\.GDN_{place}\.Conv_0\.(kernel|bias)", rf"gdn{place + 1}.\1")
        for place in range(4)
    ),
    Rename(r"params\.Color\.kernel", "conv1.kernel"),
    Rename(r"params\.Conv_0\.kernel", "conv2.kernel"),
    Rename(r"params\.Conv_1\.kernel", "conv3.kernel"),
)


def _model(trunk: str, parameters: int, recipe: str, conversion: Conversion) -> Model:
    return Model(
        architecture="perceptnet",
        goal="ratings",
        environment="tid2008",
        trunk=trunk,
        preprocessing=IDENTITY,
        parameters=parameters,
        conversions=(conversion,),
        recipe=recipe,
    )


MODELS: Mapping[str, Model] = {
    "perceptnet-ratings-tid2008": _model(
        *("perceptnet", 36_368, "perceptnet"),
        Conversion(_AUTHORS, (Rename(r"(gdn\d)\.gamma", r"\1.gamma", _to_hwio),)),
    ),
    "perceptnet-ratings-tid2008-keras": _model(
        *("perceptnet_same", 36_368, "perceptnet-keras"),
        Conversion(_KERAS, rearrange=_from_keras),
    ),
    "perceptnet-ratings-tid2008-parametric": _model(
        *("perceptnet_parametric", 430_157, "paramperceptnet"),
        Conversion(_of_hugging_face("ppnet-fully-trained"), _PARAMETRIC_RENAMES, _GENERATORS),
    ),
    "perceptnet-ratings-tid2008-biofitted": _model(
        *("perceptnet_parametric", 430_157, "paramperceptnet-biofitted"),
        Conversion(_of_hugging_face("ppnet-bio-fitted"), _PARAMETRIC_RENAMES, _GENERATORS),
    ),
    "perceptnet-ratings-tid2008-large": _model(
        *("perceptnet_large", 7_598_852, "paramperceptnet-baseline"),
        Conversion(_of_hugging_face("ppnet-baseline"), _LARGE_RENAMES),
    ),
}
"""Models by name: by their first author; in Keras; with kernels of a parametric form, all of whose
parameters or only those of the last layer were trained; and with free kernels of the same size."""
