"""Freezes the values of FLIP: ``flip.json``.

Run it in an environment with scipy, Pillow and NVIDIA's evaluator:

    pip install flip-evaluator==1.7
    IQA_JAX_TEST_DATA=DATA PYTHONPATH=tests python -m golden.make_flip

``evaluator`` is the mean of the evaluator's errors, in float64, because it averages in float32.
``definition`` is the value of the plain formulas in float64, with two-dimensional filters from
SciPy; the two differ by rounding. The pairs of TID2013 are read from a folder with real images, of
which only the scores are kept.
"""

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

import flip_evaluator
import numpy as np
import scipy
from golden import pixel_pairs
from scipy import ndimage

FILE = Path(__file__).parent / "flip.json"

DEGREES = (67.02064327658226, 20.0, 120.5)
"""Numbers of pixels per degree; the first is the evaluator's default."""

_XYZ = np.array(
    [
        [10135552 / 24577794, 8788810 / 24577794, 4435075 / 24577794],
        [2613072 / 12288897, 8788810 / 12288897, 887015 / 12288897],
        [1425312 / 73733382, 8788810 / 73733382, 70074185 / 73733382],
    ]
)
_WHITE = _XYZ.sum(axis=1)
_SAME = 1e-7
"""Maximum difference of the evaluator's float32 from the definition."""


def linear(encoded: np.ndarray) -> np.ndarray:
    """Linear RGB of sRGB."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def ycxcz(image: np.ndarray) -> np.ndarray:
    """The opponent space of an sRGB image."""
    x, y, z = np.moveaxis(linear(image) @ _XYZ.T / _WHITE, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB with the Hunt effect, of linear RGB."""
    relative = rgb @ _XYZ.T / _WHITE
    dark = relative / (3 * (6 / 29) ** 2) + 4 / 29
    x, y, z = np.moveaxis(np.where(relative > (6 / 29) ** 3, np.cbrt(relative), dark), -1, 0)
    lightness = 116 * y - 16
    return np.stack([lightness, 5 * lightness * (x - y), 2 * lightness * (y - z)])


def squares(radius: int) -> np.ndarray:
    """Squared distances from the centre."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return x**2 + y**2


def seen(planes: np.ndarray, degree: float) -> np.ndarray:
    """Linear RGB of the opponent planes, filtered by the contrast sensitivity functions."""
    functions = [((1, 0.0047),), ((1, 0.0053),), ((34.1, 0.04), (13.5, 0.025))]
    radius = int(np.ceil(3 * np.sqrt(0.04 / (2 * np.pi**2)) * degree))
    filtered = []
    for plane, terms in zip(planes, functions, strict=True):
        kernel = sum(
            a * np.sqrt(np.pi / b) * np.exp(-(np.pi**2) * squares(radius) / degree**2 / b)
            for a, b in terms
        )
        filtered.append(ndimage.correlate(plane, kernel / kernel.sum(), mode="nearest"))
    y = (filtered[0] + 16) / 116
    relative = np.stack([y + filtered[1] / 500, y, y - filtered[2] / 200], axis=-1)
    return np.clip((relative * _WHITE) @ np.linalg.inv(_XYZ).T, 0, 1)


def distance(reference: np.ndarray, distorted: np.ndarray) -> np.ndarray:
    """HyAB."""
    difference = reference - distorted
    return np.abs(difference[0]) + np.hypot(difference[1], difference[2])


def strengths(luminance: np.ndarray, degree: float) -> list[np.ndarray]:
    """Strengths of edges and points."""
    deviation = 0.041 * degree
    radius = int(np.ceil(3 * deviation))
    x = np.arange(-radius, radius + 1)
    bell = np.exp(-squares(radius) / (2 * deviation**2))
    found = []
    for kernel in (-x * bell, (x**2 / deviation**2 - 1) * bell):
        positive, negative = kernel[kernel > 0].sum(), -kernel[kernel < 0].sum()
        balanced = np.where(kernel > 0, kernel / positive, kernel / negative)
        sides = (
            ndimage.correlate(luminance, each, mode="nearest") for each in (balanced, balanced.T)
        )
        found.append(np.hypot(*sides))
    return found


def definition(reference: np.ndarray, distorted: np.ndarray, degree: float) -> float:
    """FLIP in float64."""
    opponents = [ycxcz(image.astype(np.float64) / 255) for image in (reference, distorted)]
    powers = distance(*(lab(seen(planes, degree)) for planes in opponents)) ** 0.7
    greatest = distance(*(lab(np.eye(3)[[channel]]) for channel in (1, 2)))[0] ** 0.7
    knee = 0.4 * greatest
    above = 0.95 + (powers - knee) / (greatest - knee) * 0.05
    colour = np.where(powers < knee, 0.95 / knee * powers, above)
    features = zip(
        *(strengths((planes[0] + 16) / 116, degree) for planes in opponents), strict=True
    )
    edges, points = (np.abs(ours - theirs) for ours, theirs in features)
    feature = np.sqrt(np.maximum(edges, points) / np.sqrt(2))
    return float((colour ** (1 - feature)).mean())


def evaluator(reference: np.ndarray, distorted: np.ndarray, degree: float) -> float:
    """FLIP by NVIDIA's program."""
    images = (image.astype(np.float32) / np.float32(255) for image in (reference, distorted))
    parameters = {} if degree == DEGREES[0] else {"ppd": degree}
    errors, *_ = flip_evaluator.evaluate(
        *images, "LDR", applyMagma=False, computeMeanError=False, parameters=parameters
    )
    return float(np.mean(errors, dtype=np.float64))


def main():
    """Writes the file."""
    frozen = {}
    for name, (reference, distorted) in pixel_pairs.everything(
        Path(os.environ["IQA_JAX_TEST_DATA"])
    ):
        degrees = DEGREES if name == "noise 65x97" else DEGREES[:1]
        for degree in degrees:
            theirs = evaluator(reference, distorted, degree)
            plain = definition(reference, distorted, degree)
            print(f"{name} at {degree:g}: {theirs:.9f} differs by {theirs - plain:.1e}")
            if not abs(theirs - plain) < _SAME:
                raise ValueError(f"{name}: the evaluator's {theirs}, the definition's {plain}")
            frozen.setdefault(name, {})[str(degree)] = {"evaluator": theirs, "definition": plain}
    origin = {
        "script": "tests/golden/make_flip.py",
        "versions": {
            "python": sys.version.split()[0],
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "flip-evaluator": version("flip-evaluator"),
        },
    }
    FILE.write_text(json.dumps({"origin": origin, "scores": frozen}, indent=2) + "\n")


if __name__ == "__main__":
    main()
