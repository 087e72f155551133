"""Source of the best layers: one half of the references, or an earlier evaluation."""

import json
import math
from collections.abc import Sequence

from etils import epath

from iqa_jax.agreement.columns import Column
from iqa_jax.agreement.layer_choice import Layer, Source, candidates
from iqa_jax.datasets import PairTable
from iqa_jax.datasets.csv_rows import read_rows
from iqa_jax.datasets.overlaps import overlap_warning
from iqa_jax.datasets.table import Question
from iqa_jax.errors import InputError
from iqa_jax.programs.evaluate.exposure import Tested

SPLIT = "split"
RESULTS = "correlations.csv"
RECORD = "run.json"


def find_source(
    wanted: str | None, columns: Sequence[Column], table: PairTable, pairs: Tested
) -> Source | None:
    """Opens the source of the best layers, and checks it before anything is computed.

    Args:
      wanted: ``split``, or the folder of an earlier evaluation of other data; None for no choice.
      columns: The columns of this evaluation.
      table: The pairs of this evaluation.
      pairs: The same pairs, with their fingerprint.

    Raises:
      InputError: If the dataset has forced choices, there is no layer to choose, there are fewer
        than two references to split, or the folder holds no evaluation, one of the same pairs, or
        one without some of the models and read-outs.
    """
    if wanted is None:
        return None
    if table.protocol is not Question.OPINION:
        raise InputError(
            f"layers_from: layers are chosen by correlations with opinion scores; {table.name} has "
            f"the {table.target}"
        )
    choices = candidates(columns)
    if not choices:
        raise InputError("layers_from: there is no layer to choose; name at least one model")
    if wanted == SPLIT:
        references = {pair.reference_id for pair in table.pairs}
        if len(references) < 2:
            raise InputError("layers_from: a split needs at least two references, found 1")
        return Source("one half of the references")
    folder = epath.Path(wanted)
    dataset, srcc = _read_results(folder)
    other = _fingerprint(folder)
    if other is not None and other == pairs.fingerprint:
        raise InputError(
            f"layers_from: {folder} evaluates the same pairs; name an evaluation of another "
            f"dataset, or set layers_from={SPLIT}"
        )
    unknown = {
        f"{model} with {readout}"
        for (model, readout), those in choices.items()
        if all(column.place not in srcc for column in those)
    }
    if unknown:
        models = ", ".join(dict.fromkeys(model for model, _, _ in srcc)) or "none"
        raise InputError(
            f"layers_from: {folder / RESULTS} has none of the layers evaluated here of "
            f"{', '.join(sorted(unknown))}; its models are: {models}"
        )
    shared = overlap_warning(dataset, table.name)
    return Source(dataset, srcc, shared and f"Layers are chosen on {dataset}: {shared}")


def _read_results(folder: epath.Path) -> tuple[str, dict[Layer, float]]:
    """The dataset of an evaluation, and the correlation of each layer that has one."""
    path = folder / RESULTS
    if not path.exists():
        raise InputError(
            f"layers_from: expected {SPLIT} or the folder of an earlier evaluation; found no {path}"
        )
    _, rows = read_rows(path, required=("dataset", "model", "layer", "readout", "srcc"))
    try:
        (dataset,) = {row["dataset"] for row in rows}
        srcc = {
            (row["model"], row["layer"], row["readout"]): float(row["srcc"])
            for row in rows
            if row["layer"]
        }
    except ValueError:
        raise InputError(
            f"layers_from: {path} was not written by iqa evaluate, or is damaged"
        ) from None
    return dataset, {layer: value for layer, value in srcc.items() if not math.isnan(value)}


def _fingerprint(folder: epath.Path) -> str | None:
    path = folder / RECORD
    if not path.exists():
        return None
    try:
        return json.loads(path.read_text())["dataset"]["fingerprint"]
    except (KeyError, TypeError, ValueError):
        raise InputError(
            f"layers_from: {path} was not written by iqa evaluate, or is damaged"
        ) from None
