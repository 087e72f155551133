"""Freezes the hashes of the untrained networks.

    PYTHONPATH=tests python -m golden.make_untrained

They are fixed forever: run this only for a new architecture, and look at the diff.
"""

import json
import math
from pathlib import Path

import numpy as np

from iqa_jax.backbones import ARCHITECTURES, build
from iqa_jax.weights.checkpoints import digest
from iqa_jax.zoo.random_weights import initial_parameters

FILE = Path(__file__).parent / "untrained.json"


def fingerprint(trunk):
    """Hash of the parameters with fewer than 100,000 numbers and of the shapes of the others.

    Each parameter is drawn independently, so the small ones suffice to detect a change.
    """
    shapes = build(trunk).parameters
    small = {name: each for name, each in shapes.items() if math.prod(each.shape) < 100_000}
    large = {name: np.array(each.shape) for name, each in shapes.items() if name not in small}
    return digest({**initial_parameters(small, seed=0), **large})


if __name__ == "__main__":
    hashes = {trunk: fingerprint(trunk) for trunk in ARCHITECTURES}
    FILE.write_text(json.dumps(hashes, indent=2) + "\n")
