"""Runs work units through a compiled step and saves the values. An interrupted run resumes."""

import itertools
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import jax
import numpy as np

from iqa_jax.compilation import convolution_library
from iqa_jax.datasets.table import Pair
from iqa_jax.engine.capacity import find_too_large
from iqa_jax.engine.devices import UnitRunner, describe_devices
from iqa_jax.engine.feed import Batch, read_batches
from iqa_jax.engine.plan import Plan, WorkUnit
from iqa_jax.engine.programs import Programs
from iqa_jax.engine.step import Step
from iqa_jax.engine.unsaved import Saving, saved_in_the_end
from iqa_jax.engine.waits import WAITS
from iqa_jax.errors import ImageError, InputError
from iqa_jax.progress import bar, inform
from iqa_jax.revisions import versions_with

_FEW_SIZES = 8
"""Compiling for up to this many image sizes is not worth a message."""


def environment() -> dict[str, Any]:
    """Everything besides images, weights and settings that scores depend on, as JSON."""
    return {
        "platform": describe_devices()["platform"],
        "convolutions": convolution_library(),
        "software": versions_with("jax", "jaxlib", "numpy", "pillow"),
    }


class Sink(Saving, Protocol):
    """Destination of the values of a run."""

    def missing(self, units: Sequence[WorkUnit]) -> list[WorkUnit]:
        """Units whose values are not all saved yet."""
        ...

    def add(self, rows: Sequence[int], values: Mapping[str, np.ndarray]) -> None:
        """Takes the values ``[rows, ...]`` of some rows of one unit and saves them soon after.

        Args:
          rows: Positions of the pairs in the table.
          values: Arrays by name.
        """
        ...


@dataclass(frozen=True)
class Outcome:
    """Result of a run.

    Attributes:
      failed: Reason for each row without values.
      unread: Names of the images that could not be decoded, or were too large for the memory.
      pairs_per_second: Speed of this run, compilation included; None if nothing was computed.
    """

    failed: Mapping[int, str] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()
    pairs_per_second: float | None = None


def fill(
    sink: Sink,
    plan: Plan,
    step: Step,
    *,
    programs: Programs | None = None,
    tolerant: bool = False,
) -> Outcome:
    """Computes the values that a sink does not have yet.

    Args:
      sink: Destination of the values.
      plan: The work.
      step: The computation.
      programs: Programs compiled earlier, to be reused and added to; None for none.
      tolerant: Whether pairs of images that cannot be decoded, or are too large for the memory, are
        left without values; otherwise they end the run.

    Raises:
      ImageError: If an image cannot be decoded; values computed before it are kept.
      InputError: If images are too large for the memory.
    """
    missing = sink.missing(plan.units)
    if not missing:
        return Outcome()
    runner = UnitRunner(step, programs=programs)
    failed: dict[int, str] = {}
    unread: set[str] = set()
    started_at = time.monotonic()
    with saved_in_the_end(sink):
        for done in compute(plan, missing, runner, label=step.label, tolerant=tolerant):
            failed |= done.failed
            unread |= done.unread
            if done.rows:
                sink.add(done.rows, done.values)
    seconds = time.monotonic() - started_at
    return Outcome(failed, frozenset(unread), _pairs_in(missing) / seconds)


def mean_speed(speeds: Sequence[float | None]) -> float | None:
    """Speed of several runs over about the same number of pairs.

    Args:
      speeds: Pairs per second of each; None where nothing was computed.
    """
    known = [speed for speed in speeds if speed]
    return len(known) / sum(1 / speed for speed in known) if known else None


@dataclass(frozen=True)
class Computed:
    """A work unit that went through a step.

    Attributes:
      rows: Rows that have values.
      values: Arrays ``[rows, ...]`` by name.
      failed: Reason for each of its other rows.
      unread: Names of images that could not be decoded, or were too large for the memory.
    """

    rows: Sequence[int]
    values: Mapping[str, np.ndarray]
    failed: Mapping[int, str]
    unread: frozenset[str]


