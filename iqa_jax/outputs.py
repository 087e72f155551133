"""The files of an evaluation: ``correlations.csv``, ``scores.csv`` and ``run.json``."""

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from etils import epath

from iqa_jax.evaluate import Evaluation
from iqa_jax.files import write_text

CORRELATIONS = (
    "dataset",
    "model",
    "layer",
    "layer_index",
    "relative_depth",
    "readout",
    "pairs",
    "plcc",
    "srcc",
    "krcc",
    "plcc_logistic",
    "rmse_logistic",
    "fit_converged",
)
IDENTIFIERS = (
    "reference",
    "distorted",
    "reference_id",
    "distortion",
    "level",
    "score",
    "score_std",
)
_DIGITS = 9
"""Significant digits: enough to tell any two float32 numbers apart."""


def write(evaluation: Evaluation, folder: epath.Path) -> None:
    """Writes the tables and the record of an evaluation into ``folder``, each file whole."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "correlations.csv", _csv(CORRELATIONS, _correlations(evaluation)))
    names = list(evaluation.scores)
    write_text(folder / "scores.csv", _csv((*IDENTIFIERS, *names), _scores(evaluation, names)))
    write_text(folder / "run.json", json.dumps(evaluation.record, indent=2) + "\n")


def _correlations(evaluation: Evaluation) -> Iterable[Sequence[Any]]:
    for column, agreement in evaluation.agreements:
        yield (
            evaluation.table.name,
            column.model,
            column.layer,
            column.layer_index,
            column.relative_depth,
            column.readout,
            agreement.pairs,
            agreement.plcc,
            agreement.srcc,
            agreement.krcc,
            agreement.logistic.plcc,
            agreement.logistic.rmse,
            agreement.logistic.converged,
        )


def _scores(evaluation: Evaluation, names: Sequence[str]) -> Iterable[Sequence[Any]]:
    for row, pair in enumerate(evaluation.table.pairs):
        identifiers = [getattr(pair, name) for name in IDENTIFIERS]
        identifiers[-1] = None if math.isnan(pair.score_std) else pair.score_std
        yield (*identifiers, *(float(evaluation.scores[name][row]) for name in names))


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_text(value) for value in row] for row in rows)
    return file.getvalue()


def _text(value: Any) -> Any:
    return f"{value:.{_DIGITS}g}" if isinstance(value, float) else value
