"""The work plan: a pair table, cut into work units before anything runs.

A unit is one reference with up to V of its distorted versions. It is decoded, sent to a device,
computed, saved and resumed as a whole. Its scores do not depend on any other unit.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar

import numpy as np

from iqa_jax.datasets.table import PairTable
from iqa_jax.engine.decoded import DecodedImages
from iqa_jax.errors import InputError
from iqa_jax.images.decode import Header
from iqa_jax.images.resize import Resize, Size

T = TypeVar("T")

_MOST_VERSIONS = 32
_MOST_UNIT_BYTES = 128 * 2**20
"""Limits of the automatic choice of V: at 32 the pass of the reference is 3 % of the work, and a
unit of large photographs still fits many times into a machine's memory."""


@dataclass(frozen=True)
class WorkUnit:
    """One reference and some of its distorted versions.

    Attributes:
      number: Position in the plan.
      size: Height and width of its images as they are scored.
      rows: Positions of its pairs in the table.
    """

    number: int
    size: Size
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """A table cut into work units, which depend on the table and the flags alone.

    Attributes:
      table: The pairs.
      headers: Header of each of their images, by name.
      versions: V, the number of distorted versions that a unit has room for.
      units: Work units, grouped by image size with the largest images first: images that do not fit
        into memory are found before anything is computed.
      resize: Resize of every image before it is scored.
      decoded: Keeps images that have been decoded; None to decode each time.
    """

    table: PairTable = field(repr=False)
    headers: Mapping[str, Header] = field(repr=False)
    versions: int
    units: tuple[WorkUnit, ...]
    resize: Resize | None = None
    decoded: DecodedImages | None = field(default=None, repr=False, compare=False)

    @property
    def sizes(self) -> list[Size]:
        """The image sizes, each once, in the order in which they run."""
        return list(dict.fromkeys(unit.size for unit in self.units))

    def decoding_once(self, passes: int) -> Self:
        """This plan, whose images are decoded in the first of several passes only.

        The later passes read the pixels, as they are scored, from a temporary file, if there is
        room for them.

        Args:
          passes: Number of passes over the images, such as networks.
        """
        if passes < 2:
            return self
        pairs = self.table.pairs
        sizes = {
            name: unit.size
            for unit in self.units
            for row in unit.rows
            for name in pairs[row].image_names
        }
        return replace(self, decoded=DecodedImages(sizes))

    def pixels(self, name: str) -> np.ndarray:
        """Pixels of the image ``name`` as it is scored, ``uint8`` ``[H, W, 3]``.

        Raises:
          ImageError: If it cannot be decoded.
        """
        if self.decoded is None:
            return self._decode(name)
        image = self.decoded.get(name)
        if image is None:
            image = self._decode(name)
            self.decoded.put(name, image)
        return image

    def _decode(self, name: str) -> np.ndarray:
        image = self.table.images.pixels(name)
        return self.resize(image) if self.resize else image


def make_plan(
    table: PairTable,
    headers: Mapping[str, Header],
    *,
    versions: int | None = None,
    resize: Resize | None = None,
) -> Plan:
    """Cuts a table into work units.

    Args:
      table: The pairs.
      headers: Header of each of their images, by name.
      versions: V; None for the number that needs the fewest passes through a network.
      resize: Resize of every image before it is scored.

    Raises:
      InputError: If V is not positive.
    """
    if versions is not None and versions < 1:
        raise InputError(f"versions: expected a positive number or auto, got {versions}")
    rows_of = defaultdict(list)
    for row, pair in enumerate(table.pairs):
        rows_of[pair.reference].append(row)
    references_of = defaultdict(list)
    for reference in rows_of:
        height, width = headers[reference][:2]
        references_of[resize.size(height, width) if resize else (height, width)].append(reference)
    versions = versions or _cheapest_versions([len(r) for r in rows_of.values()], references_of)
    numbers = itertools.count()
    units = tuple(
        WorkUnit(next(numbers), size, rows)
        for size in sorted(references_of, key=math.prod, reverse=True)
        for reference in references_of[size]
        for rows in groups_of(versions, rows_of[reference])
    )
    return Plan(table, headers, versions, units, resize)


def groups_of(length: int, items: Sequence[T]) -> Iterator[tuple[T, ...]]:
    """The items in groups of ``length``; the last group may be shorter."""
    for start in range(0, len(items), length):
        yield tuple(items[start : start + length])


def _cheapest_versions(counts: list[int], sizes: Collection[Size]) -> int:
    """The V with the fewest passes in total; each unit takes 1 + V."""
    largest_image = max((height * width * 3 for height, width in sizes), default=1)
    most = max(1, min(_MOST_VERSIONS, _MOST_UNIT_BYTES // largest_image, max(counts, default=1)))

    def passes(versions: int) -> int:
        return sum(math.ceil(count / versions) for count in counts) * (1 + versions)

    return min(range(1, most + 1), key=passes)
