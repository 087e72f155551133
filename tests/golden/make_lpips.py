"""Freezes the scores of PyTorch's `lpips` for synthetic pairs: ``lpips.json``.

Run it in an environment with torch, torchvision and lpips, after fetching alexnet and vgg16:

    PYTHONPATH=tests python -m golden.make_lpips

The linear layers are those of `lpips`, version 0.1. Its backbones, which it would download, are
given our weights, which are torchvision's. SqueezeNet, which is not available everywhere, is given
those of an untrained network and runs without linear layers.
"""

import importlib.metadata
import json
import warnings
from pathlib import Path

import numpy as np
import torch
from golden import pixel_pairs

from iqa_jax.zoo import load_backbone

FILE = Path(__file__).parent / "lpips.json"
UNTRAINED = "squeezenet1_1-random-none-seed0"
NETWORKS = {
    "lpips-alex": ("alex", "alexnet"),
    "lpips-vgg": ("vgg", "vgg16"),
    f"{UNTRAINED}/relu1+fire3+fire5+fire6+fire7+fire8+fire9/unit": ("squeeze", UNTRAINED),
}
PAIRS = ("noise 65x97", "negative 178x161", "one level 178x161", "dark 178x161", "blur 256x256")


def network(short, backbone):
    """`lpips.LPIPS` with the weights of one of our backbones."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lpips

        model = lpips.LPIPS(
            net=short, pnet_rand=True, lpips=backbone != UNTRAINED, verbose=False
        ).eval()
    parameters = load_backbone(backbone).parameters
    for name, parameter in model.net.named_parameters():
        _, _, ours = name.partition(".")  # slice1.0.weight
        values = np.array(parameters[f"features.{ours.replace('weight', 'kernel')}"])
        if values.ndim > 1:
            values = values.transpose(3, 2, 0, 1).copy()
        parameter.data = torch.from_numpy(values)
    return model.double()


def tensor(image):
    """The image as input for `lpips`: [1, 3, H, W] in [-1, 1]."""
    return torch.from_numpy(image.astype(np.float64) / 127.5 - 1).permute(2, 0, 1)[None]


@torch.no_grad()
def main():
    scores = {}
    for metric, (short, backbone) in NETWORKS.items():
        model = network(short, backbone)
        scores[metric] = {
            name: float(model(*map(tensor, pixel_pairs.pair(name)))) for name in PAIRS
        }
    versions = {name: importlib.metadata.version(name) for name in ("lpips", "torch")}
    record = {"origin": "PyTorch's lpips, in float64", "versions": versions, "scores": scores}
    FILE.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
