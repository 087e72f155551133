"""The run: work units through a compiled step, onto disk, with progress; killed, it continues."""

import importlib.metadata
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from tqdm import tqdm

from iqa_jax.datasets.table import PairTable
from iqa_jax.errors import ImageError
from iqa_jax.parallel import UnitRunner, describe_devices
from iqa_jax.parts import ScoreParts
from iqa_jax.pipeline import Batch, Plan, WorkUnit, feed
from iqa_jax.resize import Resize

_SOFTWARE = ("iqa_jax", "jax", "jaxlib", "numpy", "pillow")


def environment() -> dict[str, Any]:
    """What scores depend on besides images, weights and settings, as JSON."""
    return {
        "platform": describe_devices()["platform"],
        "software": {name: importlib.metadata.version(name) for name in _SOFTWARE},
    }


@dataclass(frozen=True)
class Run:
    """What a run brought.

    Attributes:
      scores: float32 ``[pairs]`` by column.
      pairs_per_second: Of those that were computed now, compilation included; None if none were.
    """

    scores: Mapping[str, np.ndarray]
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
      tolerant: Whether an image that cannot be decoded gives its pairs NaN; else it ends the run.

    Returns:
      The scores of all pairs, and how fast the missing ones were made.

    Raises:
      ImageError: If an image cannot be decoded; what was scored before it is kept.
    """
    finished = parts.finished()
    missing = [unit for unit in plan.units if unit.number not in finished]
    started_at = time.monotonic()
    try:
        for done in compute(
            table, plan, missing, runner, label=label, resize=resize, tolerant=tolerant
        ):
            whole = [row not in done.failed for row in done.unit.rows]
            parts.add(
                done.unit,
                {
                    name: np.where(whole, values[: len(whole)], np.nan)
                    for name, values in done.values.items()
                },
            )
    finally:
        parts.write()
    scores = parts.collect(len(table.pairs))
    return Run(scores, pairs_per_second(missing, started_at))


@dataclass(frozen=True)
class Computed:
    """A work unit that went through a step.

    Attributes:
      unit: The unit.
      values: What the step gave, ``[V, ...]`` by name; versions beyond the unit's are padding.
      failed: Rows of which an image could not be decoded; their values mean nothing.
    """

    unit: WorkUnit
    values: Mapping[str, np.ndarray]
    failed: frozenset[int]


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
      tolerant: Whether an image that cannot be decoded fails its pairs alone; else the run.

    Yields:
      The units in their order.

    Raises:
      ImageError: If an image cannot be decoded, when the units before it have been taken.
    """
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
                for computed in _units_of(*started.popleft()):
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


def _units_of(batch: Batch, values: Mapping[str, jax.Array]) -> Iterator[Computed]:
    by_unit = jax.device_get(values)
    for position, unit in enumerate(batch.units):
        yield Computed(unit, {name: each[position] for name, each in by_unit.items()}, batch.failed)
