"""Learns a relevance, writes a report of its value, and stores it among the checkpoints."""

import math
import re
from dataclasses import asdict
from typing import Any

import numpy as np
from etils import epath

from iqa_jax.errors import InputError
from iqa_jax.programs.train import tables
from iqa_jax.programs.train.learning import Learned, learn
from iqa_jax.programs.train.settings import TrainSettings
from iqa_jax.progress import warn
from iqa_jax.weights import checkpoints
from iqa_jax.weights.relevance_files import SUFFIX, is_relevance_file, write_relevance
from iqa_jax.zoo.origins import DOWNLOADS
from iqa_jax.zoo.registry import MODELS, RELEVANCES

_NAME = re.compile(r"\w[\w.-]*")
_KIND = "relevance"


def train_relevance(settings: TrainSettings) -> Learned:
    """Learns a relevance, writes the files of the training, and stores or exports the relevance.

    Nothing is written before everything is known, and the relevance is stored last.

    Raises:
      InputError: If statistics, layers, read-out, loss, scheme, name or file cannot be used.
      CheckpointError: If weights have not been fetched, or are damaged.
    """
    directory = checkpoints.resolve_directory(settings.checkpoints_dir)
    if settings.name is None and settings.export is None:
        raise InputError("expected name, to store the relevance, or export, to write it to a file")
    if settings.name is not None:
        check_name(settings.name, directory)
    if settings.export is not None:
        check_file(settings.export)
    folder = epath.Path(settings.output_dir or "")
    learned = learn(settings, statistics_dir=settings.statistics_dir or str(folder / "statistics"))
    tables.write(folder, learned)
    if settings.name is not None:
        store_relevance(learned, settings.name, directory)
    if settings.export is not None:
        export_relevance(learned, settings.export, licence=settings.licence or "")
    return learned


def store_relevance(learned: Learned, name: str, directory: epath.Path) -> None:
    """Stores a relevance as a checkpoint.

    Args:
      learned: The relevance.
      name: Name of the checkpoint; an earlier relevance of that name is replaced, with a warning if
        its weights were others.
      directory: Folder of all checkpoints.

    Raises:
      InputError: If the name cannot be used.
    """
    check_name(name, directory)
    arrays = _arrays(learned)
    earlier = checkpoints.read_provenance(directory, name)
    if earlier and earlier["weights_sha256"] != checkpoints.digest(arrays):
        warn(f"{directory / name}: an earlier relevance of this name is replaced")
    provenance = {"kind": _KIND, "model": learned.relevance.model, "source": learned.origin}
    checkpoints.save(directory, name, arrays, {**provenance, "licence": "", "citation": ""})


def export_relevance(learned: Learned, path: epath.PathLike, *, licence: str) -> None:
    """Writes a relevance and its card to a file that can be handed on.

    The card has the model with the hash of its weights, the layers and the read-out, the dataset
    with its fingerprint, the results in every fold and overall with their intervals, the licence
    and the version of this package.

    Args:
      learned: The relevance.
      path: The file, which must end in ``.safetensors``; an earlier one is replaced.
      licence: Licence of the weights; may be empty.

    Raises:
      InputError: If the file has another ending, or cannot be written.
    """
    made = learned.origin["statistics"]
    rows = [asdict(row) for row in learned.rows]
    card = {
        "model": learned.relevance.model,
        "model_weights_sha256": made["weights_sha256"],
        "precision": made["precision"],
        "resize": made["resize"],
        "readout": learned.origin["readout"],
        "dataset": {"name": made["dataset"], "fingerprint": made["dataset_fingerprint"]},
        "recipe": learned.origin["recipe"],
        "scheme": learned.origin["scheme"],
        "interval": learned.record["interval"],
        "results": [{key: _finite(value) for key, value in row.items()} for row in rows],
        "licence": licence,
    }
    write_relevance(check_file(path), _arrays(learned), card)


def check_file(path: epath.PathLike) -> epath.Path:
    """Refuses a file that a relevance cannot be exported to (:class:`InputError`)."""
    file = epath.Path(path)
    if not is_relevance_file(file.name):
        raise InputError(f"export: expected a file that ends in {SUFFIX}, got {str(file)!r}")
    if file.is_dir():
        raise InputError(f"export: {file} is a folder; name a file in it")
    return file


def _arrays(learned: Learned) -> dict[str, np.ndarray]:
    return {layer: np.asarray(each) for layer, each in learned.relevance.weights.items()}


def _finite(value: Any) -> Any:
    """A value as JSON, which has no NaN."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def check_name(name: str, directory: epath.Path) -> None:
    """Refuses names that a relevance cannot have.

    Args:
      name: Name of the relevance.
      directory: Folder of all checkpoints.

    Raises:
      InputError: If the name is malformed or already taken.
    """
    if is_relevance_file(name):
        raise InputError(f"name: {name} is the name of a file; write one with export")
    if not _NAME.fullmatch(name):
        raise InputError(
            f"name: expected letters, digits, '_', '.' and '-', not beginning with the last two, "
            f"got {name!r}"
        )
    if name in MODELS or name in RELEVANCES or name == DOWNLOADS:
        raise InputError(f"name: {name} is the name of published weights; choose another")
    record = checkpoints.read_provenance(directory, name)
    if record and record["kind"] != _KIND:
        raise InputError(f"name: {directory / name} holds a {record['kind']}; choose another")
