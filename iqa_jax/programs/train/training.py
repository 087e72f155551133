"""Learns a relevance, writes a report of its value, and stores it among the checkpoints."""

import re

import numpy as np
from etils import epath

from iqa_jax.errors import InputError
from iqa_jax.programs.train import tables
from iqa_jax.programs.train.learning import Learned, learn
from iqa_jax.programs.train.settings import TrainSettings
from iqa_jax.weights import checkpoints
from iqa_jax.zoo.origins import DOWNLOADS
from iqa_jax.zoo.registry import MODELS, RELEVANCES

_NAME = re.compile(r"\w[\w.-]*")
_KIND = "relevance"


def train_relevance(settings: TrainSettings) -> Learned:
    """Learns a relevance, writes the files of the training and stores the relevance.

    Nothing is written before everything is known, and the checkpoint is stored last.

    Raises:
      InputError: If statistics, layers, read-out, loss, scheme or name cannot be used.
      CheckpointError: If weights have not been fetched, or are damaged.
    """
    directory = checkpoints.resolve_directory(settings.checkpoints_dir)
    check_name(settings.name, directory)
    folder = epath.Path(settings.output_dir or "")
    learned = learn(settings, statistics_dir=settings.statistics_dir or str(folder / "statistics"))
    tables.write(folder, learned)
    store_relevance(learned, settings.name, directory)
    return learned


def store_relevance(learned: Learned, name: str, directory: epath.Path) -> None:
    """Stores a relevance as a checkpoint.

    Args:
      learned: The relevance.
      name: Name of the checkpoint; an earlier relevance of that name is replaced.
      directory: Folder of all checkpoints.

    Raises:
      InputError: If the name cannot be used.
    """
    check_name(name, directory)
    provenance = {"kind": _KIND, "model": learned.relevance.model, "source": learned.origin}
    arrays = {layer: np.asarray(each) for layer, each in learned.relevance.weights.items()}
    checkpoints.save(directory, name, arrays, {**provenance, "licence": "", "citation": ""})


def check_name(name: str, directory: epath.Path) -> None:
    """Refuses names that a relevance cannot have.

    Args:
      name: Name of the relevance.
      directory: Folder of all checkpoints.

    Raises:
      InputError: If the name is malformed or already taken.
    """
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
