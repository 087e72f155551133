"""Datasets x models x layers x read-outs -> correlations with human scores."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from etils import epath
from tqdm import tqdm

from iqa_jax import parallel, scoring
from iqa_jax.agreement import Agreement
from iqa_jax.analysis import Analysis, analyse, check_resampling
from iqa_jax.comparison import load_relevances
from iqa_jax.datasets import PairTable, fingerprint, read_joined_scores
from iqa_jax.decoding import Header
from iqa_jax.errors import InputError
from iqa_jax.extraction import ensure_store
from iqa_jax.metrics import Group, check_group, groups, load_group
from iqa_jax.pairing import PairComparison
from iqa_jax.parts import ScoreParts
from iqa_jax.pipeline import Plan, plan
from iqa_jax.readouts import needed_arrays, readout_formulas
from iqa_jax.resize import Resize
from iqa_jax.revisions import OF_AGREEMENT, revisions
from iqa_jax.selection import Column, select_columns
from iqa_jax.settings import DatasetSettings, ModelSettings
from iqa_jax.stored_readouts import distances as stored_distances


@dataclass(frozen=True, kw_only=True)
class Settings(DatasetSettings, ModelSettings):
    """What an evaluation is asked for; the flags of ``scripts/evaluate.py`` say what each means."""

    output_dir: str
    models: tuple[str, ...] = ()
    layers: tuple[str, ...] = ("all",)
    readouts: tuple[str, ...] = ("l2", "unit")
    metrics: tuple[str, ...] = ()
    statistics_dir: str | None = None
    scores_csv: str | None = None
    bootstrap: int | None = None


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Attributes:
      table: The pairs that were scored.
      scores: Raw scores, float32 ``[pairs]`` by name.
      analysis: Their agreement with people.
      record: Settings, signatures, devices, versions and speed, as JSON.
    """

    table: PairTable
    scores: Mapping[str, np.ndarray]
    analysis: Analysis
    record: Mapping[str, Any]

    @property
    def agreements(self) -> Sequence[tuple[Column, Agreement]]:
        """Every column and its agreement with opinion scores."""
        return self.analysis.agreements


def evaluate(settings: Settings) -> Evaluation:
    """Scores a dataset with every layer and read-out asked for and correlates them with people.

    Everything that can be wrong with the input is checked before anything is computed. Scores are
    kept below ``output_dir/parts`` as they are made: a killed run continues there.

    Raises:
      InputError: If the dataset, a model, a layer or a read-out cannot be used.
    """
    resize = settings.parsed_resize
    table, headers = settings.inspect_dataset()
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
    left_out = [model for model in settings.models if model not in {c.model for c in columns}]
    if left_out:
        tqdm.write(
            f"left out, without the layers asked for: {', '.join(left_out)}", file=sys.stderr
        )
    twice = joined.keys() & {column.name for column in columns}
    if twice:
        raise InputError(f"scores_csv: {', '.join(twice)} is computed here; rename the column")
    work = plan(table, headers, versions=settings.versions, resize=resize)
    wanted = groups(column.metric for column in columns if column.metric)
    for group in wanted:
        check_group(
            group,
            work.sizes,
            checkpoints_dir=settings.checkpoints_dir,
            stored=_is_stored(group, settings),
        )
    dataset = {
        "name": table.name,
        "fingerprint": fingerprint(table, headers),
        "references": len({pair.reference_id for pair in table.pairs}),
        "pairs": len(table.pairs),
        "pairs_left_out": table.pairs_left_out,
        "licence": table.licence,
        "citation": table.citation,
    }
    if settings.bootstrap:
        check_resampling(table)
    _announce(dataset, work)
    scores, runs = dict(joined), []
    data = _Data(table, headers, work, dataset["fingerprint"], resize)
    for group in wanted:
        score = _score_from_store if _is_stored(group, settings) else _score
        found, run = score(group, data, settings)
        scores |= {metric.name: found[metric.computed] for metric in group}
        runs.append(run)
    columns += [Column(name, model=name) for name in joined]
    record = {
        "settings": asdict(settings),
        "dataset": dataset,
        "revisions": revisions(OF_AGREEMENT),
        "devices": parallel.describe_devices(),
        "runs": runs,
    }
    scores = {column.name: scores[column.name] for column in columns}
    analysis = analyse(table, columns, scores, resamples=settings.bootstrap)
    return Evaluation(table, scores, analysis, record)


def _is_stored(group: Group, settings: Settings) -> bool:
    """Whether the scores of a group are read from a store; images may not be resized on the way."""
    return settings.statistics_dir is not None and all(
        metric.readout and not metric.resize for metric in group
    )


@dataclass(frozen=True)
class _Data:
    """A dataset as it is scored."""

    table: PairTable
    headers: Mapping[str, Header]
    work: Plan
    fingerprint: str
    resize: Resize | None


_Scored = tuple[Mapping[str, np.ndarray], dict[str, Any]]
"""Scores by name, and the record of the run that made them."""


def _score(group: Group, data: _Data, settings: Settings) -> _Scored:
    """The scores of a group, computed from the images."""
    comparison = load_group(
        group, checkpoints_dir=settings.checkpoints_dir, precision=settings.precision
    )
    signature = {
        **comparison.signature,
        "dataset": data.fingerprint,
        "resize": settings.resize,
        "versions": data.work.versions,
        **scoring.environment(),
    }
    parts_folder = epath.Path(settings.output_dir) / "parts"
    run = scoring.run(
        data.table,
        data.work,
        parallel.UnitRunner(PairComparison.versions, comparison),
        ScoreParts(parts_folder, comparison.label, signature, comparison.names),
        label=comparison.label,
        resize=data.resize,
    )
    return run.scores, {**signature, "pairs_per_second": run.pairs_per_second}


def _score_from_store(group: Group, data: _Data, settings: Settings) -> _Scored:
    """The scores of a group from stored statistics, which are extracted if they are not there."""
    assert settings.statistics_dir is not None
    readouts = [metric.readout for metric in group if metric.readout]
    extracted = ensure_store(
        data.table,
        data.headers,
        readouts[0].model,
        needed_arrays(readouts),
        statistics_dir=settings.statistics_dir,
        checkpoints_dir=settings.checkpoints_dir,
        precision=settings.precision,
        resize=data.resize,
        versions=settings.versions,
    )
    relevances = load_relevances(readouts, checkpoints_dir=settings.checkpoints_dir)
    record = {
        **extracted.store.signature,
        **scoring.environment(),
        "revisions": {
            **extracted.store.signature["revisions"],
            **revisions(name for readout in readouts for name in readout_formulas(readout.readout)),
        },
        "relevances": {name: each.sha256 for name, each in relevances.items()},
        "pairs_per_second": extracted.pairs_per_second,
    }
    return stored_distances(extracted.store, readouts, relevances=relevances), record


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
