"""The run: work units through a compiled step, onto disk, with progress; killed, it continues."""

import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from tqdm import tqdm

from iqa_jax.datasets.table import Pair, PairTable
from iqa_jax.engine.capacity import find_too_large
from iqa_jax.engine.devices import UnitRunner, describe_devices
from iqa_jax.engine.parts import ScoreParts
from iqa_jax.engine.plan import Batch, Plan, WorkUnit, feed
from iqa_jax.errors import ImageError, InputError
from iqa_jax.images.resize import Resize
from iqa_jax.revisions import versions_with

_FEW_SIZES = 8
"""To compile for so many is not worth a word."""


def environment() -> dict[str, Any]:
    """What scores depend on besides images, weights and settings, as JSON."""
    return {
        "platform": describe_devices()["platform"],
        "software": versions_with("jax", "jaxlib", "numpy", "pillow"),
    }


@dataclass(frozen=True)
class Run:
    """What a run brought.

    Attributes:
      scores: float32 ``[pairs]`` by column; NaN where there are none.
      unscored: Rows without scores, and why.
      unread: Names of the images that could not be decoded, or were too large for the memory.
      pairs_per_second: Of those that were computed now, compilation included; None if none were.
    """

    scores: Mapping[str, np.ndarray]
    unscored: Mapping[int, str]
    unread: frozenset[str]
    pairs_per_second: float | None


def run(
    table: PairTable,
    plan: Plan,
    runner: UnitRunner,
    parts: ScoreParts,
    *,
    label: str,
    resize: Resize | None = None,
    tolerant: bool = False,
) -> Run:
    """Scores the units of a plan that are not on disk yet, and collects the scores of all.

    Args:
      table: The dataset.
      plan: Of the table.
      runner: The compiled step on the devices.
      parts: Where the scores go, and what is there from an earlier run.
      label: What the progress bar says.
      resize: As in the plan.
      tolerant: Whether pairs of images that cannot be decoded, or are too large for the memory,
        stay without scores; else they end the run.

    Returns:
      The scores of all pairs, and how fast the missing ones were made.

    Raises:
      ImageError: If an image cannot be decoded; what was scored before it is kept.
      InputError: If images are too large for the memory.
    """
    missing = parts.missing(plan.units)
    started_at = time.monotonic()
    unscored: dict[int, str] = {}
    unread: set[str] = set()
    try:
        for done in compute(
            table, plan, missing, runner, label=label, resize=resize, tolerant=tolerant
        ):
            unscored |= done.failed
            unread |= done.unread
            if done.values:
                parts.add(done.unit, done.values, failed=done.failed)
    finally:
        parts.write()
    speed = pairs_per_second(missing, started_at)
    return Run(parts.collect(), unscored, frozenset(unread), speed)


@dataclass(frozen=True)
class Computed:
    """A work unit that went through a step.

    Attributes:
      unit: The unit.
      values: What the step gave, ``[V, ...]`` by name; versions beyond the unit's are padding.
        Empty if the images are too large.
      failed: Rows whose values mean nothing, and why.
      unread: Names of images that could not be decoded, or were too large for the memory.
    """

    unit: WorkUnit
    values: Mapping[str, np.ndarray]
    failed: Mapping[int, str]
    unread: frozenset[str] = frozenset()


def compute(
    table: PairTable,
    plan: Plan,
    units: Sequence[WorkUnit],
    runner: UnitRunner,
    *,
    label: str,
    resize: Resize | None = None,
    tolerant: bool = False,
) -> Iterator[Computed]:
    """Runs a step over work units, with progress: one batch is computed while the next is decoded.

    Args:
      table: The dataset.
      plan: Of the table.
      units: Those of the plan that are wanted, in its order; the others count as done.
      runner: The compiled step on the devices.
      label: What the progress bar says.
      resize: As in the plan.
      tolerant: Whether an image that cannot be decoded, or is too large for the memory, fails its
        pairs alone; else the run.

    Yields:
      The units in their order.

    Raises:
      ImageError: If an image cannot be decoded, when the units before it have been taken.
      InputError: If images are too large for the memory, before anything is computed.
    """
    started_at = time.monotonic()
    too_large = find_too_large(units, runner, plan.versions, label)
    _tell_sizes(units, label, time.monotonic() - started_at)
    if too_large and not tolerant:
        unit = next(unit for unit in units if unit.size in too_large)
        raise InputError(f"{table.pairs[unit.rows[0]].reference}: {too_large[unit.size]}")
    for unit in units:
        if unit.size in too_large:
            failed = dict.fromkeys(unit.rows, too_large[unit.size])
            yield Computed(unit, {}, failed, _images_of(unit, table))
    units = [unit for unit in units if unit.size not in too_large]
    pairs, wanted = (sum(len(unit.rows) for unit in each) for each in (plan.units, units))
    batches = iter(
        feed(plan, units, table, places=runner.unit_count, resize=resize, tolerant=tolerant)
    )
    started: deque[tuple[Batch, Mapping[str, jax.Array]]] = deque()
    broken = None
    with tqdm(
        total=pairs, initial=pairs - wanted, desc=label, unit="pair", smoothing=0.1
    ) as progress:
        while True:
            try:
                batch = next(batches, None)
            except ImageError as error:
                batch, broken = None, error
            if batch:
                started.append((batch, runner(batch.reference, batch.distorted)))
            while len(started) > (1 if batch else 0):
                for computed in _units_of(*started.popleft(), table):
                    yield computed
                    progress.update(len(computed.unit.rows))
            if not batch:
                break
    if broken:
        raise broken


def pairs_per_second(units: Sequence[WorkUnit], started_at: float) -> float | None:
    """How fast units were computed since a time of the monotonic clock; None if there were none."""
    pairs = sum(len(unit.rows) for unit in units)
    return pairs / (time.monotonic() - started_at) if pairs else None


def _units_of(
    batch: Batch, values: Mapping[str, jax.Array], table: PairTable
) -> Iterator[Computed]:
    by_unit = jax.device_get(values)
    for position, unit in enumerate(batch.units):
        failed = {
            row: reason for row in unit.rows if (reason := _why(table.pairs[row], batch.failed))
        }
        of_unit = {name: each[position] for name, each in by_unit.items()}
        yield Computed(unit, of_unit, failed, frozenset(batch.failed))


def _images_of(unit: WorkUnit, table: PairTable) -> frozenset[str]:
    pairs = [table.pairs[row] for row in unit.rows]
    return frozenset(name for pair in pairs for name in (pair.reference, pair.distorted))


def _why(pair: Pair, failed: Mapping[str, str]) -> str:
    names = dict.fromkeys((pair.reference, pair.distorted))
    return "; ".join(failed[name] for name in names if name in failed)


def _tell_sizes(units: Sequence[WorkUnit], label: str, seconds: float) -> None:
    """Says what the number of image sizes costs, where it is large, after the first is compiled."""
    count = len({unit.size for unit in units})
    if count > _FEW_SIZES:
        tqdm.write(
            f"{label}: {count} image sizes: each is compiled once, about {seconds * count:.0f} s "
            "in all; --resize=exact:HEIGHTxWIDTH makes it one (and changes the scores)",
            file=sys.stderr,
        )
