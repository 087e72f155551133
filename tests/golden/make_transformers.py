"""Freezes the activations of the original vision transformers with drawn weights.

Run it in an environment with torch, timm 0.4.12, jax and flax, and clones of the originals:

    ORIGINALS=FOLDER PYTHONPATH=tests python -m golden.make_transformers [NAME ...]

Everything else is as in ``make_backbones.py``; the clones and versions that were used are in
``backbones/TRANSFORMERS.json``.
"""

import gzip
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
from golden.configurations import CONFIGURATIONS, FOLDER, IMAGE_SEED, Input

from iqa_jax.weights.conversion import flatten
from iqa_jax.weights.formats.reading import read_checkpoint

_NOISE = 2e-5
"""Maximum difference of float32 from float64, relative to the magnitude of a layer."""

POSITIONS = ((4, 1), (4, 2), (4, 3), (4, 4), (4, 5), (4, 9), (7, 4), (7, 10))
"""Lengths of stored and of new grids."""

_ALIVE = (1e-3, 1e3)
"""Range of the standard deviation of every layer of more than one position."""


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
    rows, sizes, noises, deviations = [], {}, [], []
    for height, width in configuration.sizes:
        image = draws.image(height, width, IMAGE_SEED)
        x = preprocess(image, configuration.input)
        exact, single = (
            transformers.activations(trunk, state, x, kind) for kind in ("float64", "float32")
        )
        for layer, activation in exact.items():
            difference = np.linalg.norm(single[layer] - activation)
            noises.append(float(difference / np.linalg.norm(activation)))
            deviations.append(float(activation.std()))
            sizes.setdefault(layer, []).append(list(activation.shape))
        rows.append(np.concatenate([draws.statistics(each) for each in exact.values()]))
    low, high = min(deviations), max(deviations)
    if not (max(noises) < _NOISE and _ALIVE[0] < low and high < _ALIVE[1]):
        raise ValueError(f"{name}: noise {max(noises)}, standard deviations {low} to {high}")
    np.savez_compressed(FOLDER / "backbones" / f"{name}.npz", statistics=np.stack(rows))
    facts = {"parameters": shapes, "layers": sizes}
    packed = gzip.compress(json.dumps(facts, separators=(",", ":")).encode(), mtime=0)
    (FOLDER / "trunks" / f"{trunk}.json.gz").write_bytes(packed)
    return max(noises), low, high


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
