"""Fetches published weights: finds the file, checks its hash, converts it and stores it."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from etils import epath

from iqa_jax.backbones import INPUT, build
from iqa_jax.errors import CheckpointError, listed
from iqa_jax.files import absolute
from iqa_jax.progress import shown
from iqa_jax.weights import checkpoints
from iqa_jax.weights.conversion import convert, flatten
from iqa_jax.weights.download import UrlFile
from iqa_jax.weights.formats.reading import read_checkpoint, unwrap
from iqa_jax.zoo.entries import Arrays, Conversion
from iqa_jax.zoo.finding import FINDERS, Found, Target, has_hash, not_registered, sha256_of
from iqa_jax.zoo.origins import (
    CLAIMED,
    PUBLISHED,
    First,
    Place,
    is_of,
    origin,
    own_origin,
    read_record,
)
from iqa_jax.zoo.registry import RELEVANCES, expand_models, find_model


@dataclass(frozen=True)
class Fetched:
    """A checkpoint with published weights.

    Attributes:
      name: Name of the checkpoint.
      folder: Folder of the checkpoint.
      is_new: Whether it was made by this call; False if it already existed.
      is_verified: Whether its file is known to be the published one.
      licence: Licence of the weights, as stated by their publisher.
    """

    name: str
    folder: epath.Path
    is_new: bool
    is_verified: bool
    licence: str


def fetch(
    *names: str,
    source: str = "auto",
    checkpoints_dir: epath.PathLike | None = None,
    progress: bool = False,
) -> list[Fetched]:
    """Converts published weights into checkpoints, as ``iqa fetch`` does.

    The channel weights published for a model come with it. An existing checkpoint is verified, and
    made again if it is damaged or was made from another file.

    Example:
      >>> import tempfile
      >>> import iqa_jax
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     fetched = iqa_jax.fetch("alexnet", source="package", checkpoints_dir=folder)
      >>> [(each.name, each.is_new) for each in fetched]
      [('alexnet', True), ('lpips-alex', True)]

    Args:
      *names: Models; ``@study46`` for the grid of 46, ``@study`` for all that the study's claims
        need, ``@transformers`` for the transformers; or published channel weights such as
        ``lpips-vgg`` and ``dists``, which come with their model.
      source: ``package`` (a data file of an installed distribution), ``url`` (a download), the path
        of a local copy (trusted where the publisher gives no hash), or ``auto``: a local copy or a
        package if there is one, else a download.
      checkpoints_dir: Folder of all checkpoints; None for the default folder, see
        :func:`iqa_jax.weights.checkpoints.default_directory`.
      progress: Whether to show progress bars.

    Returns:
      The checkpoints, those of each model together.

    Raises:
      InputError: If a name is unknown; nothing is fetched then.
      CheckpointError: If a file is missing, has the wrong hash, or does not fit. All others are
        fetched first, and the message lists every failure.
    """
    with shown(progress):
        return list(fetch_each(names, source=source, checkpoints_dir=checkpoints_dir))


def fetch_each(
    names: Sequence[str], *, source: str = "auto", checkpoints_dir: epath.PathLike | None = None
) -> Iterator[Fetched]:
    """Fetches weights one by one; see :func:`fetch`.

    Args:
      names: Models or published channel weights.
      source: Origin of the file.
      checkpoints_dir: Folder of all checkpoints.

    Yields:
      Each checkpoint as soon as it is complete.

    Raises:
      InputError: If a name is unknown, before anything is fetched.
      CheckpointError: At the end, if some could not be fetched.
    """
    directory = absolute(checkpoints.resolve_directory(checkpoints_dir))
    models = [RELEVANCES[name].model if name in RELEVANCES else name for name in names]
    targets = {
        model: [target for target in _targets(model) if target.conversions]
        for model in expand_models(models)
    }
    failures: list[CheckpointError] = []
    for of_model in targets.values():
        try:
            for name, is_new in _fetch(of_model, source, directory):
                record = checkpoints.read_provenance(directory, name) or {}
                yield Fetched(
                    name,
                    directory / name,
                    is_new,
                    is_verified=bool(record.get("verified")),
                    licence=record.get("licence", ""),
                )
        except CheckpointError as error:
            failures.append(error)
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise CheckpointError(listed([str(each) for each in failures], "models were not fetched"))


def _fetch(
    targets: Sequence[Target], source: str, directory: epath.Path
) -> Iterator[tuple[str, bool]]:
    """The name of each checkpoint of a model, and whether it was made by this call."""
    if source not in FINDERS:
        yield from _fetch_local(targets, epath.Path(source), directory)
        return
    for target in targets:
        is_there = _is_there(target, directory)
        if not is_there:
            _make(target, FINDERS[source](target, directory), directory)
        yield target.name, not is_there


def convert_file(model: str, path: epath.Path, *, directory: epath.Path | None = None) -> str:
    """Converts any checkpoint of the architecture of ``model`` in one of its file formats.

    The checkpoint replaces the registered weights, and its provenance says so.

    Args:
      model: Name of a model.
      path: The checkpoint, whatever its hash.
      directory: Folder of all checkpoints; None for the default folder.

    Returns:
      Name of the checkpoint.

    Raises:
      InputError: If the model is unknown.
      CheckpointError: If the file cannot be read or does not fit.
    """
    directory = checkpoints.resolve_directory(directory)
    target = next(_targets(model))
    if not target.conversions:
        raise CheckpointError(f"{model} is untrained: it needs no weights")
    sha256, arrays_found = sha256_of(path), _read(path)
    failures = []
    for conversion in target.conversions:
        try:
            arrays = _converted(target, conversion, arrays_found, path)
        except CheckpointError as error:
            failures.append(error)
            continue
        if has_hash(sha256, conversion):
            facts = origin(conversion.source, sha256, PUBLISHED)
        else:
            facts = own_origin(path, sha256)
        checkpoints.save(directory, target.name, arrays, {**target.facts, **facts})
        return target.name
    raise min(failures, key=lambda error: len(str(error)))


def _targets(name: str) -> Iterator[Target]:
    model = find_model(name)
    network = build(model.trunk)
    facts = {
        "kind": "backbone",
        "model": name,
        "architecture": model.trunk,
        "preprocessing": dataclasses.asdict(model.preprocessing),
    }
    yield Target(name, model.conversions, network.parameters, facts)
    channels = {INPUT: 3, **network.channels}
    for relevance_name, relevance in RELEVANCES.items():
        if relevance.model == name:
            shapes = {
                layer: jax.ShapeDtypeStruct(relevance.shape(channels[layer]), jnp.float32)
                for layer in relevance.layers
            }
            facts = {"kind": "relevance", "model": name}
            yield Target(relevance_name, relevance.conversions, shapes, facts)


def _is_there(target: Target, directory: epath.Path) -> bool:
    """Whether the checkpoint exists, is undamaged, and was made from one of its sources."""
    record = read_record(directory, target.name)
    if not any(is_of(record, each.source) for each in target.conversions):
        return False
    try:
        checkpoints.load(directory, target.name)
    except CheckpointError:
        return False
    return True


def _fetch_local(
    targets: Sequence[Target], path: epath.Path, directory: epath.Path
) -> Iterator[tuple[str, bool]]:
    sha256 = sha256_of(path)
    fitting = {
        target.name: [each for each in target.conversions if has_hash(sha256, each)]
        for target in targets
    }
    for target in targets:
        if fitting[target.name]:
            is_there = _is_there(target, directory)
            if not is_there:
                found = Found(fitting[target.name][0], path, sha256, PUBLISHED)
                _make(target, found, directory)
            yield target.name, not is_there
    if not any(fitting.values()):
        yield _fetch_claimed(targets, path, sha256, directory)


def _fetch_claimed(
    targets: Sequence[Target], path: epath.Path, sha256: str, directory: epath.Path
) -> tuple[str, bool]:
    """Trusts the user that a file is the published one, where the publisher gives no hash."""
    size = path.stat().length
    failures = []
    for target in targets:
        for conversion in target.conversions:
            file = conversion.source.file
            if conversion.source.sha256 or not isinstance(file, UrlFile):
                continue
            if file.size not in (None, size):
                continue
            place = Place(directory, target.name, file)
            first = place.first() or First(sha256, CLAIMED)
            if first.sha256 != sha256:
                failures.append(
                    f"{path}: is not the file from {file.url}: expected sha256 {first.sha256}, "
                    f"found {sha256}; {place.advice()}"
                )
                continue
            found = Found(conversion, path, sha256, first.verification)
            if _is_there(target, directory):
                return target.name, False
            try:
                _make(target, found, directory)
            except CheckpointError as error:
                failures.append(str(error))
                continue
            place.remember(first)
            return target.name, True
    if failures:
        raise CheckpointError(min(failures, key=len))
    conversions = [each for target in targets for each in target.conversions]
    raise not_registered(path, sha256, conversions)


def _make(target: Target, found: Found, directory: epath.Path) -> None:
    arrays = _converted(target, found.conversion, _read(found.path), found.path)
    facts = origin(found.conversion.source, found.sha256, found.verification)
    checkpoints.save(directory, target.name, arrays, {**target.facts, **facts})


def _read(path: epath.Path) -> Arrays:
    tree = unwrap(read_checkpoint(path))
    if not isinstance(tree, Mapping):
        raise CheckpointError(f"{path}: holds a {type(tree).__name__}, expected arrays by name")
    try:
        return dict(flatten(tree))
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error


def _converted(
    target: Target, conversion: Conversion, arrays: Arrays, path: epath.Path
) -> dict[str, np.ndarray]:
    try:
        rearranged = conversion.rearrange(arrays)
        return convert(rearranged, target.shapes, conversion.renames, conversion.ignored)
    except (CheckpointError, ValueError) as error:
        raise CheckpointError(f"{path.name} for {target.name}: {error}") from error
