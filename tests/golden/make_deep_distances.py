"""Freezes the scores of the programs of DeepWSD's and DeepDC's authors: ``deep_distances.json``.

Run it in an environment with torch, torchvision and POT, on a folder with clones of the authors'
repositories at :data:`COMMITS`, after fetching vgg16:

    PYTHONPATH=tests IQA_JAX_TEST_DATA=... python -m golden.make_deep_distances FOLDER

The programs load torchvision's weights; here they are given ours, which are the same for VGG-16.
VGG-19, which is not available everywhere, is given those of an untrained network, and DeepDC is
also run on VGG-16. Networks and distances are computed in float64.
"""

import importlib.metadata
import json
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torchvision
from golden import deep_pairs
from PIL import Image

from iqa_jax.zoo import load_backbone

FILE = Path(__file__).parent / "deep_distances.json"
COMMITS = {
    "Buka-Xing/DeepWSD": "532c7287af478d9af3df16c5826c0d2496badea1",
    "h4nwei/DeepDC": "4317cfadea5bc373ee217c72c2c8813dac269883",
}
VGG16, VGG19 = "vgg16", "vgg19_conv5_4-random-none-seed0"

Model = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def network(architecture: str, weights: str) -> torch.nn.Module:
    """torchvision's network with the weights of one of our backbones."""
    module = torchvision.models.get_model(architecture)
    parameters = load_backbone(weights).parameters
    for name, parameter in module.features.named_parameters():
        values = np.array(parameters[f"features.{name.replace('weight', 'kernel')}"])
        if values.ndim > 1:
            values = values.transpose(3, 2, 0, 1).copy()
        parameter.data = torch.from_numpy(values)
    return module


def deepwsd() -> tuple[Model, Callable]:
    """DeepWSD and its preparation of images."""
    import DeepWSD
    import utils

    DeepWSD.models.vgg16 = lambda **_: network("vgg16", VGG16)
    model = DeepWSD.DeepWSD().double()
    return lambda r, d: model(r, d, as_loss=False), utils.prepare_image


def deepdc(architecture: str, weights: str, layers: tuple[str, ...]) -> tuple[Model, Callable]:
    """DeepDC of a network and its preparation of images."""
    sys.modules["imp"] = types.ModuleType("imp")  # imported, but not used
    import DeepDC

    names = ["image"]
    for block, count in enumerate(
        {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}[architecture]
    ):
        for number in range(count):
            names += [f"{kind}{block + 1}_{number + 1}" for kind in ("conv", "relu")]
        names.append(f"pool{block + 1}")
    if architecture == "vgg19":
        assert DeepDC.names["vgg19"] == names
    DeepDC.names["vgg19"] = names
    DeepDC.torchvision.models.vgg19 = lambda **_: network(architecture, weights)
    return DeepDC.DeepDC(layers).double(), DeepDC.prepare_image


METRICS = {
    "deepwsd": deepwsd,
    f"deepdc of {VGG19}": lambda: deepdc(
        "vgg19", VGG19, ("conv1_2", "conv2_2", "conv3_4", "conv4_4", "conv5_4")
    ),
    "deepdc of vgg16": lambda: deepdc(
        "vgg16", VGG16, ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
    ),
}


@torch.no_grad()
def main() -> None:
    """Writes the file."""
    torch.set_default_dtype(torch.float64)
    scores = {}
    folders = [Path(sys.argv[1]) / name.split("/")[1] for name in COMMITS]
    sys.path += [str(folders[0]), str(folders[1] / "DeepDC_PyTorch")]
    for metric, load in METRICS.items():
        model, prepare = load()
        scores[metric] = {}
        for name, images in deep_pairs.everything(Path(os.environ["IQA_JAX_TEST_DATA"])):
            r, d = (prepare(Image.fromarray(image)).double() for image in images)
            scores[metric][name] = float(model(r, d))
            print(metric, name, scores[metric][name], flush=True)
    versions = {name: importlib.metadata.version(name) for name in ("torch", "torchvision", "POT")}
    origin = {
        "script": "tests/golden/make_deep_distances.py",
        "commits": COMMITS,
        "versions": {**versions, "Pillow": importlib.metadata.version("Pillow")},
    }
    FILE.write_text(json.dumps({"origin": origin, "scores": scores}, indent=2) + "\n")


if __name__ == "__main__":
    main()
