"""Metrics of any pairs of images, with a reason for every pair that cannot be scored."""

import importlib.metadata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from etils import epath
from tqdm import tqdm

from iqa_jax import parallel, scoring
from iqa_jax.datasets.table import PairTable, fingerprint, image_problems, read_headers
from iqa_jax.errors import ImageError, InputError
from iqa_jax.images import Header
from iqa_jax.metrics import Group, compute_maps, groups, load_group, parse_metrics
from iqa_jax.pairing import PairComparison
from iqa_jax.parts import ScoreParts
from iqa_jax.pipeline import Plan, plan
from iqa_jax.resize import Resize

_SOFTWARE = ("iqa_jax", "jax", "jaxlib", "numpy", "pillow")


@dataclass(frozen=True)
class Settings:
    """What is asked for; the flags of ``scripts/score.py`` say what each means."""

    metrics: tuple[str, ...]
    checkpoints_dir: str | None = None
    precision: str = "highest"
    resize: str | None = None
    versions: int | None = None


@dataclass(frozen=True)
class Scores:
    """The scores of all pairs.

    Attributes:
      table: The pairs.
      values: float32 ``[pairs]`` by metric, in its own direction; NaN where there is none.
      errors: For each pair why a score is missing; empty if none is.
    """

    table: PairTable
    values: Mapping[str, np.ndarray]
    errors: Sequence[str]


class Job:
    """Pairs and metrics, checked and loaded, before anything is computed.

    Args:
      table: The pairs; opinion scores are not needed.
      settings: What is asked for.

    Attributes:
      signature: Everything that the scores depend on, as JSON.

    Raises:
      InputError: If a metric is not known, or its weights have not been fetched.
    """

    def __init__(self, table: PairTable, settings: Settings):
        self._table = table
        self._settings = settings
        self._resize = Resize(settings.resize) if settings.resize else None
        self._groups = [
            (group, _load(group, settings)) for group in groups(parse_metrics(settings.metrics))
        ]
        if not self._groups:
            raise InputError("nothing to score with: name at least one metric")
        found = read_headers(table)
        self._errors = ["; ".join(image_problems(pair, found)) for pair in table.pairs]
        self._headers = {name: each for name, each in found.items() if isinstance(each, Header)}
        # The rows that can be scored, as a table of their own.
        self._rows = [row for row, error in enumerate(self._errors) if not error]
        self._good = replace(table, pairs=[table.pairs[row] for row in self._rows])
        self.signature = {
            "metrics": {
                metric.name: {"computed": metric.computed, **comparison.signature}
                for group, comparison in self._groups
                for metric in group
            },
            "pairs": fingerprint(self._good, self._headers),
            "resize": settings.resize,
            "versions": settings.versions or "auto",
            "platform": parallel.describe_devices()["platform"],
            "software": {name: importlib.metadata.version(name) for name in _SOFTWARE},
        }

    def run(self, parts_folder: epath.Path) -> Scores:
        """Scores the pairs, each network run once over each image.

        Args:
          parts_folder: Where scores are kept as they are made: a killed run continues from there.
        """
        errors = list(self._errors)
        values = {name: np.full(len(errors), np.nan, np.float32) for name in self._settings.metrics}
        for group, comparison in self._groups if self._rows else ():
            work, refused = self._plan(comparison)
            found = self._run_group(comparison, work, parts_folder)
            for metric in group:
                values[metric.name][self._rows] = found[metric.computed]
            for row, reason in refused.items():
                errors[self._rows[row]] = "; ".join(filter(None, (errors[self._rows[row]], reason)))
        for row in self._rows:
            if not errors[row] and any(np.isnan(scores[row]) for scores in values.values()):
                errors[row] = self._why_missing(row)
        return Scores(self._table, values, errors)

    def maps(self, scores: Scores) -> Iterator[tuple[int, str, np.ndarray]]:
        """Local scores of the pairs that could be scored, for the metrics that have them.

        Yields:
          The pair's row, the metric, and its map, float32 ``[H, W]``.
        """
        for row in tqdm(self._rows, desc="maps", unit="pair"):
            if scores.errors[row]:
                continue
            pair = self._table.pairs[row]
            images = [
                self._resize(image) if self._resize else image
                for image in (
                    self._table.images.pixels(name)
                    for name in (pair.reference, pair.distorted)
                )
            ]
            for group, comparison in self._groups:
                maps = compute_maps(comparison, *(image[None] for image in images))
                for metric in group:
                    if metric.computed in maps:
                        yield row, metric.name, np.asarray(maps[metric.computed][0])

    def _plan(self, comparison: PairComparison) -> tuple[Plan, dict[int, str]]:
        """The work units that a comparison can take, and why it refuses the rows of the others."""
        work = plan(
            self._good, self._headers, versions=self._settings.versions, resize=self._resize
        )
        too_small = {}
        for size in work.sizes:
            try:
                comparison.check_size(*size)
            except InputError as error:
                too_small[size] = str(error)
        units = tuple(unit for unit in work.units if unit.size not in too_small)
        refused = {
            row: too_small[unit.size]
            for unit in work.units
            if unit.size in too_small
            for row in unit.rows
        }
        return replace(work, units=units), refused

    def _run_group(
        self, comparison: PairComparison, work: Plan, parts_folder: epath.Path
    ) -> Mapping[str, np.ndarray]:
        parts = ScoreParts(
            parts_folder,
            comparison.label,
            {**self.signature, "comparison": comparison.signature},
            comparison.names,
        )
        runner = parallel.UnitRunner(
            PairComparison.versions,
            comparison,
            units_at_once=max(1, parallel.images_at_once() // work.versions),
        )
        return scoring.run(
            self._good,
            work,
            runner,
            parts,
            label=comparison.label,
            resize=self._resize,
            tolerant=True,
        ).scores

    def _why_missing(self, row: int) -> str:
        pair = self._table.pairs[row]
        for name in (pair.reference, pair.distorted):
            try:
                self._table.images.pixels(name)
            except ImageError as error:
                return str(error)
        return "a score is not a number"


def _load(group: Group, settings: Settings) -> PairComparison:
    return load_group(
        group,
        checkpoints_dir=settings.checkpoints_dir,
        precision=settings.precision,
        versions_at_once=parallel.images_at_once(),
    )
