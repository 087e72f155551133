"""The tables and files of an evaluation."""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from etils import epath

from iqa_jax.agreement.columns import Column
from iqa_jax.errors import InputError
from iqa_jax.files import write_bytes, write_text
from iqa_jax.programs.evaluate.evaluation import Evaluation
from iqa_jax.programs.evaluate.layer_source import RECORD
from iqa_jax.text import as_json, csv_text

PLACE = ("dataset", "model", "layer", "layer_index", "relative_depth", "readout")
COLUMN = ("column", "in_sample", "transductive")
INTERVALS = ("plcc_low", "plcc_high", "srcc_low", "srcc_high")
CORRELATIONS = (
    *PLACE,
    *("pairs", "plcc", "srcc", "krcc", "plcc_logistic", "rmse_logistic", "fit_converged"),
    *("references", "srcc_in_references", "srcc_in_references_std"),
    *COLUMN,
    *INTERVALS,
)
GROUPS = (*PLACE, "kind", "group", "pairs", "plcc", "srcc", "krcc")
REFERENCES = (*PLACE, "column", "reference_id", "pairs", "srcc")
FORCED_CHOICES = (
    *(*PLACE, "subset", "judgements", "score", "best", "observer", "low", "high"),
    *COLUMN,
)
CHOSEN = (*PLACE, "chosen_on", "pairs", "references", "plcc", "srcc", *INTERVALS)
IDENTIFIERS = (
    "reference",
    "distorted",
    "reference_id",
    "distortion",
    "level",
    "score",
    "score_std",
)
MEAN = "mean of the subsets"
ALL = "all judgements"
FIGURE = "correlation_by_layer.png"


class Table(NamedTuple):
    """Rows of values below the names of their columns; a missing value is None."""

    header: Sequence[str]
    rows: Sequence[Sequence[Any]]


def tables_of(evaluation: Evaluation) -> dict[str, Table]:
    """All tables of an evaluation by the names of their files; some may have no rows."""
    names = list(evaluation.scores)
    return {
        "correlations.csv": Table(CORRELATIONS, [*_correlations(evaluation)]),
        "correlations_by_distortion.csv": Table(GROUPS, [*_groups(evaluation)]),
        "correlations_by_reference.csv": Table(REFERENCES, [*_references(evaluation)]),
        "chosen_layers.csv": Table(CHOSEN, [*_chosen(evaluation)]),
        "forced_choice.csv": Table(FORCED_CHOICES, [*_forced_choices(evaluation)]),
        "scores.csv": Table((*IDENTIFIERS, *names), [*_scores(evaluation, names)]),
    }


def check_folder(folder: epath.Path) -> None:
    """Makes sure that no results of another program would be replaced.

    Args:
      folder: The folder for an evaluation, which need not exist.

    Raises:
      InputError: If it is a file, or holds the scores of ``iqa score`` or the record of another
        program.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; expected a folder")
    record = folder / RECORD
    if record.exists() and '"runs"' not in record.read_text():
        raise InputError(f"{folder}: its {RECORD} is not of an evaluation; name another folder")
    if (folder / "scores.csv.json").exists():
        raise InputError(f"{folder}: holds a table of iqa score, scores.csv; name another folder")


def write(evaluation: Evaluation, folder: epath.Path) -> list[str]:
    """Writes the tables, the record and the figure of an evaluation, each file whole.

    Tables left by an earlier evaluation that this one does not have are removed.

    Args:
      evaluation: The evaluation.
      folder: The folder, created if necessary.

    Returns:
      Names of the files.
    """
    from iqa_jax.programs.evaluate.figure import correlation_by_layer  # noqa: PLC0415  Matplotlib

    folder.mkdir(parents=True, exist_ok=True)
    tables = tables_of(evaluation)
    for name, (header, rows) in tables.items():
        if rows:
            write_text(folder / name, csv_text(header, rows))
        else:
            (folder / name).unlink(missing_ok=True)
    record = json.dumps(as_json(evaluation.record), indent=2, allow_nan=False)
    write_text(folder / RECORD, record + "\n")
    write_bytes(folder / FIGURE, correlation_by_layer(evaluation).png())
    return [*(name for name, (_, rows) in tables.items() if rows), RECORD, FIGURE]


def _place(evaluation: Evaluation, column: Column) -> Sequence[Any]:
    return (
        evaluation.table.name,
        column.model,
        column.layer,
        column.layer_index,
        column.relative_depth,
        column.readout,
    )


def _column(column: Column) -> Sequence[Any]:
    return column.name, column.is_in_sample, column.is_transductive


def _correlations(evaluation: Evaluation) -> Iterator[Sequence[Any]]:
    for result in evaluation.analysis.results:
        agreement = result.agreement
        yield (
            *_place(evaluation, result.column),
            *(agreement.pairs, agreement.plcc, agreement.srcc, agreement.krcc),
            agreement.logistic.plcc,
            agreement.logistic.rmse,
            agreement.logistic.converged,
            *(result.within.references, result.within.mean, result.within.std),
            *_column(result.column),
            *(result.plcc_interval or (None, None)),
            *(result.srcc_interval or (None, None)),
        )


def _groups(evaluation: Evaluation) -> Iterator[Sequence[Any]]:
    for result in evaluation.analysis.results:
        for group in result.groups:
            found = group.agreement
            yield (
                *_place(evaluation, result.column),
                *(group.kind, group.group),
                *(found.pairs, found.plcc, found.srcc, found.krcc),
            )


def _references(evaluation: Evaluation) -> Iterator[Sequence[Any]]:
    for result in evaluation.analysis.results:
        for found in result.within.correlations:
            yield (
                *_place(evaluation, result.column),
                *(result.column.name, found.reference_id, found.pairs, found.srcc),
            )


def _chosen(evaluation: Evaluation) -> Iterator[Sequence[Any]]:
    for chosen in evaluation.analysis.chosen:
        numbers = (getattr(chosen, name) for name in CHOSEN[len(PLACE) :])
        yield (*_place(evaluation, chosen.column), *numbers)


def _forced_choices(evaluation: Evaluation) -> Iterator[Sequence[Any]]:
    for result in evaluation.analysis.forced_choices:
        found = result.subsets
        subsets = {**found.subsets, MEAN: found.mean, ALL: found.overall}
        for name, subset in subsets.items():
            yield (
                *_place(evaluation, result.column),
                *(name, subset.judgements, subset.score, subset.best, subset.observer),
                *(subset.interval or (None, None)),
                *_column(result.column),
            )


def _scores(evaluation: Evaluation, names: Sequence[str]) -> Iterable[Sequence[Any]]:
    for row, pair in enumerate(evaluation.table.pairs):
        identifiers = [getattr(pair, name) for name in IDENTIFIERS]
        identifiers[-1] = None if math.isnan(pair.score_std) else pair.score_std
        yield (*identifiers, *(float(evaluation.scores[name][row]) for name in names))
