"""Opens every image of a table: sizes, checksums, and the difference between images of a pair."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np

from iqa_jax.datasets.inspection import read_headers
from iqa_jax.datasets.table import PairTable
from iqa_jax.engine.processors import processor_count
from iqa_jax.errors import ImageError
from iqa_jax.images.decode import Header, check_compressed_data
from iqa_jax.images.sources import ImageSource
from iqa_jax.progress import bar

_MOST_VERSIONS = 8
"""Number of versions that one thread examines while it holds the reference's pixels: few, so that
progress is steady and an interruption need not wait for many."""

_VALUES_AT_ONCE = 1 << 20
"""Number of values of an image converted to float64 at once."""


@dataclass(frozen=True)
class Examination:
    """Findings about the images of a table.

    Attributes:
      headers: Header of each image by name, or the reason that it cannot be read.
      is_decoded: Whether the images were decoded too; if not, the other attributes are empty.
      damaged: Reason for each image that has a header but cannot be decoded, by name.
      sha256: Hash of the encoded bytes of each image that could be decoded, by name.
      squared_errors: Mean squared difference over pixels and channels, in levels from 0 to 255,
        float64 ``[pairs]``; NaN if the two images cannot be compared.
    """

    headers: Mapping[str, Header | ImageError]
    is_decoded: bool
    damaged: Mapping[str, ImageError]
    sha256: Mapping[str, bytes]
    squared_errors: np.ndarray


class _Group(NamedTuple):
    """A reference and some of its versions, examined by one thread."""

    reference: str
    versions: Sequence[str]


@dataclass
class _Seen:
    """Findings about the images of some groups; squared errors by the names of a pair."""

    headers: dict[str, Header | ImageError] = field(default_factory=dict)
    damaged: dict[str, ImageError] = field(default_factory=dict)
    sha256: dict[str, bytes] = field(default_factory=dict)
    squared_errors: dict[tuple[str, str], float] = field(default_factory=dict)

    def update(self, other: "_Seen") -> None:
        self.headers.update(other.headers)
        self.damaged.update(other.damaged)
        self.sha256.update(other.sha256)
        self.squared_errors.update(other.squared_errors)


def examine(table: PairTable, *, headers_only: bool = False) -> Examination:
    """Opens every image of a table, with threads and a progress bar.

    A version is decoded once, a reference once for at most 8 of its versions; a thread holds the
    pixels of two images.

    Args:
      table: The dataset.
      headers_only: Whether to skip decoding, which is quick.

    Returns:
      The findings, including images that cannot be read or decoded.
    """
    unknown = np.full(len(table.pairs), np.nan)
    if headers_only:
        return Examination(read_headers(table), False, {}, {}, unknown)
    groups = list(_groups(table))
    names = {name for group in groups for name in (group.reference, *group.versions)}
    seen = _Seen()
    with (
        bar(total=len(names), desc=table.name, unit="image") as progress,
        ThreadPoolExecutor(processor_count()) as pool,
    ):
        for of_group in pool.map(partial(_examine, table.images), groups):
            seen.update(of_group)
            progress.update(len(seen.headers) - progress.n)
    squared_errors = [
        seen.squared_errors.get((pair.reference, pair.distorted), np.nan) for pair in table.pairs
    ]
    return Examination(
        headers=seen.headers,
        is_decoded=True,
        damaged=seen.damaged,
        sha256=seen.sha256,
        squared_errors=np.array(squared_errors, np.float64),
    )


def mean_squared_error(reference: np.ndarray, distorted: np.ndarray) -> float:
    """Mean squared difference of two images, from the exact sum: a whole number below 2^53.

    Args:
      reference: ``uint8`` ``[H, W, 3]``.
      distorted: ``uint8`` ``[H, W, 3]``, of the same size.
    """
    rows = max(1, _VALUES_AT_ONCE // reference[0].size)
    total = 0.0
    for start in range(0, len(reference), rows):
        part = slice(start, start + rows)
        difference = np.subtract(reference[part], distorted[part], dtype=np.float64)
        total += float(np.vdot(difference, difference))
    return total / reference.size


def _groups(table: PairTable) -> Iterator[_Group]:
    versions: dict[str, dict[str, None]] = {}
    for pair in table.pairs:
        versions.setdefault(pair.reference, {})[pair.distorted] = None
    for reference, distorted in versions.items():
        remaining = iter(distorted)
        while some := list(itertools.islice(remaining, _MOST_VERSIONS)):
            yield _Group(reference, some)


def _examine(images: ImageSource, group: _Group) -> _Seen:
    seen = _Seen()
    reference = _look(images, group.reference, seen)
    for version in group.versions:
        distorted = _look(images, version, seen)
        if reference is None or distorted is None or reference.shape != distorted.shape:
            continue
        error = mean_squared_error(reference, distorted)
        seen.squared_errors[group.reference, version] = error
    return seen


def _look(images: ImageSource, name: str, seen: _Seen) -> np.ndarray | None:
    """Pixels of an image, None if it cannot be decoded; other findings are added to ``seen``."""
    try:
        data = images.read(name)
        seen.headers[name] = images.header_of(data, name)
    except ImageError as error:
        seen.headers[name] = error
        return None
    try:
        pixels = images.decode(data, name)
        check_compressed_data(data, name)
    except ImageError as error:
        seen.damaged[name] = error
        return None
    seen.sha256[name] = hashlib.sha256(data).digest()
    return pixels
