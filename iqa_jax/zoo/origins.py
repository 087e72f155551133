"""Whether a file is the one that its publisher means, and what a checkpoint says of that.

Where the publisher tells a hash, the file has to have it. Where not, the hash of the first file
that is fetched is recorded, in the checkpoint's provenance and as ``FILE.sha256.json`` in the
checkpoint's folder of downloads, and compared ever after.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from etils import epath

from iqa_jax.errors import CheckpointError
from iqa_jax.files import write_text
from iqa_jax.weights import checkpoints
from iqa_jax.weights.download import UrlFile
from iqa_jax.weights.packages import PackageFile
from iqa_jax.zoo.entries import Source

DOWNLOADS = "downloads"
"""Folder below that of the checkpoints in which original files are kept, a folder a checkpoint."""

PUBLISHED = "the publisher's sha256"
DOWNLOADED = "downloaded; the publisher tells no sha256"
CLAIMED = "the user's word; the publisher tells no sha256"
OWN = "a file of the user's own"


@dataclasses.dataclass(frozen=True)
class First:
    """The first file that was fetched for a source without a hash.

    Attributes:
      sha256: Of the file.
      verification: :data:`DOWNLOADED` or :data:`CLAIMED`.
    """

    sha256: str
    verification: str


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a file for a checkpoint is kept, and what is known of it there.

    Attributes:
      directory: The folder of all checkpoints.
      name: The checkpoint's name.
      file: One of its sources.
    """

    directory: epath.Path
    name: str
    file: UrlFile

    @property
    def folder(self) -> epath.Path:
        """That of the downloads. A folder each: VISSL calls many different files by one name."""
        return self.directory / DOWNLOADS / self.name

    @property
    def record(self) -> epath.Path:
        """Where the hash of the first file is recorded beside it."""
        return self.folder / f"{self.file.name}.sha256.json"

    def first(self) -> First | None:
        """What was fetched first; None if nothing was yet.

        Raises:
          CheckpointError: If the record is damaged.
        """
        if self.record.exists():
            try:
                return First(**json.loads(self.record.read_text()))
            except (ValueError, TypeError) as error:
                raise CheckpointError(
                    f"{self.record}: is damaged ({error}); delete it to trust what comes next"
                ) from error
        known = read_record(self.directory, self.name)
        if _is_unverified(known, self.file):
            return First(known["source_sha256"], known["verification"])
        return None

    def remember(self, first: First) -> None:
        """Records what was fetched first."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_text(self.record, json.dumps(dataclasses.asdict(first), indent=2) + "\n")

    def advice(self) -> str:
        """What to do where the file has become another one."""
        return (
            "its publisher tells no hash, so this one was recorded when it was first fetched; if "
            f"you trust the other file, delete {self.record} and {self.directory / self.name}"
        )


def read_record(directory: epath.Path, name: str) -> Mapping[str, Any]:
    """The provenance of a checkpoint; empty where there is none, or a damaged one."""
    try:
        return checkpoints.read_provenance(directory, name) or {}
    except CheckpointError:
        return {}


def is_of(record: Mapping[str, Any], source: Source) -> bool:
    """Whether a checkpoint with this provenance was made from ``source``."""
    if source.sha256:
        return str(record.get("source_sha256")).startswith(source.sha256)
    return _is_unverified(record, source.file)


def _is_unverified(record: Mapping[str, Any], file: UrlFile | PackageFile) -> bool:
    """Whether a checkpoint was made from what is taken for ``file``, without a hash of it."""
    is_meant = record.get("verification") in (DOWNLOADED, CLAIMED)
    return is_meant and record.get("source") == dataclasses.asdict(file)


def origin(source: Source, sha256: str, verification: str) -> dict[str, Any]:
    """What the provenance says of a file that is, or is taken for, that of ``source``.

    Args:
      source: What is registered.
      sha256: Of the file.
      verification: How it is known to be that file.
    """
    return {
        "source": dataclasses.asdict(source.file),
        "source_sha256": sha256,
        "verified": verification == PUBLISHED,
        "verification": verification,
        "licence": source.licence,
        "citation": source.citation,
    }


def own_origin(path: epath.Path, sha256: str) -> dict[str, Any]:
    """What the provenance says of a file that the user brings."""
    return {
        "source": {"file": path.name},
        "source_sha256": sha256,
        "verified": False,
        "verification": OWN,
        "licence": "",
        "citation": "",
    }
