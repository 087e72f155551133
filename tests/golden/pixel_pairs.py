"""Pairs of images for the golden numbers of metrics of pixels: computed from a seed, or real.

The former use integer arithmetic on :func:`draws.image`, which gives the same bytes on every
machine; the latter are three of TID2013, in the folder of real test data.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from golden import draws
from PIL import Image

Distortion = Callable[[np.ndarray], np.ndarray]
"""Function from levels, int64 ``[H, W, 3]``, to distorted levels."""


def pair(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Reference and distorted image, ``uint8`` [H, W, 3], of one of :data:`PAIRS`."""
    height, width, distortion = PAIRS[name]
    reference = draws.image(height, width, seed=1)
    distorted = distortion(reference.astype(np.int64))
    return reference, np.clip(distorted, 0, 255).astype(np.uint8)


def real(name: str, data: Path) -> tuple[np.ndarray, np.ndarray]:
    """Reference and distorted image, ``uint8`` [H, W, 3], of one of :data:`REAL`."""
    reference, distorted = (
        np.asarray(Image.open(data / "tid2013_pairs" / kind / f"{name}.bmp").convert("RGB"))
        for kind in ("ref", "dist")
    )
    return reference, distorted


def everything(data: Path) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """Names and images of all pairs, with the real ones of a folder."""
    for name in PAIRS:
        yield name, pair(name)
    for name in REAL:
        yield name, real(name, data)


def _noise(x: np.ndarray) -> np.ndarray:
    return x + (draws.image(*x.shape[:2], seed=2).astype(np.int64) - 128) // 3


def _blur(x: np.ndarray) -> np.ndarray:
    for axis in (0, 1):
        x = sum(np.roll(x, shift, axis) for shift in (-2, -1, 0, 1, 2)) // 5
    return x


def _shift(x: np.ndarray) -> np.ndarray:
    return np.roll(x, (2, 3), (0, 1))


def _contrast(x: np.ndarray) -> np.ndarray:
    return 128 + (x - 128) * 2 // 3


def _negative(x: np.ndarray) -> np.ndarray:
    return 255 - x


def _dark(x: np.ndarray) -> np.ndarray:
    return x // 16


def _one_level(x: np.ndarray) -> np.ndarray:
    return x + 1


def _flat(x: np.ndarray) -> np.ndarray:
    return np.full_like(x, 100)


PAIRS: Mapping[str, tuple[int, int, Distortion]] = {
    "noise 11x11": (11, 11, _noise),
    "shift 12x90": (12, 90, _shift),
    "noise 65x97": (65, 97, _noise),
    "negative 178x161": (178, 161, _negative),
    "flat 178x161": (178, 161, _flat),
    "one level 178x161": (178, 161, _one_level),
    "dark 178x161": (178, 161, _dark),
    "blur 256x256": (256, 256, _blur),
    "contrast 385x401": (385, 401, _contrast),
    "noise 647x640": (647, 640, _noise),
}
"""Height, width and distortion by name. The sizes cover every case: the smallest for one window and
for five scales, odd and even, and those that ``ssim:matlab`` downsamples by 2 and by 3."""

REAL = ("I03", "I04", "I06")
"""Names of the real pairs."""
