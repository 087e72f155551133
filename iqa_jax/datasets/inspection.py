"""The headers of all images of a table, and which of its rows can be scored."""

import itertools
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from iqa_jax.datasets.table import Pair, PairTable
from iqa_jax.errors import DatasetError, ImageError, MissingImageError, listed
from iqa_jax.images.checked import CheckedImages
from iqa_jax.images.decode import Header
from iqa_jax.images.sources import ImageSource
from iqa_jax.progress import bar
from iqa_jax.text import counted

_READERS = 16
_SAMPLE = 8
_QUICK = 1e-3
"""Seconds per header, below which threads do not pay: they only help if files are large or far
away."""

_PATIENCE = 3.0
"""Seconds before the progress bar appears."""


def inspect(
    table: PairTable, *, leave_out_missing: bool = False, checksums: bool = True
) -> tuple[PairTable, Mapping[str, Header]]:
    """Reads the header of every image and checks every row, before anything is computed.

    Args:
      table: The dataset.
      leave_out_missing: Whether rows with missing images are left out; otherwise they are errors.
      checksums: Whether to take the checksums now, for which all images are read; otherwise the
        checksum of an image is that of the bytes that are decoded first.

    Returns:
      The table that can be scored, and the header of each of its images by name. An image that
      changes afterwards raises an error when it is read.

    Raises:
      DatasetError: If a row has a missing or unreadable image, images of two sizes, or no finite
        score. One error lists the first such rows and says where to find all of them.
    """
    found = read_headers(table.images, table.image_names, checksums=checksums)
    if leave_out_missing:
        missing = {name for name, header in found.items() if isinstance(header, MissingImageError)}
        judgements = zip(*[iter(table.pairs)] * table.protocol.rows, strict=True)
        whole = [
            judgement
            for judgement in judgements
            if all(missing.isdisjoint(pair.image_names) for pair in judgement)
        ]
        pairs = list(itertools.chain.from_iterable(whole))
        left_out = table.pairs_left_out + len(table.pairs) - len(pairs)
        table = replace(table, pairs=pairs, pairs_left_out=left_out)
    errors = [
        f"row {row}: {problem}"
        for row, pair in enumerate(table.pairs, 1)
        for problem in _problems(pair, found)
    ]
    if errors:
        what = f"problems in {counted(len(table.pairs), 'rows')}"
        raise DatasetError(f"{table.name}: {listed(errors, what)}")
    if not table.pairs:
        raise DatasetError(f"{table.name}: none of its images exists")
    headers = {name: header for name, header in found.items() if isinstance(header, Header)}
    return replace(table, images=CheckedImages(table.images, headers)), headers


def read_headers(
    images: ImageSource, names: Sequence[str], *, checksums: bool = True
) -> dict[str, Header | ImageError]:
    """Reads the headers of images, with progress.

    Args:
      images: Source of the images.
      names: Names of the images, each once.
      checksums: Whether the checksums are needed.

    Returns:
      Header of each image by name, or the error that prevented reading it.
    """
    found = bar(
        _read_each(images, names, checksums),
        total=len(names),
        desc="headers",
        unit="image",
        delay=_PATIENCE,
        leave=False,
    )
    return dict(zip(names, found, strict=True))


def _read_each(
    images: ImageSource, names: Sequence[str], checksums: bool
) -> Iterator[Header | ImageError]:
    read = partial(_header, images, checksums)
    yield from map(read, names[:1])  # the first one loads Pillow's plugins
    sample, rest = names[1:_SAMPLE], names[_SAMPLE:]
    started_at = time.monotonic()
    yield from [read(name) for name in sample]
    if time.monotonic() - started_at < _QUICK * len(sample):
        yield from map(read, rest)
    else:
        with ThreadPoolExecutor(_READERS) as pool:
            yield from pool.map(read, rest)


def _header(images: ImageSource, checksum: bool, name: str) -> Header | ImageError:
    try:
        return images.header(name, checksum=checksum)
    except ImageError as error:
        return error


def _problems(pair: Pair, found: Mapping[str, Header | ImageError]) -> Iterator[str]:
    yield from image_problems(pair, found)
    if not math.isfinite(pair.score):
        yield f"{pair.distorted}: has no finite score"


def image_problems(pair: Pair, found: Mapping[str, Header | ImageError]) -> Iterator[str]:
    """Reasons why the images of a pair cannot be compared.

    Args:
      pair: The pair.
      found: Result of :func:`read_headers`.
    """
    reference, distorted = (found[name] for name in pair.image_names)
    if isinstance(reference, ImageError):
        yield str(reference)
    if isinstance(distorted, ImageError):
        yield str(distorted)
    elif isinstance(reference, Header) and reference[:2] != distorted[:2]:
        yield (
            f"{pair.distorted}: is {distorted.width}x{distorted.height} pixels, its reference "
            f"{pair.reference} {reference.width}x{reference.height}"
        )
