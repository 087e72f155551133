"""Freezes the activations of the original architectures with drawn weights.

Run it in an environment with torch, torchvision, h5py, opencv-python-headless and
efficientnet-lite-pytorch, on a folder with clones of the authors' repositories at
``originals.COMMITS``:

    PYTHONPATH=tests ORIGINALS=FOLDER python -m golden.make_backbones [NAME ...]

For every configuration, this draws the weights, writes them in the configuration's file format with
PyTorch itself and with ``writers``, checks that PyTorch reads the same from both, runs the original
in float32 and in float64, and stores the statistics of the latter. The versions used for the stored
files are in ``backbones/ORIGIN.json``.
"""

import contextlib
import gzip
import json
import pickle
import sys
import tempfile
import time
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import torch
import torchvision
from etils import epath
from golden import draws, formats, originals, writers
from golden.configurations import CONFIGURATIONS, FOLDER, IMAGE_SEED, SIZES, Configuration, Input

from iqa_jax.weights.conversion import flatten
from iqa_jax.weights.formats.reading import read_checkpoint

_NOISE = 2e-5
"""Maximum difference of float32 from float64, relative to the magnitude of a layer."""

_ALIVE = (1e-3, 1e3)
"""Range of the standard deviation of every layer."""

_COLOURS = 4096
"""Number of random colours whose luminance is stored, in addition to all grays."""


def main(names: list[str]) -> None:
    """Makes the golden numbers of the named configurations, or of all if none is named."""
    torch.use_deterministic_algorithms(True)
    for folder in ("backbones", "trunks"):
        (FOLDER / folder).mkdir(exist_ok=True)
    for name in names or CONFIGURATIONS:
        start = time.perf_counter()
        noise, low, high = _freeze(name, CONFIGURATIONS[name])
        seconds = time.perf_counter() - start
        print(
            f"{name}: noise {noise:.1e}, std {low:.3g} to {high:.3g}, {seconds:.1f} s", flush=True
        )
    _freeze_luminance()
    versions = {
        "python": sys.version.split()[0],
        "numpy": np.__version__,
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "opencv": cv2.__version__,
    }
    origin = {
        "script": "tests/golden/make_backbones.py",
        "commits": originals.COMMITS,
        "versions": versions,
    }
    (FOLDER / "backbones" / "ORIGIN.json").write_text(json.dumps(origin, indent=2) + "\n")


def _freeze(name: str, configuration: Configuration) -> tuple[float, float, float]:
    module = originals.build(configuration.trunk)
    drawn = draws.draw(originals.shapes(module), configuration.seed)
    state = formats.FORMATS[configuration.format].stored(drawn)
    originals.load(module, state)
    _check_file(configuration, state)
    rows, sizes, noises, deviations = [], {}, [], []
    for height, width in SIZES:
        image = draws.image(height, width, IMAGE_SEED)
        x = torch.from_numpy(preprocess(image, configuration.input))[None]
        exact, single = (
            originals.activations(configuration.trunk, module.to(dtype), x.to(dtype))
            for dtype in (torch.float64, torch.float32)
        )
        originals.check(configuration.trunk, module, x.float(), single)
        for layer, activation in exact.items():
            noises.append(float((single[layer] - activation).norm() / activation.norm()))
            deviations.append(float(activation.std()))
            _, channels, *positions = activation.shape
            sizes.setdefault(layer, []).append([*positions, channels])
        rows.append(
            np.concatenate(
                [draws.statistics(a[0].permute(1, 2, 0).numpy()) for a in exact.values()]
            )
        )
        low, high = min(deviations), max(deviations)
        if not (max(noises) < _NOISE and _ALIVE[0] < low and high < _ALIVE[1]):
            raise ValueError(f"{name}: noise {max(noises)}, standard deviations {low} to {high}")
    np.savez_compressed(FOLDER / "backbones" / f"{name}.npz", statistics=np.stack(rows))
    facts = {"parameters": originals.shapes(module), "layers": sizes}
    packed = gzip.compress(json.dumps(facts, separators=(",", ":")).encode(), mtime=0)
    (FOLDER / "trunks" / f"{configuration.trunk}.json.gz").write_bytes(packed)
    return max(noises), low, high


