"""Decodes work units into batches of pixels, with threads that run ahead of the devices."""

import itertools
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import grain
import numpy as np

from iqa_jax.engine.plan import Plan, WorkUnit, groups_of
from iqa_jax.errors import ImageError

_MOST_READERS = 16

_TASK_PIXELS = 2**18
"""Handing a task to a thread costs about as much as decoding a 64x64 image."""


@dataclass(frozen=True)
class Batch:
    """The pixels of work units of one image size.

    Attributes:
      units: The units; any further places in the arrays are padding.
      reference: References, ``uint8`` ``[places, H, W, 3]``.
      distorted: Versions, ``uint8`` ``[places, V, H, W, 3]``; those that a unit lacks are zeros.
      failed: Reason for each image that could not be decoded, by name; its pixels are zeros.
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


def read_batches(
    plan: Plan,
    units: Collection[WorkUnit],
    *,
    places: Callable[[int, int], int],
    tolerant: bool = False,
) -> Iterator[Batch]:
    """Decodes work units with worker threads, ahead of the consumer of the batches.

    Args:
      plan: The plan.
      units: Units of the plan to decode, in its order.
      places: Number of units that run at a time, for images of a height and width.
      tolerant: Whether an image that cannot be decoded fails only its own pairs; otherwise it ends
        the run.

    Yields:
      Batches in the order of the units; memory does not grow with their number.

    Raises:
      ImageError: If an image cannot be decoded or does not have the size given by its header;
        raised once the batches before it have been consumed.
    """
    readers = min(os.cpu_count() or 1, _MOST_READERS)
    groups = [
        group
        for size, of_one_size in itertools.groupby(units, key=lambda unit: unit.size)
        for group in groups_of(places(*size), list(of_one_size))
    ]
    tasks = [task for group in groups for task in groups_of(_units_a_task(group, plan), group)]
    decoded = itertools.chain.from_iterable(
        grain.MapDataset.source(tasks)
        .map(lambda task: [_decode_unit(unit, plan, tolerant) for unit in task])
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
    """Number of units of a size that a thread decodes in one go."""
    height, width = group[0].size
    return max(1, _TASK_PIXELS // (height * width * (1 + plan.versions)))


def _decode_unit(unit: WorkUnit, plan: Plan, tolerant: bool) -> _Decoded:
    """The reference ``[H, W, 3]`` and the distorted versions ``[V, H, W, 3]`` of a unit."""
    failed: dict[str, str] = {}

    def pixels(name: str) -> np.ndarray:
        try:
            image = plan.pixels(name)
            if image.shape[:2] != unit.size:
                expected = f"expected {unit.size} (height, width)"
                raise ImageError(f"{name}: is {image.shape[:2]}, {expected}")
        except ImageError as error:
            if not tolerant:
                raise
            failed[name] = str(error)
            return np.zeros((*unit.size, 3), np.uint8)
        return image

    pairs = [plan.table.pairs[row] for row in unit.rows]
    distorted = np.zeros((plan.versions, *unit.size, 3), np.uint8)
    for version, pair in enumerate(pairs):
        distorted[version] = pixels(pair.distorted)
    return _Decoded(pixels(pairs[0].reference), distorted, failed)
