"""The files of a training: folds, report, weights, record and figure."""

import json
from typing import NamedTuple

import numpy as np
from etils import epath

from iqa_jax.datasets.splits import write_folds
from iqa_jax.files import write_bytes, write_text
from iqa_jax.programs.pictures import Picture
from iqa_jax.programs.train.figure import shares_by_layer
from iqa_jax.programs.train.learning import Learned
from iqa_jax.programs.train.report import report_csv
from iqa_jax.relevance.examples import Examples
from iqa_jax.relevance.gains import LEARNED, UNIFORM
from iqa_jax.text import csv_text

FILES = ("folds.csv", "report.txt", "report.csv", "relevance.csv", "run.json", "shares.png")


class Relevant(NamedTuple):
    """The weight of a channel, and its share in the mean distance."""

    layer: str
    channel: int
    weight: float
    share: float


def write(folder: epath.Path, learned: Learned) -> None:
    """Writes :data:`FILES` into a folder, each whole.

    Args:
      folder: The folder, created if necessary.
      learned: The relevance and its value.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_folds(folder / "folds.csv", learned.validation.fold_of)
    write_text(folder / "report.txt", learned.report + "\n")
    write_text(folder / "report.csv", report_csv(learned.rows))
    write_text(folder / "relevance.csv", csv_text(Relevant._fields, weights_of(learned)))
    write_text(folder / "run.json", json.dumps(learned.record, indent=2) + "\n")
    write_bytes(folder / "shares.png", draw_shares(learned).png())


def weights_of(learned: Learned) -> list[Relevant]:
    """The weights of all channels, by layer."""
    examples, weights = learned.examples, learned.validation.weights
    shares = _shares(examples, weights)
    return [
        Relevant(layer, channel, weight, share)
        for layer, values in examples.by_layer(weights).items()
        for channel, (weight, share) in enumerate(
            zip(values.tolist(), shares[layer].tolist(), strict=True)
        )
    ]


def draw_shares(learned: Learned) -> Picture:
    """Draws the shares of layers and channels under uniform, learned and published weights."""
    weights = learned.validation.weights
    compared = {UNIFORM: np.ones_like(weights), LEARNED: weights, **learned.published}
    shares = {name: _shares(learned.examples, each) for name, each in compared.items()}
    return shares_by_layer(shares, learned.title)


def _shares(examples: Examples, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Share of each channel in the mean distance."""
    added = weights * examples.mean()
    return examples.by_layer(added / added.sum())