def preprocess(image: np.ndarray, expected: Input) -> np.ndarray:
    """The original network's input for ``image`` uint8 [H, W, 3]: float64 [C, H, W]."""
    if expected.channels == "luminance":
        lightness = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)[..., :1]
        return (lightness * (100 / 255) - 50).transpose(2, 0, 1)
    x = (image * expected.scale - np.array(expected.mean)) / np.array(expected.std)
    return np.ascontiguousarray(
        (x[..., ::-1] if expected.channels == "bgr" else x).transpose(2, 0, 1)
    )


def _check_file(configuration: Configuration, state: Mapping[str, np.ndarray]) -> None:
    """Writes the weights in the configuration's format and reads them back."""
    form = formats.FORMATS[configuration.format]
    tree = form.tree(configuration.trunk, state)
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = (Path(folder) / f"{who}{form.suffix}" for who in ("ours", "theirs"))
        writers.write(tree, form.kind, ours)
        _assert_equal(_read(ours, form.kind), tree)
        if form.kind == "torchscript":
            torch.jit.save(torch.jit.script(_container(tree)), theirs)
            _assert_equal(_read(theirs, form.kind), tree)
        elif form.kind.startswith("torch"):
            is_zip = form.kind == "torch"
            torch.save(_as_tensors(tree), theirs, _use_new_zipfile_serialization=is_zip)
            _assert_equal(_read(theirs, form.kind), tree)


def _container(arrays: Mapping[str, np.ndarray]) -> torch.nn.Module:
    """A module with these parameters, by dotted names, that does nothing."""
    root = _Container()
    for name, array in arrays.items():
        *path, leaf = name.split(".")
        module = root
        for part in path:
            if part not in dict(module.named_children()):
                module.add_module(part, _Container())
            module = module.get_submodule(part)
        module.register_buffer(leaf, torch.from_numpy(array))
    return root


class _Container(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def _read(path: Path, kind: str) -> Any:
    if kind == "torchscript":  # PyTorch would compile the program, which ours does not have
        return dict(flatten(read_checkpoint(epath.Path(path))))
    if kind.startswith("torch"):
        return torch.load(path, map_location="cpu", weights_only=False)
    if kind == "npy":
        return np.load(path, allow_pickle=True, encoding="latin1")[()]
    if kind == "pickle":
        return pickle.loads(path.read_bytes(), encoding="latin1")
    with h5py.File(path) as file:
        return _read_groups(file)


def _read_groups(group: h5py.Group) -> dict[str, Any]:
    return {
        name: _read_groups(value) if isinstance(value, h5py.Group) else value[()]
        for name, value in group.items()
    }


def _as_tensors(tree: Any) -> Any:
    if isinstance(tree, np.ndarray):
        return torch.from_numpy(tree)
    if isinstance(tree, list):
        return [_as_tensors(value) for value in tree]
    if not isinstance(tree, Mapping):
        return tree
    found = type(tree)((key, _as_tensors(value)) for key, value in tree.items())
    if isinstance(tree, OrderedDict):
        vars(found).update(vars(tree))
    return found


def _assert_equal(found: Any, expected: Any) -> None:
    if isinstance(expected, Mapping):
        assert set(found) == set(expected), set(found) ^ set(expected)
        for key, value in expected.items():
            _assert_equal(found[key], value)
    elif isinstance(expected, np.ndarray):
        found = found.detach().numpy() if isinstance(found, torch.Tensor) else found
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    else:
        assert found == expected, (found, expected)


def _freeze_luminance() -> None:
    """Stores OpenCV's 8-bit L of random colours, of all grays and of the two images."""
    bits = np.random.Philox(key=2).random_raw(_COLOURS)
    random = bits.astype("<u8").view(np.uint8).reshape(_COLOURS, 8)[:, :3]
    colours = np.concatenate([random, np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)])
    images = {f"image{i}": draws.image(*size, IMAGE_SEED) for i, size in enumerate(SIZES)}
    lightness = {
        name: cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[..., 0]
        for name, pixels in {"colours_luminance": colours[None], **images}.items()
    }
    np.savez_compressed(FOLDER / "luminance.npz", colours=colours[None], **lightness)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main(sys.argv[1:])
