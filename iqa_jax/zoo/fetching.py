"""From a foreign checkpoint to one of ours: find, hash, read, convert, store."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from etils import epath

from iqa_jax.backbones import INPUT, build
from iqa_jax.errors import CheckpointError
from iqa_jax.weights import checkpoints
from iqa_jax.weights.conversion import Shaped, convert, flatten
from iqa_jax.weights.downloads import UrlFile, file_sha256
from iqa_jax.weights.packages import PackageFile
from iqa_jax.weights.readers import read_checkpoint, unwrap
from iqa_jax.zoo.entries import Conversion, Source
from iqa_jax.zoo.models import RELEVANCES, find_model

DOWNLOADS = "downloads"
"""Folder below that of the checkpoints in which original files are kept, a folder a checkpoint."""


@dataclasses.dataclass(frozen=True)
class _Target:
    """A checkpoint to be made: what has to be filled, from what, and what its provenance says."""

    name: str
    conversions: Sequence[Conversion]
    shapes: Mapping[str, Shaped]
    facts: Mapping[str, Any]


def fetch(
    model: str, *, source: str = "auto", directory: epath.Path | None = None
) -> Iterator[tuple[str, bool]]:
    """Converts the weights of ``model``, and the relevances published for it, into checkpoints.

    Args:
      model: Name of a model, or of a published relevance, which means its model too.
      source: ``package`` (a data file of an installed distribution), ``url`` (a download), the path
        of a local copy of a registered file, or ``auto``: what is at hand, else a download.
      directory: The folder of all checkpoints; None for the default one.

    Yields:
      The name of each checkpoint, and whether it was made now (False: it was already there).

    Raises:
      InputError: If there is no such model.
      CheckpointError: If the file is missing, is another one (its hash differs), or does not fit.
    """
    directory = directory or checkpoints.default_directory()
    model = RELEVANCES[model].model if model in RELEVANCES else model
    wanted = [target for target in _targets(model) if target.conversions]
    if source not in _FINDERS:
        yield from _fetch_local(wanted, epath.Path(source), directory)
        return
    for target in wanted:
        is_there = _is_there(target, directory)
        if not is_there:
            conversion, path = _FINDERS[source](target, directory)
            _make(target, [conversion], path, file_sha256(path), directory)
        yield target.name, not is_there


def convert_file(model: str, path: epath.Path, *, directory: epath.Path | None = None) -> str:
    """Converts any checkpoint of the architecture of ``model`` in one of its file formats.

    The checkpoint takes the place of the registered weights, and its provenance says so.

    Args:
      model: Name of a model.
      path: The checkpoint; its hash is not asked for.
      directory: The folder of all checkpoints; None for the default one.

    Returns:
      The name of the checkpoint that was made.

    Raises:
      InputError: If there is no such model.
      CheckpointError: If the file cannot be read or does not fit.
    """
    directory = directory or checkpoints.default_directory()
    target = next(_targets(model))
    if not target.conversions:
        raise CheckpointError(f"{model} is untrained: it needs no weights")
    _make(target, target.conversions, path, _hash(path), directory)
    return target.name


def _targets(name: str) -> Iterator[_Target]:
    model = find_model(name)
    network = build(model.trunk)
    facts = {
        "kind": "backbone",
        "model": name,
        "architecture": model.trunk,
        "preprocessing": dataclasses.asdict(model.preprocessing),
    }
    yield _Target(name, model.conversions, network.parameters, facts)
    channels = {INPUT: 3, **network.channels}
    for relevance_name, relevance in RELEVANCES.items():
        if relevance.model == name:
            shapes = {
                layer: jax.ShapeDtypeStruct(relevance.shape(channels[layer]), jnp.float32)
                for layer in relevance.layers
            }
            facts = {"kind": "relevance", "model": name}
            yield _Target(relevance_name, relevance.conversions, shapes, facts)


def _is_there(target: _Target, directory: epath.Path) -> bool:
    record = checkpoints.read_provenance(directory, target.name)
    return record is not None and any(_is_of(record, each.source) for each in target.conversions)


def _is_of(record: Mapping[str, Any], source: Source) -> bool:
    if source.sha256:
        return record["source_sha256"].startswith(source.sha256)
    return record["source"] == dataclasses.asdict(source.file)


def _find_package(target: _Target, directory: epath.Path) -> tuple[Conversion, epath.Path]:
    for conversion in target.conversions:
        if isinstance(conversion.source.file, PackageFile):
            path = conversion.source.file.find()
            _check_hash(path, [conversion])
            return conversion, path
    raise CheckpointError(f"no distribution carries {target.name}; fetch it with --source=url")


def _find_url(target: _Target, directory: epath.Path) -> tuple[Conversion, epath.Path]:
    # A folder each: VISSL calls many different files by the same name.
    folder = directory / DOWNLOADS / target.name
    failures = []
    for conversion in target.conversions:
        if isinstance(conversion.source.file, UrlFile):
            try:
                return conversion, conversion.source.file.fetch(folder, conversion.source.sha256)
            except CheckpointError as error:
                failures.append(error)
    if failures:
        raise failures[0]
    raise CheckpointError(f"{target.name} is published at no URL; fetch it with --source=package")


def _find_any(target: _Target, directory: epath.Path) -> tuple[Conversion, epath.Path]:
    """Looks into the distributions first: a download is the last resort."""
    try:
        return _find_package(target, directory)
    except CheckpointError as error:
        kinds = {type(conversion.source.file) for conversion in target.conversions}
        if UrlFile not in kinds:
            raise
        try:
            return _find_url(target, directory)
        except CheckpointError as failure:
            if PackageFile not in kinds:
                raise
            raise CheckpointError(f"{error}; or {failure}") from failure


_FINDERS = {"auto": _find_any, "package": _find_package, "url": _find_url}


def _fetch_local(
    targets: Sequence[_Target], path: epath.Path, directory: epath.Path
) -> Iterator[tuple[str, bool]]:
    conversions = [each for target in targets for each in target.conversions]
    sha256 = _check_hash(path, conversions)
    for target in targets:
        fitting = [each for each in target.conversions if sha256.startswith(each.source.sha256)]
        if fitting:
            is_there = _is_there(target, directory)
            if not is_there:
                _make(target, fitting, path, sha256, directory)
            yield target.name, not is_there


def _check_hash(path: epath.Path, conversions: Sequence[Conversion]) -> str:
    """The hash of a file, which has to be that of one of the sources."""
    found = _hash(path)
    known = list(dict.fromkeys(conversion.source.sha256 for conversion in conversions))
    if not found.startswith(tuple(known)):
        raise CheckpointError(
            f"{path}: is not the registered file: expected sha256 {' or '.join(known)}, found "
            f"{found}; a checkpoint of your own is converted by scripts/convert_weights.py"
        )
    return found


def _hash(path: epath.Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error})") from error


def _make(
    target: _Target,
    conversions: Sequence[Conversion],
    path: epath.Path,
    sha256: str,
    directory: epath.Path,
) -> None:
    """Converts a file by the first of ``conversions`` that fits."""
    arrays_found = dict(flatten(unwrap(read_checkpoint(path))))
    errors = []
    for conversion in conversions:
        try:
            rearranged = conversion.rearrange(arrays_found)
            arrays = convert(rearranged, target.shapes, conversion.renames, conversion.ignored)
        except CheckpointError as error:
            errors.append(str(error))
            continue
        provenance = {**target.facts, **_origin(path, sha256, conversion.source)}
        checkpoints.save(directory, target.name, arrays, provenance)
        return
    raise CheckpointError(f"{path.name} for {target.name}: " + min(errors, key=len))


def _origin(path: epath.Path, sha256: str, source: Source) -> dict[str, Any]:
    if sha256.startswith(source.sha256):
        return {
            "source": dataclasses.asdict(source.file),
            "source_sha256": sha256,
            "licence": source.licence,
            "citation": source.citation,
        }
    return {"source": {"file": path.name}, "source_sha256": sha256, "licence": "", "citation": ""}
