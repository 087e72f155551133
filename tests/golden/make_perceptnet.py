"""Freezes distances of the program of PerceptNet's authors with drawn weights: ``perceptnet.json``.

Run it in an environment with torch, on a folder with clones of the authors' repositories at
``originals.COMMITS``:

    PYTHONPATH=tests ORIGINALS=FOLDER python -m golden.make_perceptnet

The authors publish weights without a licence, so the stored numbers come from drawn ones. With the
published weights, this package gives the distances of the authors' example.
"""

import json
from pathlib import Path

import numpy as np
import torch
from golden import deep_pairs, draws, originals
from golden.configurations import CONFIGURATIONS

FILE = Path(__file__).parent / "perceptnet.json"
NAME = "perceptnet-ratings-tid2008"
PAIRS = ("noise 65x97", "negative 178x161", "one level 178x161")


@torch.no_grad()
def main() -> None:
    """Writes the file."""
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
        "commits": originals.COMMITS,
        "versions": {"torch": torch.__version__},
    }
    FILE.write_text(json.dumps({"origin": origin, "scores": scores}, indent=2) + "\n")


if __name__ == "__main__":
    main()
