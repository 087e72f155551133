"""Numbers that identify pairs by the names and contents of their images."""

import hashlib
from collections.abc import Mapping

import numpy as np

from iqa_jax.datasets.inspection import read_headers
from iqa_jax.datasets.table import Pair, PairTable
from iqa_jax.errors import ImageError
from iqa_jax.images.decode import Header


class PairKeys:
    """Numbers of the pairs of a table, which are worked out when they are asked for.

    The contents of an image are known once it has been read; one that has not is read.

    Args:
      table: The pairs.
    """

    def __init__(self, table: PairTable):
        self._table = table

    def __len__(self) -> int:
        """Number of pairs."""
        return len(self._table.pairs)

    def __getitem__(self, rows: np.ndarray, /) -> np.ndarray:
        """The numbers of the pairs of some rows, uint64 ``[rows]``."""
        pairs = [self._table.pairs[row] for row in rows]
        names = dict.fromkeys(name for pair in pairs for name in pair.image_names)
        headers = read_headers(self._table.images, [*names])
        return np.array([_key(pair, headers) for pair in pairs], np.uint64)


def _key(pair: Pair, headers: Mapping[str, Header | ImageError]) -> int:
    """The number of a pair; one that no other pair has if an image cannot be read."""
    found = [(name, headers[name]) for name in pair.image_names]
    text = repr([(name, tuple(each) if isinstance(each, Header) else ()) for name, each in found])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
