"""Decodes work units into batches of pixels, with threads that run ahead of the devices."""

import itertools
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import grain
import numpy as np

from iqa_jax.engine.buffers import Buffers
from iqa_jax.engine.plan import Plan, WorkUnit, groups_of
from iqa_jax.engine.processors import processor_count
from iqa_jax.errors import ImageError
from iqa_jax.images.resize import Size

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


def read_batches(
    plan: Plan,
    units: Collection[WorkUnit],
    *,
    places: Callable[[int, int], int],
    tolerant: bool = False,
    readers: int | None = None,
) -> Iterator[Batch]:
    """Decodes work units with worker threads, ahead of the consumer of the batches.

    Args:
      plan: The plan.
      units: Units of the plan to decode, in its order.
      places: Number of units that run at a time, for images of a height and width.
      tolerant: Whether an image that cannot be decoded fails only its own pairs; otherwise it ends
        the run.
      readers: Number of threads; None for one on each processor that this process may use.

    Yields:
      Batches in the order of the units; memory does not grow with their number.

    Raises:
      ImageError: If an image cannot be decoded or does not have the size given by its header;
        raised once the batches before it have been consumed.
    """
    readers = readers or processor_count()
    assemblies = [
        _Assembly(plan, group, places(*size), tolerant, buffers)
        for size, of_one_size in itertools.groupby(units, key=lambda unit: unit.size)
        for buffers in [Buffers()]
        for group in groups_of(places(*size), list(of_one_size))
    ]
    tasks = [(assembly, part) for assembly in assemblies for part in assembly.parts()]
    decoded = iter(
        grain.MapDataset.source(tasks)
        .map(lambda task: task[0].decode(task[1]))
        .to_iter_dataset(grain.ReadOptions(num_threads=readers, prefetch_buffer_size=readers))
    )
    for assembly in assemblies:
        failed = [next(decoded) for _ in assembly.parts()]
        yield assembly.batch(dict(itertools.chain.from_iterable(each.items() for each in failed)))


class _Assembly:
    """A batch that worker threads put together.

    Its arrays exist from the first of its images until it is handed over; then it no longer refers
    to the buffers either, so that those of one image size end with its last batch.

    Args:
      plan: The plan.
      units: Units of one image size.
      places: Number of units for which there is room.
      tolerant: Whether images that cannot be decoded are left out.
      buffers: Source of its arrays.
    """

    def __init__(
        self,
        plan: Plan,
        units: tuple[WorkUnit, ...],
        places: int,
        tolerant: bool,
        buffers: Buffers,
    ):
        self._plan = plan
        self._units = units
        self._places = places
        self._tolerant = tolerant
        self._buffers: Buffers | None = buffers
        self._arrays: tuple[np.ndarray, np.ndarray] | None = None
        self._making = threading.Lock()

    @property
    def _size(self) -> Size:
        return self._units[0].size

    def parts(self) -> list[tuple[int, ...]]:
        """Places of the units that a thread decodes in one go."""
        height, width = self._size
        images = 1 + self._plan.versions
        return list(
            groups_of(max(1, _TASK_PIXELS // (height * width * images)), range(len(self._units)))
        )

    def decode(self, places: Sequence[int]) -> Mapping[str, str]:
        """Decodes the units of some places and returns why images failed, by name."""
        with self._making:
            references, distorted = self._arrays = self._arrays or self._make_arrays()
        failed: dict[str, str] = {}
        for place in places:
            pairs = [self._plan.table.pairs[row] for row in self._units[place].rows]
            for version, pair in enumerate(pairs):
                self._put(pair.distorted, distorted[place, version], failed)
            distorted[place, len(pairs) :] = 0
            self._put(pairs[0].reference, references[place], failed)
        return failed

    def batch(self, failed: Mapping[str, str]) -> Batch:
        """The batch, once all its parts are decoded; its arrays are no longer kept here."""
        assert self._arrays is not None
        references, distorted = self._arrays
        self._arrays = self._buffers = None
        return Batch(self._units, references, distorted, failed)

    def _make_arrays(self) -> tuple[np.ndarray, np.ndarray]:
        assert self._buffers is not None
        image = (*self._size, 3)
        references = self._buffers.array((self._places, *image))
        distorted = self._buffers.array((self._places, self._plan.versions, *image))
        for each in (references, distorted):
            each[len(self._units) :] = 0
        return references, distorted

    def _put(self, name: str, pixels: np.ndarray, failed: dict[str, str]) -> None:
        try:
            image = self._plan.pixels(name)
            if image.shape[:2] != self._size:
                expected = f"expected {self._size} (height, width)"
                raise ImageError(f"{name}: is {image.shape[:2]}, {expected}")
        except ImageError as error:
            if not self._tolerant:
                raise
            failed[name] = str(error)
            pixels[...] = 0
        else:
            pixels[...] = image
