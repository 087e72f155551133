"""Damaged files, for the tests of their readers."""

from collections.abc import Callable

import numpy as np
from etils import epath

from iqa_jax.errors import DatasetError


def count_refused(
    path: epath.Path, read: Callable[[], object], rng: np.random.Generator, times: int
) -> int:
    """Number of changes of one byte after which a file is refused; otherwise it is read."""
    data, refused = path.read_bytes(), 0
    for _ in range(times):
        changed = bytearray(data)
        changed[rng.integers(len(data))] = rng.integers(256)
        path.write_bytes(changed)
        try:
            read()
        except DatasetError:
            refused += 1
    return refused
