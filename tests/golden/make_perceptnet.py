"""Freezes what the programs of PerceptNet's authors compute with drawn weights.

Run it in an environment with torch, flax and einops, on a folder with clones of the authors'
repositories at ``originals.COMMITS`` and :data:`COMMITS`:

    PYTHONPATH=tests ORIGINALS=FOLDER python -m golden.make_perceptnet

``perceptnet.json`` has distances of the first program, whose layers ``make_backbones.py`` freezes.
It comes with weights without a licence, so the stored numbers come from drawn ones; with the
published weights, this package gives the distances of the authors' example. The layers of the later
programs, in Flax, are stored as in ``make_backbones.py``.
"""

import importlib
import json
import os
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import flax
import jax
import jax.numpy as jnp
import numpy as np
import torch
from golden import deep_pairs, draws, formats, originals
from golden.configurations import CONFIGURATIONS, FOLDER
from golden.freezing import freeze

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")

COMMITS = {
    "Jorgvt/paramperceptnet": "970945f",
    "Jorgvt/fxlayers": "4e60ab8",
}

NAME = "perceptnet-ratings-tid2008"
PAIRS = ("noise 65x97", "negative 178x161", "one level 178x161")

_CONFIG = types.SimpleNamespace(
    CS_KERNEL_SIZE=21,
    GDNGAUSSIAN_KERNEL_SIZE=11,
    GABOR_KERNEL_SIZE=31,
    GDNFINAL_KERNEL_SIZE=21,
    NORMALIZE_PROB=False,
    NORMALIZE_ENERGY=True,
    ZERO_MEAN=True,
    USE_BIAS=False,
    USE_GAMMA=True,
    A_GABOR=True,
)
"""The settings that the authors publish with their weights."""

_LAYERS = {
    "perceptnet_large": (
        *("GDN_0", "Color", None, "GDN_1", "Conv_0", None, "GDN_2", "Conv_1", "GDN_3"),
    ),
    "perceptnet_parametric": (
        *("GDNGamma_0", "Color", None, "GDN_0", "CenterSurroundLogSigmaK_0", None),
        *("GDNGaussian_0", "GaborLayerGammaHumanLike__0", "LinearScaling_0"),
    ),
}
"""Flax's names of our layers; None for a pooling."""

_NAMES = ("gdn1", "conv1", "maxpool1", "gdn2", "conv2", "maxpool2", "gdn3", "conv3", "gdn4")
_GABORS = 128


def main() -> None:
    """Writes all files."""
    _freeze_distances()
    for name, configuration in CONFIGURATIONS.items():
        if configuration.trunk in _LAYERS:
            print(name, *_freeze(name), flush=True)


@torch.no_grad()
def _freeze_distances() -> None:
    module = originals.build("perceptnet")
    originals.load(module, draws.draw(originals.shapes(module), CONFIGURATIONS[NAME].seed))
    module = module.double()
    scores = {}
    for name in PAIRS:
        r, d = (
            module(torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None] / 255.0)
            for image in (each.astype(np.float64) for each in deep_pairs.pair(name))
        )
        scores[name] = float(torch.norm(r - d, 2))
        print(name, scores[name], flush=True)
    origin = {
        "script": "tests/golden/make_perceptnet.py",
        "commits": {**originals.COMMITS, **COMMITS},
        "versions": {
            "torch": torch.__version__,
            "jax": jax.__version__,
            "flax": flax.__version__,
        },
    }
    text = json.dumps({"origin": origin, "scores": scores}, indent=2) + "\n"
    (FOLDER / "perceptnet.json").write_text(text)


def _freeze(name: str) -> tuple[float, float, float]:
    configuration = CONFIGURATIONS[name]
    trunk, form = configuration.trunk, formats.FORMATS[configuration.format]
    shapes = _shapes(trunk)
    tree = form.tree(trunk, form.stored(draws.draw(shapes, configuration.seed)))
    return freeze(name, shapes, lambda image, kind: _activations(trunk, tree, image / 255.0, kind))


