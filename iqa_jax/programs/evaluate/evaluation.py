"""Correlates the distances of models, layers and read-outs with human scores."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from etils import epath

from iqa_jax.agreement.analysis import Analysis, analyse
from iqa_jax.agreement.intervals import choose
from iqa_jax.datasets import PairTable, read_joined_scores
from iqa_jax.engine.capacity import check_memory
from iqa_jax.engine.devices import describe_devices, programs_together
from iqa_jax.engine.plan import Plan, make_plan
from iqa_jax.engine.programs import Programs
from iqa_jax.engine.store import StatisticsStore
from iqa_jax.errors import InputError
from iqa_jax.metrics import MetricName, groups
from iqa_jax.metrics.features import FeatureScores
from iqa_jax.metrics.pair_function import PairFunction
from iqa_jax.programs.evaluate.calibrated import with_calibrated
from iqa_jax.programs.evaluate.columns import ScoreColumn, joined_columns
from iqa_jax.programs.evaluate.exposure import ScoredPairs, mark
from iqa_jax.programs.evaluate.group_scores import (
    GroupScores,
    LeftToOthers,
    find_share,
    read_out,
    score_group,
)
from iqa_jax.programs.evaluate.layer_source import find_source
from iqa_jax.programs.evaluate.model_record import absent_models, describe_models
from iqa_jax.programs.evaluate.normaliser import open_normalisers
from iqa_jax.programs.evaluate.run_record import describe_columns, describe_dataset
from iqa_jax.programs.evaluate.selection import select_columns
from iqa_jax.programs.evaluate.settings import EvaluateSettings
from iqa_jax.programs.loaded import NOTHING_LOADED, Loaded
from iqa_jax.programs.settings import SharingSettings
from iqa_jax.progress import inform, warn
from iqa_jax.revisions import OF_AGREEMENT, revisions_of
from iqa_jax.text import counted


@dataclass(frozen=True)
class Evaluation:
    """Result of an evaluation.

    Attributes:
      table: The pairs that were scored.
      scores: Raw scores, float32 ``[pairs]`` by name.
      analysis: Agreement of the scores with people.
      record: Settings, signatures, devices, versions and speed, as JSON.
    """

    table: PairTable
    scores: Mapping[str, np.ndarray]
    analysis: Analysis
    record: Mapping[str, Any]


def evaluate(
    settings: EvaluateSettings, *, table: PairTable | None = None, loaded: Loaded = NOTHING_LOADED
) -> Evaluation:
    """Scores a dataset with every layer and read-out asked for and correlates them with people.

    The input is checked before anything is computed. Scores are kept in ``output_dir/parts`` as
    they are made, so that a killed run continues there and several processes can share the work;
    without ``output_dir`` nothing is written.

    Args:
      settings: Settings of the evaluation.
      table: Pairs with human scores; None for those of the dataset that the settings name.
      loaded: Networks and metrics in memory that the settings name.

    Raises:
      InputError: If the dataset, a model, a layer or a read-out cannot be used.
      LeftToOthers: If other processes are still working on some of the scores.
    """
    if not find_share(settings).is_alone:
        inform(str(find_share(settings)))
    asked, absent = settings, _absent(settings, loaded)
    settings = replace(settings, models=tuple(m for m in settings.models if m not in absent))
    resize = settings.parsed_resize
    table, headers = settings.inspect_dataset(table, checksums=settings.statistics_dir is not None)
    joined = (
        read_joined_scores(epath.Path(settings.scores_csv), table) if settings.scores_csv else {}
    )
    given = joined_columns(joined, settings.joined_direction)
    columns = select_columns(
        settings.models,
        layers=settings.layers,
        readouts=settings.readouts,
        metrics=settings.metrics,
        checkpoints_dir=settings.checkpoints_dir,
        loaded=loaded,
    )
    if not columns and not given:
        raise InputError(
            "nothing to evaluate: name at least one model, metric or file of scores (scores_csv)"
        )
    _say_what_is_left_out(settings, columns)
    twice = joined.keys() & {column.name for column in columns}
    if twice:
        raise InputError(f"scores_csv: {', '.join(twice)} is computed here; rename the column")
    plan = make_plan(table, headers, versions=settings.versions, resize=resize)
    loaded = with_calibrated(columns, plan, loaded, precision=settings.precision)
    wanted = groups(column.metric for column in columns if column.metric)
    loaded.check_fetched(
        [group for group in wanted if not _is_stored(group, settings, loaded)],
        checkpoints_dir=settings.checkpoints_dir,
    )
    outlines = [_outline(group, settings, loaded) for group in wanted]
    for outline in outlines:
        for size in plan.sizes:
            outline.check_size(*size)
        check_memory(outline, plan)
    normalisers = _open_normalisers(columns, settings)
    pairs = ScoredPairs(table)
    columns = mark(
        [*columns, *given],
        pairs,
        normalisers=normalisers,
        checkpoints_dir=settings.checkpoints_dir,
    )
    references = table.reference_count
    method = choose(settings.interval, settings.resamples, references=references)
    layers_from = find_source(settings.layers_from, columns, table, pairs)
    _announce(plan)
    programs, done = Programs(), dict[int, GroupScores]()
    plan = plan.decoding_once(passes=len(outlines))
    for place in programs_together(outlines):
        group, outline = wanted[place], outlines[place]
        if isinstance(outline, FeatureScores) and _is_stored(group, settings, loaded):
            done[place] = read_out(outline, plan, normalisers, programs, settings)
        else:
            scorer = loaded.fill(group, outline, checkpoints_dir=settings.checkpoints_dir)
            done[place] = score_group(scorer, plan, programs, settings)
    if left := sum(each.left() for each in done.values()):
        raise LeftToOthers(left)
    scores, runs = dict(joined), [done[place].record for place in range(len(wanted))]
    for place, group in enumerate(wanted):
        found = done[place].collect()
        scores |= {metric.name: found[metric.computed] for metric in group}
    used = dict(loaded.backbones)
    used |= {
        outline.backbone.name: replace(outline.backbone, sha256=runs[place]["weights_sha256"])
        for place, outline in enumerate(outlines)
        if isinstance(outline, FeatureScores)
    }
    scores = {column.name: scores[column.name] for column in columns}
    analysis = analyse(table, columns, scores, method=method, layers_from=layers_from)
    record = {
        "settings": _without_shares(asked),
        "dataset": describe_dataset(table, pairs.fingerprint, analysis.ceiling),
        "revisions": revisions_of(OF_AGREEMENT),
        "interval": method.describe(references),
        "devices": describe_devices(),
        "runs": runs,
        "models": describe_models(asked.models, used, absent, plan.sizes[0]),
        "columns": describe_columns(columns),
        "chosen_layers": [chosen.record for chosen in analysis.chosen if chosen.column.layer],
        "warnings": list(analysis.warnings),
    }
    return Evaluation(table, scores, analysis, record)


def _absent(settings: EvaluateSettings, loaded: Loaded) -> list[str]:
    """The models without weights, if they may be left out."""
    if not settings.allow_absent:
        return []
    absent = absent_models(
        settings.models, loaded.backbones, checkpoints_dir=settings.checkpoints_dir
    )
    if absent:
        names = ",".join(absent)
        warn(f"left out (no weights): {', '.join(absent)}; fetch: iqa fetch --models={names}")
    return absent


def _say_what_is_left_out(settings: EvaluateSettings, columns: Sequence[ScoreColumn]) -> None:
    """Reports the models without any of the layers, and repeated names."""
    read = {column.known_readout.model for column in columns if column.known_readout}
    left_out = [model for model in dict.fromkeys(settings.models) if model not in read]
    if left_out:
        names = ", ".join(left_out)
        warn(f"skipped (none of the requested layers besides the pixels): {names}")
    asked = (settings.models, settings.layers, settings.readouts, settings.metrics)
    repeated = [name for names in asked for name, count in Counter(names).items() if count > 1]
    repeated += [c.name for c in columns if c.kind == "layer" and c.name in settings.metrics]
    if repeated:
        inform(f"named twice, done once: {', '.join(repeated)}")


def _open_normalisers(
    columns: Sequence[ScoreColumn], settings: EvaluateSettings
) -> Mapping[str, StatisticsStore]:
    """The statistics that read-outs compare with, by model; none where it is the dataset itself."""
    if settings.normaliser_from is None:
        return {}
    resize = settings.parsed_resize
    return open_normalisers(
        settings.normaliser_from,
        [column.known_readout for column in columns if column.known_readout],
        checkpoints_dir=settings.checkpoints_dir,
        precision=settings.precision,
        resize=resize.text if resize else None,
    )


def _is_stored(group: Sequence[MetricName], settings: EvaluateSettings, loaded: Loaded) -> bool:
    """Whether the scores of a group are read from a store; images may not be resized on the way."""
    return (
        settings.statistics_dir is not None
        and not loaded.holds(group)
        and all(metric.readout and not metric.protocol for metric in group)
    )


def _outline(
    group: Sequence[MetricName], settings: EvaluateSettings, loaded: Loaded
) -> PairFunction:
    """The function that computes a group of metrics, without weights."""
    where, precision = settings.checkpoints_dir, settings.precision
    if _is_stored(group, settings, loaded):  # only stored read-outs may compare with a dataset
        readouts = list(dict.fromkeys(metric.readout for metric in group if metric.readout))
        return FeatureScores.outline(readouts, checkpoints_dir=where, precision=precision)
    return loaded.outline(group, checkpoints_dir=where, precision=precision)


def _without_shares(settings: EvaluateSettings) -> dict[str, Any]:
    """The settings as JSON, without those that the results do not depend on."""
    shares = {each.name for each in fields(SharingSettings)}
    return {name: each for name, each in asdict(settings).items() if name not in shares}


def _announce(plan: Plan) -> None:
    table = plan.table
    sizes = ", ".join(f"{width}x{height}" for height, width in plan.sizes[:4])
    more = f" and {counted(len(plan.sizes) - 4, 'more sizes')}" if len(plan.sizes) > 4 else ""
    left_out = counted(table.pairs_left_out, "pairs with missing images left out")
    note = f"; {left_out}" if table.pairs_left_out else ""
    pairs, units = counted(len(table.pairs), "pairs"), counted(len(plan.units), "work units")
    references = counted(table.reference_count, "references")
    inform(
        f"{table.name}: {pairs} of {references}, {sizes}{more}; {units} of up to "
        f"{counted(plan.versions, 'versions')}{note}"
    )
