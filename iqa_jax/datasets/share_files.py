"""Many small NumPy files that hold one share each, from untrusted sources."""

import functools
import io
import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from etils import epath

_READERS = 16
_FILES_AT_ONCE = 64
_LONGEST_FILE = 4096
"""Bytes that are read of a file; a single number takes fewer than 150."""


def read_shares(paths: Sequence[epath.Path]) -> Iterator[float | str]:
    """Reads the share in each of many ``.npy`` files, with threads, some files at a time.

    Args:
      paths: The files.

    Yields:
      A number in [0, 1], or a description of what is wrong with the file.
    """
    some = [paths[start : start + _FILES_AT_ONCE] for start in range(0, len(paths), _FILES_AT_ONCE)]
    with ThreadPoolExecutor(_READERS) as pool:
        yield from itertools.chain.from_iterable(pool.map(_read_some, some))


def _read_some(paths: Sequence[epath.Path]) -> list[float | str]:
    return [_read(path) for path in paths]


def _read(path: epath.Path) -> float | str:
    try:
        with path.open("rb") as file:
            content = file.read(_LONGEST_FILE)
    except OSError as error:
        return str(error)
    return _share(content)


@functools.lru_cache
def _share(content: bytes) -> float | str:
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except Exception as error:  # NumPy's reader raises errors of many types on broken files
        return f"is not a readable array ({error})"
    if not isinstance(array, np.ndarray) or array.shape != (1,) or array.dtype.kind not in "fiu":
        return "expected one number, an array of shape (1,)"
    if not 0 <= array[0] <= 1:
        return f"expected a share from 0 to 1, found {array[0]}"
    return float(array[0])
