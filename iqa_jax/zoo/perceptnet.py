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


def _model(trunk: str, recipe: str, conversion: Conversion) -> Model:
    return Model(
        architecture="perceptnet",
        goal="ratings",
        environment="tid2008",
        trunk=trunk,
        preprocessing=IDENTITY,
        parameters=36_368,
        conversions=(conversion,),
        recipe=recipe,
    )


MODELS: Mapping[str, Model] = {
    "perceptnet-ratings-tid2008": _model(
        *("perceptnet", "perceptnet"),
        Conversion(_AUTHORS, (Rename(r"(gdn\d)\.gamma", r"\1.gamma", _to_hwio),)),
    ),
    "perceptnet-ratings-tid2008-keras": _model(
        *("perceptnet_same", "perceptnet-keras"), Conversion(_KERAS, rearrange=_from_keras)
    ),
}
