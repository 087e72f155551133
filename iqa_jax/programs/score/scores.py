"""Scores pairs of images, and says why a pair cannot be scored."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from etils import epath

from iqa_jax.datasets.inspection import image_problems, read_headers
from iqa_jax.datasets.table import PairTable
from iqa_jax.engine.pair_keys import PairKeys
from iqa_jax.engine.parts import keep_scores
from iqa_jax.engine.plan import Plan, WorkUnit, make_plan
from iqa_jax.engine.programs import Programs
from iqa_jax.engine.run import fill
from iqa_jax.images.checked import CheckedImages
from iqa_jax.images.decode import Header
from iqa_jax.images.resize import Size
from iqa_jax.metrics.pair_function import PairFunction
from iqa_jax.programs.loaded import NOTHING_LOADED, Loaded
from iqa_jax.programs.score.scorers import Scorers, load_scorers
from iqa_jax.programs.score.settings import ScoreSettings

NOT_A_NUMBER = "a score is not a number"
"""Why a score is missing that was computed."""


@dataclass(frozen=True)
class Scores:
    """The scores of all pairs.

    Attributes:
      table: The pairs.
      values: float32 ``[pairs]`` by metric, in its own direction; NaN where there is none.
      errors: Why a score is missing, for each pair; empty if none is.
      images: Headers of the images that could be opened, by name.
      unread: Names of the images that could not be opened or decoded, or were too large for the
        memory; another run may be able to score their pairs.
    """

    table: PairTable
    values: Mapping[str, np.ndarray]
    errors: Sequence[str]
    images: Mapping[str, Header] = field(default_factory=dict)
    unread: Collection[str] = ()


@dataclass(frozen=True)
class Scored:
    """Scores of one pair.

    Attributes:
      values: Scores by metric; NaN where there is none.
      error: Why a score is missing; empty if none is.
    """

    values: Mapping[str, float]
    error: str


@dataclass(frozen=True)
class Job:
    """Pairs and metrics, checked and loaded, before anything is computed.

    Attributes:
      table: The pairs.
      problems: Why the images of each pair cannot be compared; empty if they can.
      unopened: Names of the images that cannot be opened.
      plan: The pairs without problems, and how they are computed.
      rows: Positions of these pairs in ``table``.
      scorers: The metrics.
    """

    table: PairTable
    problems: Sequence[str]
    unopened: Collection[str]
    plan: Plan
    rows: Sequence[int]
    scorers: Scorers

    @property
    def images(self) -> CheckedImages:
        """The images that can be opened."""
        images = self.plan.table.images
        assert isinstance(images, CheckedImages)
        return images


def load_job(table: PairTable, settings: ScoreSettings, *, loaded: Loaded = NOTHING_LOADED) -> Job:
    """Checks pairs and loads metrics.

    Args:
      table: The pairs; opinion scores are not needed.
      settings: Settings of the scoring.
      loaded: Metrics in memory that the settings name.

    Raises:
      InputError: If a metric is unknown, or its weights have not been fetched.
    """
    return make_job(table, load_scorers(settings, loaded=loaded))


def make_job(table: PairTable, scorers: Scorers) -> Job:
    """Checks pairs and plans how they are scored.

    Args:
      table: The pairs; opinion scores are not needed.
      scorers: The metrics.
    """
    found = read_headers(table.images, table.image_names, checksums=False)
    problems = ["; ".join(image_problems(pair, found)) for pair in table.pairs]
    headers = {name: each for name, each in found.items() if isinstance(each, Header)}
    rows = [row for row, problem in enumerate(problems) if not problem]
    comparable = replace(
        table,
        pairs=[table.pairs[row] for row in rows],
        images=CheckedImages(table.images, headers),
    )
    plan = make_plan(comparable, headers, versions=scorers.settings.versions, resize=scorers.resize)
    return Job(
        table=table,
        problems=problems,
        unopened=found.keys() - headers.keys(),
        plan=plan,
        rows=rows,
        scorers=scorers,
    )


def run_job(
    job: Job,
    parts_folder: epath.Path | None = None,
    *,
    kept: Mapping[int, Scored] | None = None,
    programs: Sequence[Programs] | None = None,
) -> Scores:
    """Scores the pairs; each network runs once over each image.

    Args:
      job: The pairs and metrics.
      parts_folder: Folder that keeps the scores as they are made, from which a killed run
        continues; None to write nothing.
      kept: Scores that are final already, by row; the other rows are scored.
      programs: Programs compiled for earlier jobs, for each group of metrics, to be reused and
        added to; None for none.
    """
    kept = kept or {}
    rows, keys = np.array(job.rows), PairKeys(job.plan.table)
    values = {name: np.full(len(job.table.pairs), np.nan, np.float32) for name in job.scorers.names}
    reasons = [[problem] if problem else [] for problem in job.problems]
    unread, programs = set(job.unopened), programs or [Programs()] * len(job.scorers.groups)
    plan = job.plan.decoding_once(passes=len(job.scorers.groups))
    units = [unit for unit in plan.units if not kept.keys() >= {*rows[[*unit.rows]]}]
    for (group, scorer), compiled in zip(job.scorers.groups, programs, strict=True):
        refused = {size: scorer.refusals(*size) for size in {unit.size for unit in units}}
        for names, share in _shares(units, scorer, refused):
            possible = scorer.only(names)
            signature = {**job.scorers.signature, "comparison": possible.signature}
            parts = keep_scores(parts_folder, possible.label, signature, possible.names, keys)
            outcome = fill(
                parts, replace(plan, units=share), possible, programs=compiled, tolerant=True
            )
            scores = parts.collect()
            unread |= outcome.unread
            here = [row for unit in share for row in unit.rows]
            for metric in group:
                if metric.computed in names:
                    values[metric.name][rows[here]] = scores[metric.computed][here]
            for row in here:
                if row in outcome.failed:
                    reasons[rows[row]].append(outcome.failed[row])
                elif any(np.isnan(scores[name][row]) for name in names):
                    reasons[rows[row]].append(NOT_A_NUMBER)
        for unit in units:
            for row in rows[[*unit.rows]]:
                reasons[row] += refused[unit.size].values()
    errors = ["; ".join(dict.fromkeys(each)) for each in reasons]
    for row, scored in kept.items():
        errors[row] = scored.error
        for name, value in scored.values.items():
            values[name][row] = value
    return Scores(job.table, values, errors, known_headers(job.images), unread)


def known_headers(images: CheckedImages) -> dict[str, Header]:
    """Headers with checksums of all images that can be read, by name.

    Args:
      images: The images; those that have not been read yet are read.
    """
    found = read_headers(images, [*images.headers])
    return {name: each for name, each in found.items() if isinstance(each, Header)}


def _shares(
    units: Sequence[WorkUnit],
    scorer: PairFunction,
    refused: Mapping[Size, Mapping[str, str]],
) -> Iterator[tuple[tuple[str, ...], tuple[WorkUnit, ...]]]:
    """Groups the work units by the scores that they can have."""
    shares = defaultdict(list)
    for unit in units:
        possible = [name for name in scorer.names if name not in refused[unit.size]]
        shares[tuple(possible)].append(unit)
    yield from ((names, tuple(units)) for names, units in shares.items() if names)
