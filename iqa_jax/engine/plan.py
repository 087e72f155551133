"""From a pair table to batches of pixels: planned before it runs, decoded ahead of the devices.

The table is cut into work units: one reference with up to V of its distorted versions. A unit is
what is decoded, sent to a device, computed, written and resumed; its scores depend on no other.
"""

import itertools
import math
import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import grain
import numpy as np

from iqa_jax.datasets.table import PairTable
from iqa_jax.errors import ImageError, InputError
from iqa_jax.images.decode import Header
from iqa_jax.images.resize import Resize, Size

T = TypeVar("T")

_MOST_VERSIONS = 32
_MOST_UNIT_BYTES = 128 * 2**20
"""Ends of the automatic choice of V: at 32 the reference's own pass is 3 % of the work, and a unit
of large photographs still fits many times into a machine's memory."""

_MOST_READERS = 16

_TASK_PIXELS = 2**18
"""To hand a task to a thread takes as long as to decode an image of 64x64."""


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
    """How a table is cut: a function of the table and the flags alone.

    Attributes:
      versions: V, the number of distorted versions that a unit has room for.
      units: Those of one image size stand together, the largest images first: what does not fit
        into memory is known before anything is computed.
    """

    versions: int
    units: tuple[WorkUnit, ...]

    @property
    def sizes(self) -> list[Size]:
        """The image sizes, each once, in the order in which they are run."""
        return list(dict.fromkeys(unit.size for unit in self.units))


@dataclass(frozen=True)
class Batch:
    """The pixels of work units of one image size.

    Attributes:
      units: The units; where the arrays hold more, the last ones are padding.
      reference: ``uint8`` ``[places, H, W, 3]``.
      distorted: ``uint8`` ``[places, V, H, W, 3]``; versions that a unit lacks are zeros.
      failed: Images that could not be decoded, and why; they are zeros.
    """

    units: tuple[WorkUnit, ...]
    reference: np.ndarray
    distorted: np.ndarray
    failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Decoded:
    reference: np.ndarray
    distorted: np.ndarray
    failed: Mapping[str, str] = field(default_factory=dict)


def plan(
    table: PairTable,
    headers: Mapping[str, Header],
    *,
    versions: int | None = None,
    resize: Resize | None = None,
) -> Plan:
    """Cuts a table into work units.

    Args:
      table: The dataset.
      headers: Of each of its images, by name.
      versions: V; None for the number that takes the fewest passes through a network.
      resize: Applied to every image before it is scored.

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
        for rows in _chunks(rows_of[reference], versions)
    )
    return Plan(versions, units)


def feed(
    plan: Plan,
    units: Collection[WorkUnit],
    table: PairTable,
    *,
    places: Callable[[int, int], int],
    resize: Resize | None = None,
    tolerant: bool = False,
) -> Iterator[Batch]:
    """Decodes work units with worker threads, ahead of whoever takes the batches.

    Args:
      plan: Of the table.
      units: Those of the plan that are wanted, in its order.
      table: The dataset.
      places: Number of units that are run at a time, for images of a height and width.
      resize: As in the plan.
      tolerant: Whether an image that cannot be decoded fails its pairs alone; else the run.

    Yields:
      Batches in the order of the units; memory does not grow with their number.

    Raises:
      ImageError: If an image cannot be decoded or is not of the size that its header said, when the
        batches before it have been taken.
    """
    readers = min(os.cpu_count() or 1, _MOST_READERS)
    groups = [
        group
        for size, of_one_size in itertools.groupby(units, key=lambda unit: unit.size)
        for group in _chunks(list(of_one_size), places(*size))
    ]
    tasks = [task for group in groups for task in _chunks(group, _units_a_task(group, plan))]
    decoded = itertools.chain.from_iterable(
        grain.MapDataset.source(tasks)
        .map(
            lambda task: [
                _decode_unit(unit, table, plan.versions, resize, tolerant) for unit in task
            ]
        )
        .to_iter_dataset(grain.ReadOptions(num_threads=readers, prefetch_buffer_size=readers))
    )
    for group in groups:
        images = [next(decoded) for _ in group]
        first = images[0]
        padding = _Decoded(np.zeros_like(first.reference), np.zeros_like(first.distorted))
        images += [padding] * (places(*group[0].size) - len(group))
        yield Batch(
            group,
            np.stack([unit.reference for unit in images]),
            np.stack([unit.distorted for unit in images]),
            dict(itertools.chain.from_iterable(unit.failed.items() for unit in images)),
        )


def _units_a_task(group: Sequence[WorkUnit], plan: Plan) -> int:
    """How many units of a size a thread decodes in one go."""
    height, width = group[0].size
    return max(1, _TASK_PIXELS // (height * width * (1 + plan.versions)))


def _decode_unit(
    unit: WorkUnit, table: PairTable, versions: int, resize: Resize | None, tolerant: bool
) -> _Decoded:
    """The reference ``[H, W, 3]`` and the distorted versions ``[V, H, W, 3]`` of a unit."""
    failed: dict[str, str] = {}

    def pixels(name: str) -> np.ndarray:
        try:
            image = table.images.pixels(name)
            image = resize(image) if resize else image
            if image.shape[:2] != unit.size:
                expected = f"expected {unit.size} (height, width)"
                raise ImageError(f"{name}: is {image.shape[:2]}, {expected}")
        except ImageError as error:
            if not tolerant:
                raise
            failed[name] = str(error)
            return np.zeros((*unit.size, 3), np.uint8)
        return image

    distorted = np.zeros((versions, *unit.size, 3), np.uint8)
    for version, row in enumerate(unit.rows):
        distorted[version] = pixels(table.pairs[row].distorted)
    reference = pixels(table.pairs[unit.rows[0]].reference)
    return _Decoded(reference, distorted, failed)


def _cheapest_versions(counts: list[int], sizes: Collection[Size]) -> int:
    """The V for which a pass a reference and V passes a unit are the fewest in all."""
    largest_image = max((height * width * 3 for height, width in sizes), default=1)
    most = max(1, min(_MOST_VERSIONS, _MOST_UNIT_BYTES // largest_image, max(counts, default=1)))

    def passes(versions: int) -> int:
        return sum(math.ceil(count / versions) for count in counts) * (1 + versions)

    return min(range(1, most + 1), key=passes)


def _chunks(items: Sequence[T], length: int) -> Iterator[tuple[T, ...]]:
    for start in range(0, len(items), length):
        yield tuple(items[start : start + length])
