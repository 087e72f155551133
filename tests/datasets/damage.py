"""Files that anybody may have changed, for the tests of their readers."""

from collections.abc import Callable

import numpy as np
from etils import epath

from iqa_jax.errors import DatasetError


def count_refused(
    path: epath.Path, read: Callable[[], object], rng: np.random.Generator, times: int
) -> int:
    """How often a file is refused in words after one of its bytes was changed; else it is read."""
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