def compute(
    plan: Plan,
    units: Sequence[WorkUnit],
    runner: UnitRunner,
    *,
    label: str,
    tolerant: bool = False,
) -> Iterator[Computed]:
    """Runs a step over work units, with progress; one batch is computed while the next is decoded.

    Args:
      plan: The plan.
      units: Units of the plan to compute, in its order; the others count as done.
      runner: The compiled step on the devices.
      label: Name of the step in messages.
      tolerant: Whether an image that cannot be decoded, or is too large for the memory, fails only
        its own pairs; otherwise it ends the run.

    Yields:
      The units that are too large, then the others in order.

    Raises:
      ImageError: If an image cannot be decoded; raised once the units before it have been consumed.
      InputError: If images are too large for the memory; raised before anything is computed.
    """
    started_at = time.monotonic()
    too_large = find_too_large(units, runner, plan.versions, label)
    _report_sizes(units, label, time.monotonic() - started_at)
    for unit in units:
        if unit.size in too_large:
            reason, images = too_large[unit.size], _images_of(unit, plan)
            if not tolerant:
                raise InputError(f"{images[0]}: {reason}")
            yield Computed((), {}, dict.fromkeys(unit.rows, reason), frozenset(images))
    units = [unit for unit in units if unit.size not in too_large]
    pairs, wanted = _pairs_in(plan.units), _pairs_in(units)
    following = dict(itertools.pairwise(dict.fromkeys(unit.size for unit in units)))
    batches = read_batches(plan, units, places=runner.unit_count, tolerant=tolerant)
    started: deque[_Started] = deque()
    broken = None
    with (
        closing(runner),
        bar(
            total=pairs,
            initial=pairs - wanted,
            desc=label,
            unit="pair",
            smoothing=0.1,
            leave=None,  # unless it is inside another
        ) as progress,
    ):

        def ended(count: int) -> Iterator[Computed]:
            for _ in range(count):
                for computed in _units_of(started.popleft(), plan):
                    yield computed
                    progress.update(len(computed.rows) + len(computed.failed))

        while True:
            try:
                with WAITS.on("images"):
                    batch = next(batches, None)
            except ImageError as error:
                batch, broken = None, error
            if not batch or (started and not _are_alike(batch, started[-1].batch)):
                yield from ended(len(started))  # before another size is compiled
            if not batch:
                break
            images = runner.put(batch.reference, batch.distorted)
            started.append(_Started(batch, images, runner(*images)))
            if next_size := following.pop(batch.units[0].size, None):
                runner.compile_ahead(*next_size, plan.versions)
            yield from ended(len(started) - 1)
    if broken:
        raise broken


class _Started(NamedTuple):
    """A batch whose computation has started."""

    batch: Batch
    images: tuple[jax.Array, ...]
    values: Mapping[str, jax.Array]


def _are_alike(first: Batch, second: Batch) -> bool:
    """Whether two batches run the same program."""
    return first.reference.shape == second.reference.shape


def _pairs_in(units: Sequence[WorkUnit]) -> int:
    return sum(len(unit.rows) for unit in units)


def _units_of(started: _Started, plan: Plan) -> Iterator[Computed]:
    batch = started.batch
    with WAITS.on("transfer"):
        jax.block_until_ready(started.images)
    with WAITS.on("values"):
        fetched = jax.device_get(started.values)
    for position, unit in enumerate(batch.units):
        failed = {
            row: reason
            for row in unit.rows
            if (reason := _why(plan.table.pairs[row], batch.failed))
        }
        places = [place for place, row in enumerate(unit.rows) if row not in failed]
        yield Computed(
            [unit.rows[place] for place in places],
            {name: each[position][places] for name, each in fetched.items()},
            failed,
            frozenset(batch.failed),
        )


def _images_of(unit: WorkUnit, plan: Plan) -> list[str]:
    pairs = [plan.table.pairs[row] for row in unit.rows]
    return [name for pair in pairs for name in (pair.reference, pair.distorted)]


def _why(pair: Pair, failed: Mapping[str, str]) -> str:
    names = dict.fromkeys((pair.reference, pair.distorted))
    return "; ".join(failed[name] for name in names if name in failed)


def _report_sizes(units: Sequence[WorkUnit], label: str, seconds: float) -> None:
    """Reports the cost of many image sizes, once the first has been compiled."""
    count = len({unit.size for unit in units})
    if count > _FEW_SIZES:
        inform(
            f"{label}: {count} image sizes: each is compiled once, about {seconds * count:.0f} s "
            "in all; resize=exact:HEIGHTxWIDTH makes it one (and changes the scores)"
        )
