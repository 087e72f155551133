"""Freezes the activations of the original vision transformers with drawn weights.

Run it in an environment with torch, timm 0.4.12, jax and flax, and clones of the originals:

    ORIGINALS=FOLDER PYTHONPATH=tests python -m golden.make_transformers [NAME ...]

Everything else is as in ``make_backbones.py``; the clones and versions that were used are in
``backbones/TRANSFORMERS.json``.
"""

import importlib.metadata
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from etils import epath
from golden import draws, formats, transformers, writers
from golden.configurations import CONFIGURATIONS, FOLDER, Input
from golden.freezing import freeze

from iqa_jax.weights.conversion import flatten
from iqa_jax.weights.formats.reading import read_checkpoint

POSITIONS = ((4, 1), (4, 2), (4, 3), (4, 4), (4, 5), (4, 9), (7, 4), (7, 10))
"""Lengths of stored and of new grids."""


def main(names: list[str]) -> None:
    """Makes the golden numbers of the named configurations, or of all if none is named."""
    torch.use_deterministic_algorithms(True)
    every = [name for name, each in CONFIGURATIONS.items() if each.trunk.startswith("vit")]
    for name in names or every:
        start = time.perf_counter()
        noise, low, high = _freeze(name)
        seconds = time.perf_counter() - start
        print(
            f"{name}: noise {noise:.1e}, std {low:.3g} to {high:.3g}, {seconds:.1f} s", flush=True
        )
    _freeze_positions()
    packages = ("numpy", "torch", "timm", "jax", "flax", "scipy")
    record = {
        "script": "tests/golden/make_transformers.py",
        "versions": {
            "python": sys.version.split()[0],
            **{name: importlib.metadata.version(name) for name in packages},
        },
    }
    text = json.dumps(record, indent=2) + "\n"
    (FOLDER / "backbones" / "TRANSFORMERS.json").write_text(text)


def _freeze(name: str) -> tuple[float, float, float]:
    configuration = CONFIGURATIONS[name]
    trunk = configuration.trunk
    shapes = transformers.shapes(trunk)
    state = formats.FORMATS[configuration.format].stored(draws.draw(shapes, configuration.seed))
    if not trunk.startswith("vitl"):  # their files have the same format as the smaller ones'
        _check_file(configuration.format, trunk, state)
    return freeze(
        name,
        shapes,
        lambda image, kind: transformers.activations(
            trunk, state, preprocess(image, configuration.input), kind
        ),
    )


def _freeze_positions() -> None:
    """Stores PyTorch's weights of short grids, ``[new][old]``, by the names of our rules."""

    def weights(old: int, **options: Any) -> list[list[float]]:
        impulses = torch.eye(old, dtype=torch.float64)[:, None, :, None].repeat(1, 1, 1, old)
        found = torch.nn.functional.interpolate(impulses, mode="bicubic", **options)
        return found[:, 0, :, 0].T.tolist()

    found = {
        f"{old} to {new}": {
            "cubic": weights(old, size=(new, old), align_corners=False),
            "cubic_with_offset": weights(old, scale_factor=((new + 0.1) / old, 1.0)),
            "cubic_antialiased": weights(old, size=(new, old), antialias=True),
        }
        for old, new in POSITIONS
    }
    (FOLDER / "positions.json").write_text(json.dumps(found, indent=1) + "\n")


def preprocess(image: np.ndarray, expected: Input) -> np.ndarray:
    """The original network's input for ``image`` uint8 [H, W, 3]: float64 [C, H, W]."""
    x = (image * expected.scale - np.array(expected.mean)) / np.array(expected.std)
    return np.ascontiguousarray(x.transpose(2, 0, 1))


def _check_file(form: str, trunk: str, state: dict[str, np.ndarray]) -> None:
    """Writes the weights in the format of their authors; PyTorch or NumPy reads the same."""
    kind = formats.FORMATS[form]
    tree = kind.tree(trunk, state)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"weights{kind.suffix}"
        writers.write(tree, kind.kind, path)
        if kind.kind == "npz":
            found = dict(np.load(path))
        elif kind.kind == "torchscript":  # ``make_backbones`` compares it with PyTorch's
            found = dict(flatten(read_checkpoint(epath.Path(path))))
        else:
            found = torch.load(path, map_location="cpu", weights_only=False)
        for inner in ("model",):
            found, tree = (each.get(inner, each) for each in (found, tree))
        assert set(found) == set(tree)
        for name, array in tree.items():
            np.testing.assert_array_equal(np.asarray(found[name]), array)


if __name__ == "__main__":
    main(sys.argv[1:])
