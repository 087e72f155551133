"""Our own checkpoints: arrays stored by Orbax, with a record of their provenance.

``DIRECTORY/NAME/arrays`` is the Orbax checkpoint, ``DIRECTORY/NAME/provenance.json`` its record. A
checkpoint appears under its name when both are complete. If two are written at once, the last wins.
"""

import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from etils import epath

from iqa_jax.errors import CheckpointError
from iqa_jax.files import absolute, appearing_whole, remove_leftovers, user_cache
from iqa_jax.revisions import versions_with
from iqa_jax.weights.formats.budget import describe

if TYPE_CHECKING:
    from orbax.checkpoint import StandardCheckpointer

FORMAT = 1
"""Version of the storage format; checkpoints of any other version are ignored."""

NAME_ANOTHER = "name a folder with checkpoints_dir or IQA_JAX_CHECKPOINTS"
"""Advice about a folder of checkpoints that cannot be used."""

_SAVING = threading.Lock()  # Orbax mixes up checkpoints that several threads save at once
_LONGEST_SAVE = 24 * 3600.0  # seconds
_RECORD = "provenance.json"
_MAKE_AGAIN = "fetch, convert or train it again, depending on how it was made"


@dataclass(frozen=True)
class Checkpoint:
    """Arrays and their provenance.

    Attributes:
      arrays: Arrays by name.
      provenance: Source, hashes, licence, preprocessing, versions; see :func:`save`.
    """

    arrays: Mapping[str, np.ndarray]
    provenance: Mapping[str, Any]


def default_directory() -> epath.Path:
    """The default folder for reading and writing checkpoints.

    The first of these that applies: the folder named by the environment variable
    ``IQA_JAX_CHECKPOINTS``; ``checkpoints`` in the current folder, if it holds a checkpoint;
    ``iqa_jax/checkpoints`` in the user's cache (``XDG_CACHE_HOME`` or ``~/.cache``).

    Raises:
      CheckpointError: If it would be the last of these, but the user has no home folder.
    """
    if named := os.environ.get("IQA_JAX_CHECKPOINTS"):
        return epath.Path(named)
    here = epath.Path("checkpoints")
    if any(here.glob("*/provenance.json")):
        return here
    try:
        return epath.Path(user_cache() / "checkpoints")
    except RuntimeError as error:
        raise CheckpointError(f"found no home folder for weights; {NAME_ANOTHER}") from error


def resolve_directory(named: epath.PathLike | None) -> epath.Path:
    """The folder of checkpoints: ``named`` if given, otherwise :func:`default_directory`."""
    return epath.Path(named) if named else default_directory()


def save(
    directory: epath.Path, name: str, arrays: Mapping[str, np.ndarray], provenance: Mapping
) -> None:
    """Stores ``arrays`` as the checkpoint ``name``, replacing an existing one.

    Args:
      directory: The folder of checkpoints.
      name: Name of the checkpoint.
      arrays: Arrays by name.
      provenance: Facts about the arrays, as JSON; format, array shapes, versions and the hash of
        the arrays are added.

    Raises:
      CheckpointError: If the folder is not writable.
    """
    record = {
        **provenance,
        "format": FORMAT,
        "arrays": {key: list(value.shape) for key, value in arrays.items()},
        "weights_sha256": digest(arrays),
        "versions": versions_with("jax", "flax", "orbax-checkpoint"),
    }
    directory = absolute(directory)  # Orbax does not accept relative paths
    with _writing_into(directory):
        directory.mkdir(parents=True, exist_ok=True)
    remove_leftovers(directory / name, _LONGEST_SAVE)
    with appearing_whole(directory / name, last=_RECORD) as unfinished:
        with _writing_into(directory):  # Orbax would wait forever for a folder it cannot write to
            unfinished.mkdir()
        with _SAVING, _checkpointer() as checkpointer:
            checkpointer.save(unfinished / "arrays", dict(arrays))
        (unfinished / _RECORD).write_text(json.dumps(record, indent=2) + "\n")


def read_provenance(directory: epath.Path, name: str) -> dict[str, Any] | None:
    """The record of the checkpoint ``name``; None if it is missing or in another format.

    Raises:
      CheckpointError: If the record is damaged.
    """
    path = directory / name / _RECORD
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text())
        if record["format"] != FORMAT:
            return None
        if not (isinstance(record["arrays"], dict) and isinstance(record["weights_sha256"], str)):
            raise TypeError("it lists no arrays")
    except (ValueError, TypeError, LookupError) as error:
        raise CheckpointError(f"{path}: is damaged ({describe(error)}); {_MAKE_AGAIN}") from error
    return record


def load(directory: epath.Path, name: str) -> Checkpoint:
    """Loads the checkpoint ``name``.

    Raises:
      CheckpointError: If it is missing, or its arrays are not the ones that were saved.
    """
    provenance = read_provenance(directory, name)
    if provenance is None:
        raise CheckpointError(f"there is no checkpoint {name} in {absolute(directory)}")
    path = absolute(directory / name / "arrays")
    try:
        shapes = {key: np.empty(shape, np.float32) for key, shape in provenance["arrays"].items()}
        with _checkpointer() as checkpointer:
            arrays = checkpointer.restore(path, shapes)
    except Exception as error:  # Orbax and its storage raise errors of many types
        raise CheckpointError(
            f"{path}: cannot be restored ({describe(error)}); {_MAKE_AGAIN}"
        ) from error
    if digest(arrays) != provenance["weights_sha256"]:
        raise CheckpointError(f"{path}: has changed since it was saved; {_MAKE_AGAIN}")
    return Checkpoint(arrays, provenance)


def digest(arrays: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of names, types, shapes and values, in order of name."""
    sha256 = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        sha256.update(f"{name} {array.dtype} {array.shape}\n".encode())
        sha256.update(array.data)
    return sha256.hexdigest()


def _checkpointer() -> "StandardCheckpointer":
    from orbax.checkpoint import StandardCheckpointer  # noqa: PLC0415  slow to import

    return StandardCheckpointer()


@contextmanager
def _writing_into(directory: epath.Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CheckpointError(
            f"{directory}: is not writable ({error.strerror or error}); {NAME_ANOTHER}"
        ) from error
