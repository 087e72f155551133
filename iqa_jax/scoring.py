"""The run: work units through a compiled step, onto disk, with progress; killed, it continues."""

import importlib.metadata
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from tqdm import tqdm

from iqa_jax.datasets.table import PairTable
from iqa_jax.errors import ImageError
from iqa_jax.parallel import UnitRunner, describe_devices
from iqa_jax.parts import ScoreParts
from iqa_jax.pipeline import Batch, Plan, feed
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
    pairs = sum(len(unit.rows) for unit in plan.units)
    started_at = time.monotonic()
    done = pairs - sum(len(unit.rows) for unit in missing)
    with tqdm(total=pairs, initial=done, desc=label, unit="pair", smoothing=0.1) as progress:
        # One batch is computed while the next is decoded and sent.
        started: deque[tuple[Batch, Mapping[str, jax.Array]]] = deque()

        def keep_all_but(count: int) -> None:
            while len(started) > count:
                batch, scores = started.popleft()
                by_unit = jax.device_get(scores)
                for position, unit in enumerate(batch.units):
                    whole = [row not in batch.failed for row in unit.rows]
                    parts.add(
                        unit,
                        {
                            name: np.where(whole, values[position][: len(whole)], np.nan)
                            for name, values in by_unit.items()
                        },
                    )
                    progress.update(len(unit.rows))

        try:
            batches = feed(
                plan, missing, table, places=runner.unit_count, resize=resize, tolerant=tolerant
            )
            for batch in batches:
                started.append((batch, runner(batch.reference, batch.distorted)))
                keep_all_but(1)
            keep_all_but(0)
        except ImageError:
            keep_all_but(0)
            raise
        finally:
            parts.write()
    seconds = time.monotonic() - started_at
    return Run(parts.collect(len(table.pairs)), (pairs - done) / seconds if missing else None)
