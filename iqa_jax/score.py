"""Metrics of any pairs of images, with a reason for every pair that cannot be scored."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from etils import epath
from tqdm import tqdm

from iqa_jax import parallel, scoring
from iqa_jax.datasets.table import PairTable, fingerprint, image_problems, read_headers
from iqa_jax.decoding import Header
from iqa_jax.errors import ImageError, InputError
from iqa_jax.images import CheckedImages
from iqa_jax.metrics import Group, compute_maps, groups, load_group, parse_metrics
from iqa_jax.pairing import PairComparison
from iqa_jax.parts import ScoreParts
from iqa_jax.pipeline import Plan, Size, WorkUnit, plan
from iqa_jax.settings import ModelSettings


@dataclass(frozen=True)
class Settings(ModelSettings):
    """What is asked for; the flags of ``scripts/score.py`` say what each means."""

    metrics: tuple[str, ...]


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
      table: The pairs.
      signature: Everything that the scores depend on, as JSON.

    Raises:
      InputError: If a metric is not known, or its weights have not been fetched.
    """

    def __init__(self, table: PairTable, settings: Settings):
        self.table = table
        self._settings = settings
        self._resize = settings.parsed_resize
        self._groups = [
            (group, _load(group, settings)) for group in groups(parse_metrics(settings.metrics))
        ]
        if not self._groups:
            raise InputError("nothing to score with: name at least one metric")
        found = read_headers(table)
        self._errors = ["; ".join(image_problems(pair, found)) for pair in table.pairs]
        self._headers = {name: each for name, each in found.items() if isinstance(each, Header)}
        self.table = replace(table, images=CheckedImages(table.images, self._headers))
        # The rows that can be scored, as a table of their own.
        self._rows = [row for row, error in enumerate(self._errors) if not error]
        self._good = replace(self.table, pairs=[table.pairs[row] for row in self._rows])
        self._plan = plan(
            self._good, self._headers, versions=settings.versions, resize=self._resize
        )
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
            "pairs": fingerprint(self._good, self._headers),
            "resize": settings.resize,
            "versions": settings.versions or "auto",
            **scoring.environment(),
        }

    @property
    def mapped_metrics(self) -> list[str]:
        """Those of the metrics that have maps."""
        return [
            metric.name
            for group, comparison in self._groups
            for metric in group
            if metric.computed in comparison.mapped
        ]

    def run(self, parts_folder: epath.Path) -> Scores:
        """Scores the pairs, each network run once over each image.

        Args:
          parts_folder: Where scores are kept as they are made: a killed run continues from there.
        """
        reasons = [[error] if error else [] for error in self._errors]
        values = {
            name: np.full(len(reasons), np.nan, np.float32) for name in self._settings.metrics
        }
        rows = np.array(self._rows)
        unscored: set[int] = set()
        for group, comparison in self._groups if self._rows else ():
            refused = {size: comparison.refusals(*size) for size in self._plan.sizes}
            for names, units in self._shares(comparison, refused):
                work = replace(self._plan, units=units)
                found = self._run(comparison.only(names), work, parts_folder)
                scored = rows[[row for unit in units for row in unit.rows]]
                for metric in group:
                    if metric.computed in names:
                        values[metric.name][scored] = found[metric.computed]
                        unscored.update(scored[np.isnan(found[metric.computed])])
            for unit in self._plan.units:
                for row in rows[list(unit.rows)]:
                    reasons[row] += dict.fromkeys(refused[unit.size].values())
        for row in unscored:
            reasons[row].append(self._why_missing(row))
        return Scores(self.table, values, ["; ".join(each) for each in reasons])

    def maps(self, scores: Scores) -> Iterator[tuple[int, str, np.ndarray]]:
        """Local scores of the pairs that could be scored, for the metrics that have them.

        Yields:
          The pair's row, the metric, and its map, float32 ``[H, W]``.
        """
        for row in tqdm(self._rows, desc="maps", unit="pair"):
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
            for group, comparison in self._groups:
                wanted = [metric for metric in group if metric.name in scored]
                if not wanted:
                    continue
                possible = comparison.only([metric.computed for metric in wanted])
                maps = compute_maps(possible, *(image[None] for image in images))
                for metric in wanted:
                    yield row, metric.name, np.asarray(maps[metric.computed][0])

    def _shares(
        self, comparison: PairComparison, refused: Mapping[Size, Mapping[str, str]]
    ) -> Iterator[tuple[tuple[str, ...], tuple[WorkUnit, ...]]]:
        """The work units by the scores that they can have, and these scores."""
        shares = defaultdict(list)
        for unit in self._plan.units:
            possible = [name for name in comparison.names if name not in refused[unit.size]]
            shares[tuple(possible)].append(unit)
        yield from ((names, tuple(units)) for names, units in shares.items() if names)

    def _run(
        self, comparison: PairComparison, work: Plan, parts_folder: epath.Path
    ) -> Mapping[str, np.ndarray]:
        """The scores of the rows of some units, in their order."""
        signature = {**self.signature, "comparison": comparison.signature}
        run = scoring.run(
            self._good,
            work,
            parallel.UnitRunner(PairComparison.versions, comparison),
            ScoreParts(parts_folder, comparison.label, signature, comparison.names),
            label=comparison.label,
            resize=self._resize,
            tolerant=True,
        )
        rows = [row for unit in work.units for row in unit.rows]
        return {name: scores[rows] for name, scores in run.scores.items()}

    def _why_missing(self, row: int) -> str:
        pair = self.table.pairs[row]
        for name in (pair.reference, pair.distorted):
            try:
                self.table.images.pixels(name)
            except ImageError as error:
                return str(error)
        return "a score is not a number"


def _load(group: Group, settings: Settings) -> PairComparison:
    return load_group(group, checkpoints_dir=settings.checkpoints_dir, precision=settings.precision)
