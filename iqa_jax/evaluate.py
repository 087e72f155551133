"""Datasets x models x layers x read-outs -> correlations with human scores."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from etils import epath
from tqdm import tqdm

from iqa_jax import parallel, scoring
from iqa_jax.agreement import Agreement, agreement
from iqa_jax.datasets import PairTable, fingerprint, inspect, load_dataset, read_joined_scores
from iqa_jax.errors import InputError
from iqa_jax.metrics import check_group, groups, load_group
from iqa_jax.pairing import PairComparison
from iqa_jax.parts import ScoreParts
from iqa_jax.pipeline import Plan, plan
from iqa_jax.resize import Resize
from iqa_jax.selection import Column, select_columns


@dataclass(frozen=True)
class Settings:
    """What an evaluation is asked for; the flags of ``scripts/evaluate.py`` say what each means."""

    dataset: str
    data_dir: str
    output_dir: str
    models: tuple[str, ...] = ()
    layers: tuple[str, ...] = ("all",)
    readouts: tuple[str, ...] = ("l2", "unit")
    metrics: tuple[str, ...] = ()
    scores_csv: str | None = None
    score_direction: str | None = None
    exclude_references: tuple[str, ...] = ()
    allow_partial: bool = False
    limit: int | None = None
    checkpoints_dir: str | None = None
    precision: str = "highest"
    resize: str | None = None
    versions: int | None = None


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Attributes:
      table: The pairs that were scored.
      scores: Raw distances, float32 ``[pairs]`` by name.
      agreements: Every distance and its agreement with the human scores.
      record: Settings, signatures, devices, versions and speed, as JSON.
    """

    table: PairTable
    scores: Mapping[str, np.ndarray]
    agreements: Sequence[tuple[Column, Agreement]]
    record: Mapping[str, Any]


def evaluate(settings: Settings) -> Evaluation:
    """Scores a dataset with every layer and read-out asked for and correlates them with people.

    Everything that can be wrong with the input is checked before anything is computed. Scores are
    kept below ``output_dir/parts`` as they are made: a killed run continues there.

    Raises:
      InputError: If the dataset, a model, a layer or a read-out cannot be used.
    """
    resize = Resize(settings.resize) if settings.resize else None
    listed = load_dataset(
        settings.dataset,
        settings.data_dir,
        allow_partial=settings.allow_partial,
        score_direction=settings.score_direction,
    ).select(exclude_references=settings.exclude_references, limit=settings.limit)
    table, headers = inspect(listed, leave_out_missing=settings.allow_partial)
    joined = (
        read_joined_scores(epath.Path(settings.scores_csv), table) if settings.scores_csv else {}
    )
    columns = select_columns(
        settings.models,
        layers=settings.layers,
        readouts=settings.readouts,
        metrics=settings.metrics,
        checkpoints_dir=settings.checkpoints_dir,
    )
    twice = joined.keys() & {column.name for column in columns}
    if twice:
        raise InputError(f"scores_csv: {', '.join(twice)} is computed here; rename the column")
    work = plan(table, headers, versions=settings.versions, resize=resize)
    wanted = groups(column.metric for column in columns if column.metric)
    for group in wanted:
        check_group(group, work.sizes, checkpoints_dir=settings.checkpoints_dir)
    dataset = {
        "name": table.name,
        "fingerprint": fingerprint(table, headers),
        "references": len({pair.reference_id for pair in table.pairs}),
        "pairs": len(table.pairs),
        "pairs_left_out": len(listed.pairs) - len(table.pairs),
        "licence": table.licence,
        "citation": table.citation,
    }
    _announce(dataset, work)
    scores, runs = dict(joined), []
    for group in wanted:
        comparison = load_group(
            group, checkpoints_dir=settings.checkpoints_dir, precision=settings.precision
        )
        signature = _signature(comparison, dataset["fingerprint"], work, settings)
        run = scoring.run(
            table,
            work,
            parallel.UnitRunner(PairComparison.versions, comparison),
            ScoreParts(_parts_folder(settings), comparison.label, signature, comparison.names),
            label=comparison.label,
            resize=resize,
        )
        scores |= {metric.name: run.scores[metric.computed] for metric in group}
        runs.append({**signature, "pairs_per_second": run.pairs_per_second})
    columns += [Column(name, model=name) for name in joined]
    record = {
        "settings": asdict(settings),
        "dataset": dataset,
        "devices": parallel.describe_devices(),
        "runs": runs,
    }
    scores = {column.name: scores[column.name] for column in columns}
    return Evaluation(table, scores, _correlate(columns, scores, table), record)


def _signature(
    comparison: PairComparison, dataset: str, work: Plan, settings: Settings
) -> dict[str, Any]:
    """Everything that the scores depend on."""
    return {
        **comparison.signature,
        "dataset": dataset,
        "resize": settings.resize,
        "versions": work.versions,
        **scoring.environment(),
    }


def _parts_folder(settings: Settings) -> epath.Path:
    return epath.Path(settings.output_dir) / "parts"


def _announce(dataset: Mapping[str, Any], work: Plan) -> None:
    sizes = ", ".join(f"{width}x{height}" for height, width in work.sizes[:4])
    more = f" and {len(work.sizes) - 4} more sizes" if len(work.sizes) > 4 else ""
    left_out = dataset["pairs_left_out"]
    note = f"; {left_out} pairs whose images are missing are left out" if left_out else ""
    tqdm.write(
        f"{dataset['name']}: {dataset['pairs']} pairs of {dataset['references']} references, "
        f"{sizes}{more}; {len(work.units)} work units of up to {work.versions} versions{note}",
        file=sys.stderr,
    )


def _correlate(
    columns: Sequence[Column], scores: Mapping[str, np.ndarray], table: PairTable
) -> list[tuple[Column, Agreement]]:
    human = np.array([pair.score for pair in table.pairs])

    def distances(column: Column) -> np.ndarray:
        is_similarity = column.metric is not None and column.metric.higher_is_better
        return -scores[column.name] if is_similarity else scores[column.name]

    return [
        (column, agreement(distances(column), human, higher_is_better=table.higher_is_better))
        for column in tqdm(columns, desc="correlations", unit="column", leave=False)
    ]
