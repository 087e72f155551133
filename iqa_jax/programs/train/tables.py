"""The files of a training: folds, report, weights, record and figure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from etils import epath

from iqa_jax.datasets.splits import write_folds
from iqa_jax.files import write_text
from iqa_jax.programs.train.figure import shares_by_layer
from iqa_jax.programs.train.report import report_csv
from iqa_jax.relevance.cross_validation import CrossValidation
from iqa_jax.relevance.examples import Examples
from iqa_jax.relevance.gains import LEARNED, UNIFORM, Gain
from iqa_jax.text import csv_text

FILES = ("folds.csv", "report.txt", "report.csv", "relevance.csv", "run.json", "shares.png")
_RELEVANCE = ("layer", "channel", "weight", "share")


def write(
    folder: epath.Path,
    *,
    examples: Examples,
    learned: CrossValidation,
    published: Mapping[str, np.ndarray],
    title: str,
    rows: Sequence[Gain],
    report: str,
    record: Mapping[str, Any],
) -> None:
    """Writes :data:`FILES` into a folder, each whole.

    Args:
      folder: Made if it is not there.
      examples: What was learned from.
      learned: What was learned.
      published: Other weights, ``[channels]`` by name.
      title: Title of the figure.
      rows: The numbers of the report.
      report: The report as text.
      record: Record of the run, as JSON.
    """
    folder.mkdir(parents=True, exist_ok=True)
    uniform = np.ones_like(learned.weights)
    shares = {
        name: _shares(examples, weights)
        for name, weights in {UNIFORM: uniform, LEARNED: learned.weights, **published}.items()
    }
    write_folds(folder / "folds.csv", learned.fold_of)
    write_text(folder / "report.txt", report + "\n")
    write_text(folder / "report.csv", report_csv(rows))
    weights = examples.by_layer(learned.weights)
    write_text(folder / "relevance.csv", _relevance_csv(weights, shares[LEARNED]))
    write_text(folder / "run.json", json.dumps(record, indent=2) + "\n")
    shares_by_layer(shares, title, folder / "shares.png")


def _shares(examples: Examples, weights: np.ndarray) -> dict[str, np.ndarray]:
    """What each channel adds to the mean distance, as a share of it."""
    added = weights * examples.mean()
    return examples.by_layer(added / added.sum())


def _relevance_csv(weights: Mapping[str, np.ndarray], shares: Mapping[str, np.ndarray]) -> str:
    rows = [
        (layer, channel, weight, share)
        for layer, values in weights.items()
        for channel, (weight, share) in enumerate(
            zip(values.tolist(), shares[layer].tolist(), strict=True)
        )
    ]
    return csv_text(_RELEVANCE, rows)
