"""Freezes the values of SSIMULACRA 2: ``ssimulacra2.json``.

Build the authors' program from github.com/cloudinary/ssimulacra2 at the commit 81feacf (version
2.1) with its script ``build_ssimulacra``, and run this in an environment with scipy and Pillow:

    IQA_JAX_TEST_DATA=DATA PYTHONPATH=tests python -m golden.make_ssimulacra2 PROGRAM

``program`` are its scores, computed in float32 with a recursive filter and approximate powers and
roots. ``definition`` are the values of the plain formulas in float64. The pairs of TID2013 are read
from a folder with real images, of which only the scores are kept.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import scipy
from golden import pixel_pairs
from PIL import Image
from scipy import ndimage, signal

from iqa_jax.metrics.compression_artifacts import _WEIGHTS

FILE = Path(__file__).parent / "ssimulacra2.json"


def window() -> np.ndarray:
    """Impulse response of the recursive filter, for a standard deviation of 1.5."""
    sigma, radius = 1.5, 5
    k = np.array([1, 3, 5]) * np.pi / (2 * radius)
    p = np.array([1, -1, 1]) / np.tan(k / 2)
    r = np.array([1, -1, 1]) * p**2 / np.sin(k)
    rho = np.exp(-(sigma**2) * k**2 / 2) / radius
    zeta = np.cross(p, r)
    beta = np.linalg.solve([p, r, zeta], [1, radius**2 - sigma**2, zeta @ rho])
    impulse = np.zeros(2 * radius + 2)
    impulse[[0, 2 * radius]] = 1
    terms = (
        signal.lfilter([-b * np.cos(w * (radius + 1))], [1, -2 * np.cos(w), 1], impulse)
        for b, w in zip(beta, k, strict=True)
    )
    return sum(terms)[: 2 * radius - 1]


def blurred(planes: np.ndarray) -> np.ndarray:
    """Planes [3, H, W], filtered with zeros outside."""
    for axis in (1, 2):
        planes = ndimage.correlate1d(planes, window(), axis, mode="constant")
    return planes


def linear(encoded: np.ndarray) -> np.ndarray:
    """Linear RGB [3, H, W] of sRGB [H, W, 3]."""
    encoded = np.moveaxis(encoded, -1, 0) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def halved(planes: np.ndarray) -> np.ndarray:
    """Means of 2x2 pixels; the last row and column of an odd size count twice."""
    height, width = planes.shape[1:]
    padded = np.pad(planes, ((0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    return (padded[:, ::2] + padded[:, 1::2])[:, :, ::2] / 4 + (padded[:, ::2] + padded[:, 1::2])[
        :, :, 1::2
    ] / 4


def xyb(planes: np.ndarray) -> np.ndarray:
    """XYB, shifted to positive values."""
    matrix = np.array([[0.3, 0.622, 0.078], [0.23, 0.692, 0.078]])
    blue = 0.24342268924547819, 0.20476744424496821
    matrix = np.vstack([matrix, [*blue, 1 - sum(blue)]])
    bias = 0.0037930732552754493
    long, middle, short = np.cbrt(np.tensordot(matrix, planes, 1) + bias) - np.cbrt(bias)
    x, y = (long - middle) / 2, (long + middle) / 2
    return np.stack([14 * x + 0.42, y + 0.01, short - y + 0.55])


def maps(reference: np.ndarray, distorted: np.ndarray) -> np.ndarray:
    """The three maps [3, 3, H, W] of each channel."""
    r, d = blurred(reference), blurred(distorted)
    variances = blurred(reference**2) - r**2 + blurred(distorted**2) - d**2
    covariance = blurred(reference * distorted) - r * d
    similarity = (1 - (r - d) ** 2) * (2 * covariance + 0.0009) / (variances + 0.0009)
    change = (1 + np.abs(distorted - d)) / (1 + np.abs(reference - r)) - 1
    return np.maximum(np.stack([1 - similarity, change, -change], axis=1), 0)


def definition(reference: np.ndarray, distorted: np.ndarray) -> float:
    """SSIMULACRA 2 in float64."""
    pair = [linear(image) for image in (reference, distorted)]
    scales = []
    for scale in range(6):
        if scale:
            if min(pair[0].shape[1:]) < 8:
                break
            pair = [halved(planes) for planes in pair]
        found = maps(*map(xyb, pair))
        norms = [found.mean((2, 3)), (found**4).mean((2, 3)) ** 0.25]
        scales.append(np.stack(norms, axis=1))
    norms = np.stack(scales, axis=1).ravel()
    error = 0.9562382616834844 * norms @ _WEIGHTS[: norms.size]
    error = (
        2.326765642916932 * error
        - 0.020884521182843837 * error**2
        + 6.248496625763138e-05 * error**3
    )
    return 100 - 10 * error**0.6276336467831387


def program(path: str, *images: np.ndarray) -> float:
    """Score of the authors' program."""
    with tempfile.TemporaryDirectory() as folder:
        files = [f"{folder}/{name}.png" for name in ("reference", "distorted")]
        for file, image in zip(files, images, strict=True):
            Image.fromarray(image).save(file)
        return float(subprocess.run([path, *files], check=True, capture_output=True).stdout)


def main(path: str):
    """Writes the file."""
    frozen = {}
    for name, images in pixel_pairs.everything(Path(os.environ["IQA_JAX_TEST_DATA"])):
        theirs, plain = program(path, *images), float(definition(*images))
        print(f"{name}: {theirs:.6f} differs by {theirs - plain:.1e}")
        frozen[name] = {"program": theirs, "definition": plain}
    origin = {
        "script": "tests/golden/make_ssimulacra2.py",
        "program": "github.com/cloudinary/ssimulacra2, 81feacf, version 2.1",
        "versions": {
            "python": sys.version.split()[0],
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        },
    }
    FILE.write_text(json.dumps({"origin": origin, "scores": frozen}, indent=2) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
