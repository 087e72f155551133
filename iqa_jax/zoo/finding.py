"""Finding the file for a checkpoint: in a distribution, at a URL, or among the downloads."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from etils import epath

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.conversion import Shaped
from iqa_jax.weights.download import OtherFileError, UrlFile, file_sha256
from iqa_jax.weights.packages import PackageFile
from iqa_jax.zoo.entries import Conversion, Source
from iqa_jax.zoo.origins import CLAIMED, DOWNLOADED, PUBLISHED, First, Place


@dataclasses.dataclass(frozen=True)
class Target:
    """A checkpoint to make: its sources, the required shapes, and facts for its provenance."""

    name: str
    conversions: Sequence[Conversion]
    shapes: Mapping[str, Shaped]
    facts: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Found:
    """A file for a target, and how it was verified against the conversion's source."""

    conversion: Conversion
    path: epath.Path
    sha256: str
    verification: str


def find_package(target: Target, directory: epath.Path) -> Found:
    """The data file of an installed distribution.

    Raises:
      CheckpointError: If no distribution contains one, it is not installed, or its file differs
        from the registered one.
    """
    for conversion in target.conversions:
        if isinstance(conversion.source.file, PackageFile):
            path = conversion.source.file.find()
            return Found(conversion, path, check_hash(path, [conversion]), PUBLISHED)
    raise CheckpointError(f"no distribution contains {target.name}; fetch it with source=url")


def find_url(target: Target, directory: epath.Path) -> Found:
    """The file among the downloads; if missing, it is downloaded from the first URL that works.

    Raises:
      CheckpointError: If the file cannot be obtained or is not the registered one.
    """
    failures = []
    for conversion in target.conversions:
        if isinstance(conversion.source.file, UrlFile):
            try:
                place = Place(directory, target.name, conversion.source.file)
                return _download(conversion, place)
            except OtherFileError:
                raise
            except CheckpointError as error:
                failures.append(error)
    if failures:
        raise failures[0]
    raise CheckpointError(f"no URL is known for {target.name}; fetch it with source=package")


def _download(conversion: Conversion, place: Place) -> Found:
    file, sha256 = place.file, conversion.source.sha256
    if sha256:
        path = file.fetch(place.folder, sha256)
        return Found(conversion, path, file_sha256(path), PUBLISHED)
    first = place.first()
    is_by_hand = file.find(place.folder) is not None
    try:
        path = file.fetch(place.folder, first.sha256 if first else "")
    except OtherFileError as error:
        raise OtherFileError(f"{error}; {place.advice()}" if first else str(error)) from error
    first = first or First(file_sha256(path), CLAIMED if is_by_hand else DOWNLOADED)
    place.remember(first)
    return Found(conversion, path, first.sha256, first.verification)


def find_any(target: Target, directory: epath.Path) -> Found:
    """The data file of an installed distribution, otherwise a download."""
    try:
        return find_package(target, directory)
    except CheckpointError as error:
        kinds = {type(conversion.source.file) for conversion in target.conversions}
        if UrlFile not in kinds:
            raise
        try:
            return find_url(target, directory)
        except CheckpointError as failure:
            if PackageFile not in kinds:
                raise
            raise CheckpointError(f"{error}; or {failure}") from failure


FINDERS = {"auto": find_any, "package": find_package, "url": find_url}


def has_hash(sha256: str, conversion: Conversion) -> bool:
    """Whether this hash matches the one registered for the conversion."""
    return bool(conversion.source.sha256) and sha256.startswith(conversion.source.sha256)


def check_hash(path: epath.Path, conversions: Sequence[Conversion]) -> str:
    """The SHA-256 of a file, which must match one of the sources.

    Raises:
      CheckpointError: If it matches none, or the file cannot be read.
    """
    found = sha256_of(path)
    if not any(has_hash(found, conversion) for conversion in conversions):
        raise not_registered(path, found, conversions)
    return found


def not_registered(
    path: epath.Path, sha256: str, conversions: Sequence[Conversion]
) -> CheckpointError:
    """The error for a file that matches none of the sources.

    Args:
      path: The file.
      sha256: Its SHA-256.
      conversions: Conversions from the sources.
    """
    known = dict.fromkeys(_described(conversion.source) for conversion in conversions)
    return CheckpointError(
        f"{path}: is not the registered file: expected {' or '.join(known)}, found sha256 "
        f"{sha256}; to convert a checkpoint of your own, use iqa convert"
    )


def _described(source: Source) -> str:
    size = source.file.size if isinstance(source.file, UrlFile) else None
    return f"sha256 {source.sha256}" if source.sha256 else f"{size} bytes"


def sha256_of(path: epath.Path) -> str:
    """The SHA-256 of a file.

    Raises:
      CheckpointError: If it cannot be read.
    """
    try:
        return file_sha256(path)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error})") from error
