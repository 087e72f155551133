"""Pixels that several networks look at: decoded once, then read from a temporary file."""

import itertools
import math
import os
import tempfile
import threading
from collections.abc import Mapping

import numpy as np

from iqa_jax.images.resize import Size

_MOST_OF_FREE = 0.5
"""Share of the free space of the temporary folder that may be taken."""


class DecodedImages:
    """Images of a run that have been decoded, in a temporary file that ends with this object.

    The file has no name, so nothing is left behind, however the process ends. What is read again
    comes from the operating system's page cache as long as memory suffices. Where the temporary
    folder (``TMPDIR``) has no room for all images, none is kept. Threads may put and get at the
    same time.

    Args:
      sizes: Height and width of the images, by name.
    """

    def __init__(self, sizes: Mapping[str, Size]):
        starts = itertools.accumulate((math.prod(size) * 3 for size in sizes.values()), initial=0)
        self._starts = dict(zip(sizes, starts, strict=False))
        self._length = sum(math.prod(size) * 3 for size in sizes.values())
        self._sizes = sizes
        self._names: set[str] = set()
        self._opening = threading.Lock()
        self._is_open = False
        self._pixels: np.ndarray | None = None

    def get(self, name: str) -> np.ndarray | None:
        """The image ``name``, ``uint8`` ``[H, W, 3]``, not to be changed; None if not kept."""
        return self._place(name) if name in self._names else None

    def put(self, name: str, image: np.ndarray) -> None:
        """Keeps an image, unless its size is not the one expected."""
        with self._opening:
            if not self._is_open:
                self._pixels, self._is_open = _reserve(self._length), True
        if self._pixels is not None and image.shape[:2] == self._sizes[name]:
            self._place(name)[...] = image
            self._names.add(name)

    def _place(self, name: str) -> np.ndarray:
        assert self._pixels is not None
        start, shape = self._starts[name], (*self._sizes[name], 3)
        return self._pixels[start : start + math.prod(shape)].reshape(shape)


def _reserve(length: int) -> np.ndarray | None:
    """Bytes of a temporary file, all of which there is room for; None if there is not."""
    try:
        with tempfile.TemporaryFile(prefix="iqa-decoded-") as file:
            system = os.fstatvfs(file.fileno())
            if length > _MOST_OF_FREE * system.f_bavail * system.f_frsize:
                return None
            # Space that is missing when it is written to would end the process.
            os.posix_fallocate(file.fileno(), 0, length)
            return np.memmap(file, np.uint8, mode="r+", shape=(length,))
    except (OSError, AttributeError):  # macOS cannot reserve space
        return None