def _shapes(trunk: str) -> dict[str, tuple[int, ...]]:
    """Shapes of the parameters in the layout of PyTorch."""
    is_parametric = trunk == "perceptnet_parametric"
    shapes = {
        "gdn1.weight": (3, 1, 1, 1),
        "gdn1.bias": (3,),
        "conv1.weight": (3, 3, 1, 1),
        "gdn2.weight": (3, 1, 1, 1),
        "gdn2.bias": (3,),
        "conv2.weight": (3, 3, 21, 21),
        "gdn3.weight": (3, 1, 11, 11),
        "gdn3.bias": (3,),
        "conv3.weight": (_GABORS, 3, 31, 31),
        "gdn4.weight": (_GABORS, 1 if is_parametric else _GABORS, 21, 21),
        "gdn4.bias": (_GABORS,),
    }
    if is_parametric:
        for colour, scales in {"a": 4, "t": 2, "d": 2}.items():
            for name, count in {
                "freq": scales,
                "theta": 8,
                "gamma_f": scales,
                "gamma_theta": 8,
            }.items():
                shapes[f"gdn4.pooling.{name}_{colour}"] = (count,)
        shapes |= {"gdn4.pooling.H_cc": (3, 3), "scale": (_GABORS,)}
    return shapes


def _activations(
    trunk: str, tree: Mapping[str, np.ndarray], image: np.ndarray, kind: str
) -> dict[str, np.ndarray]:
    arrays = {
        name.replace("GDNSpatioChromaFreqOrient_0.B", "LinearScaling_0.B"): each
        for name, each in tree.items()
    }
    variables: dict[str, Any] = {}
    for name, array in arrays.items():
        *path, leaf = name.removeprefix("state.").split(".")
        inner = variables
        for part in path:
            inner = inner.setdefault(part, {})
        inner[leaf] = jnp.asarray(array, kind)
    x = jnp.asarray(image, kind)[None]
    models = _authors()
    if trunk == "perceptnet_large":
        model = models.Baseline(_CONFIG)
    else:
        model = models.PerceptNet(_CONFIG)
        # The kernel that mixes channels is not in the files; the others are taken from them.
        layer, inner = "GDNSpatioChromaFreqOrient_0", "ChromaFreqOrientGaussianGamma_0"
        variables["precalc_filter"][layer][inner] = {
            "kernel": jnp.zeros((1, 1, _GABORS, _GABORS), kind)
        }
        wide = jax.tree.map(lambda array: array.astype("float64"), variables)
        image = jnp.zeros((1, 8, 8, 3), "float64")
        _, made = model.apply(wide, image, train=True, mutable=["precalc_filter"])
        mixing = made["precalc_filter"][layer][inner]["kernel"]
        variables["precalc_filter"][layer][inner]["kernel"] = mixing.astype(kind)
    _, kept = model.apply(variables, x, capture_intermediates=True, mutable=["intermediates"])
    found = {}
    for name, layer in zip(_NAMES, _LAYERS[trunk], strict=True):
        if layer is None:
            x = flax.linen.max_pool(x, window_shape=(2, 2), strides=(2, 2))
        else:
            (x,) = kept["intermediates"][layer]["__call__"]
            x = x[0] if isinstance(x, tuple) else x
        found[name] = np.asarray(x[0])
    return found


def _clip(x: jax.Array, a_min: float) -> jax.Array:
    return jnp.maximum(x, a_min)


def _authors() -> Any:
    """The authors' models.

    In today's Flax a default value of theirs must not be an array, and in today's JAX the bounds
    of ``clip`` have other names.
    """
    jnp.clip = _clip
    folders = [
        str(Path(os.environ["ORIGINALS"]) / each) for each in ("fxlayers", "paramperceptnet")
    ]
    array, jnp.array = jnp.array, tuple
    sys.path[:0] = folders
    try:
        return importlib.import_module("paramperceptnet.models")
    finally:
        jnp.array = array
        for folder in folders:
            sys.path.remove(folder)


if __name__ == "__main__":
    main()
