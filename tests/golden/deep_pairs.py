"""Pairs for the golden numbers of DeepWSD and DeepDC, of all sizes that they distinguish."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from golden import draws, pixel_pairs

LARGE = "noise 700x1300"
"""A pair for which DeepWSD averages blocks of 5 x 5 pixels and has windows of 16 x 16."""

SYNTHETIC = (
    *("noise 65x97", "negative 178x161", "one level 178x161", "blur 256x256", "contrast 385x401"),
    *("noise 647x640", LARGE),
)
"""The others are left as they are, averaged over 2 x 2 pixels, and resized to 256 x 256."""


def pair(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Reference and distorted image, ``uint8`` [H, W, 3], of one of :data:`SYNTHETIC`."""
    if name != LARGE:
        return pixel_pairs.pair(name)
    reference, other = (draws.image(700, 1300, seed) for seed in (1, 2))
    return reference, (reference // 4 * 3 + other // 4).astype(np.uint8)


def everything(data: Path) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """Names and images of all pairs, with three of TID2013 in a folder of real data."""
    for name in SYNTHETIC:
        yield name, pair(name)
    for name in pixel_pairs.REAL:
        yield name, pixel_pairs.real(name, data)
