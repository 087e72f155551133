"""Metrics of any pairs of images, with a reason for every pair that cannot be scored."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import jax
import numpy as np
from etils import epath
from tqdm import tqdm

from iqa_jax.datasets.inspection import image_problems, read_headers
from iqa_jax.datasets.table import Pair, PairTable
from iqa_jax.engine import devices
from iqa_jax.engine import run as engine
from iqa_jax.engine.parts import ScoreParts
from iqa_jax.engine.plan import Plan, WorkUnit, plan
from iqa_jax.errors import InputError
from iqa_jax.images.decode import Header
from iqa_jax.images.resize import Size
from iqa_jax.images.sources import CheckedImages
from iqa_jax.metrics import Group, groups, load_group, parse_metrics
from iqa_jax.metrics.pair_function import PairComparison
from iqa_jax.programs.settings import ModelSettings


@dataclass(frozen=True)
class Settings(ModelSettings):
    """What is asked for; the flags of ``iqa score`` say what each means."""

    metrics: tuple[str, ...]


@dataclass(frozen=True)
class Scores:
    """The scores of all pairs.

    Attributes:
      table: The pairs.
      values: float32 ``[pairs]`` by metric, in its own direction; NaN where there is none.
      errors: For each pair why a score is missing; empty if none is.
      images: What the images were that could be opened, by name.
      unread: Names of those that could not be opened or decoded, or were too large for the memory:
        another run may bring the scores of their pairs.
    """

    table: PairTable
    values: Mapping[str, np.ndarray]
    errors: Sequence[str]
    images: Mapping[str, Header] = field(default_factory=dict)
    unread: Collection[str] = ()


@dataclass(frozen=True)
class Scored:
    """What is known of one pair.

    Attributes:
      values: By metric; NaN where there is none.
      error: Why a score is missing; empty if none is.
    """

    values: Mapping[str, float]
    error: str


class Job:
    """Pairs and metrics, checked and loaded, before anything is computed.

    Args:
      table: The pairs; opinion scores are not needed.
      settings: What is asked for.

    Attributes:
      table: The pairs.
      images: What the images are that can be opened, by name.
      signature: Everything that the scores depend on besides the images, as JSON.

    Raises:
      InputError: If a metric is not known, or its weights have not been fetched.
    """

    def __init__(self, table: PairTable, settings: Settings):
        self._settings = settings
        self._resize = settings.parsed_resize
        self._groups = [
            (group, _load(group, settings)) for group in groups(parse_metrics(settings.metrics))
        ]
        if not self._groups:
            raise InputError("nothing to score with: name at least one metric")
        found = read_headers(table)
        self._errors = ["; ".join(image_problems(pair, found)) for pair in table.pairs]
        self.images = {name: each for name, each in found.items() if isinstance(each, Header)}
        self._unopened = found.keys() - self.images.keys()
        self.table = replace(table, images=CheckedImages(table.images, self.images))
        # The rows that can be scored, as a table of their own.
        self._rows = [row for row, error in enumerate(self._errors) if not error]
        self._good = replace(self.table, pairs=[table.pairs[row] for row in self._rows])
        self._plan = plan(self._good, self.images, versions=settings.versions, resize=self._resize)
        self.signature = {
            "metrics": {
                metric.name: {
                    "computed": metric.computed,
                    "higher_is_better": metric.higher_is_better,
                    **comparison.signature,
                }
                for group, comparison in self._groups
                for metric in group
            },
            "resize": settings.resize,
            "versions": settings.versions or "auto",
            **engine.environment(),
        }

    @property
    def metrics(self) -> tuple[str, ...]:
        """What is asked for."""
        return self._settings.metrics

    @property
    def mapped_metrics(self) -> list[str]:
        """Those of the metrics that have maps."""
        return [
            metric.name
            for group, comparison in self._groups
            for metric in group
            if metric.computed in comparison.mapped
        ]

    def run(self, parts_folder: epath.Path, kept: Mapping[int, Scored] | None = None) -> Scores:
        """Scores the pairs, each network run once over each image.

        Args:
          parts_folder: Where scores are kept as they are made: a killed run continues from there.
          kept: What stands as it is, by row; the other rows are scored.
        """
        kept = kept or {}
        reasons = [[error] if error else [] for error in self._errors]
        values = {
            name: np.full(len(reasons), np.nan, np.float32) for name in self._settings.metrics
        }
        rows = np.array(self._rows)
        units = [unit for unit in self._plan.units if not kept.keys() >= {*rows[[*unit.rows]]}]
        unread = set(self._unopened)
        for group, comparison in self._groups if units else ():
            refused = {unit.size: comparison.refusals(*unit.size) for unit in units}
            for names, share in self._shares(units, comparison, refused):
                work = replace(self._plan, units=share)
                found = self._run(comparison.only(names), work, parts_folder)
                unread |= found.unread
                here = [row for unit in share for row in unit.rows]
                for metric in group:
                    if metric.computed in names:
                        values[metric.name][rows[here]] = found.scores[metric.computed][here]
                for row in here:
                    if row in found.unscored:
                        reasons[rows[row]].append(found.unscored[row])
                    elif any(np.isnan(found.scores[name][row]) for name in names):
                        reasons[rows[row]].append("a score is not a number")
            for unit in units:
                for row in rows[list(unit.rows)]:
                    reasons[row] += refused[unit.size].values()
        errors = ["; ".join(dict.fromkeys(each)) for each in reasons]
        for row, scored in kept.items():
            errors[row] = scored.error
            for name, value in scored.values.items():
                values[name][row] = value
        return Scores(self.table, values, errors, self.images, unread)

    def maps(self, scores: Scores) -> Iterator[tuple[int, str, np.ndarray]]:
        """Local scores of the pairs that could be scored, for the metrics that have them.

        Yields:
          The pair's row, the metric, and its map, float32 ``[H, W]``; those of one image size
          stand together.
        """
        rows = [self._rows[row] for unit in self._plan.units for row in unit.rows]
        size, compute_maps = None, _maps_of_one_size()
        for row in tqdm(rows, desc="maps", unit="pair"):
            scored = [name for name in self.mapped_metrics if np.isfinite(scores.values[name][row])]
            if not scored:
                continue
            pair = self.table.pairs[row]
            images = [
                self._resize(image) if self._resize else image
                for image in (
                    self.table.images.pixels(name) for name in (pair.reference, pair.distorted)
                )
            ]
            if size != images[0].shape:
                size, compute_maps = images[0].shape, _maps_of_one_size()
            for group, comparison in self._groups:
                wanted = [metric for metric in group if metric.name in scored]
                if not wanted:
                    continue
                possible = comparison.only([metric.computed for metric in wanted])
                maps = compute_maps(possible, *(image[None] for image in images))
                for metric in wanted:
                    yield row, metric.name, np.asarray(maps[metric.computed][0])

    def _shares(
        self,
        units: Sequence[WorkUnit],
        comparison: PairComparison,
        refused: Mapping[Size, Mapping[str, str]],
    ) -> Iterator[tuple[tuple[str, ...], tuple[WorkUnit, ...]]]:
        """The work units by the scores that they can have, and these scores."""
        shares = defaultdict(list)
        for unit in units:
            possible = [name for name in comparison.names if name not in refused[unit.size]]
            shares[tuple(possible)].append(unit)
        yield from ((names, tuple(units)) for names, units in shares.items() if names)

    def _run(self, comparison: PairComparison, work: Plan, parts_folder: epath.Path) -> engine.Run:
        """The scores of the rows of some units."""
        signature = {**self.signature, "comparison": comparison.signature}
        return engine.run(
            self._good,
            work,
            devices.UnitRunner(PairComparison.versions, comparison),
            ScoreParts(parts_folder, comparison.label, signature, comparison.names, self._keys),
            label=comparison.label,
            resize=self._resize,
            tolerant=True,
        )

    @cached_property
    def _keys(self) -> np.ndarray:
        """What each pair is known by: its names and what its images are, uint64."""
        return np.array([self._key(pair) for pair in self._good.pairs], np.uint64)

    def _key(self, pair: Pair) -> int:
        names = pair.reference, pair.distorted
        text = repr([(name, tuple(self.images[name])) for name in names])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def _maps_of_one_size() -> Callable[..., Mapping[str, jax.Array]]:
    """``(comparison, reference, distorted)`` -> maps; what is compiled goes with the function."""

    def maps(
        comparison: PairComparison, reference: jax.Array, distorted: jax.Array
    ) -> Mapping[str, jax.Array]:
        return comparison.maps(reference, distorted)

    return jax.jit(maps)


def _load(group: Group, settings: Settings) -> PairComparison:
    return load_group(group, checkpoints_dir=settings.checkpoints_dir, precision=settings.precision)
