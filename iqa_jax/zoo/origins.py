"""Whether a file is the one its publisher intended, and how a checkpoint records this.

If the publisher gives a hash, the file must match it. If not, the hash of the first file fetched is
recorded, in the checkpoint's provenance and as ``FILE.sha256.json`` in the checkpoint's download
folder, and every later file is compared with it.
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
"""Subfolder of the checkpoints folder that keeps the original files, one folder per checkpoint."""

PUBLISHED = "the publisher's sha256"
DOWNLOADED = "downloaded; the publisher tells no sha256"
CLAIMED = "the user's word; the publisher tells no sha256"
OWN = "a file of the user's own"


@dataclasses.dataclass(frozen=True)
class First:
    """The first file fetched for a source without a hash.

    Attributes:
      sha256: SHA-256 of the file.
      verification: :data:`DOWNLOADED` or :data:`CLAIMED`.
    """

    sha256: str
    verification: str


@dataclasses.dataclass(frozen=True)
class Place:
    """Location of a checkpoint's original file and of the record of its hash.

    Attributes:
      directory: The folder of checkpoints.
      name: Name of the checkpoint.
      file: One of its sources.
    """

    directory: epath.Path
    name: str
    file: UrlFile

    @property
    def folder(self) -> epath.Path:
        """The checkpoint's own download folder, as VISSL gives many files the same name."""
        return self.directory / DOWNLOADS / self.name

    @property
    def record(self) -> epath.Path:
        """The file beside it that records the hash of the first file."""
        return self.folder / f"{self.file.name}.sha256.json"

    def first(self) -> First | None:
        """The first file fetched; None if none has been.

        Raises:
          CheckpointError: If the record is damaged.
        """
        if self.record.exists():
            try:
                return First(**json.loads(self.record.read_text()))
            except (ValueError, TypeError) as error:
                raise CheckpointError(
                    f"{self.record}: is damaged ({error}); delete it to trust the next download"
                ) from error
        known = read_record(self.directory, self.name)
        if _is_unverified(known, self.file):
            return First(known["source_sha256"], known["verification"])
        return None

    def remember(self, first: First) -> None:
        """Records the first file fetched."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_text(self.record, json.dumps(dataclasses.asdict(first), indent=2) + "\n")

    def advice(self) -> str:
        """Advice for a file that differs from the first one."""
        return (
            "its publisher gives no hash, so the expected one was recorded when the file was first "
            f"fetched; to accept this one, delete {self.record} and {self.directory / self.name}"
        )


def read_record(directory: epath.Path, name: str) -> Mapping[str, Any]:
    """The provenance of a checkpoint; empty if it is missing or damaged."""
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
    """Whether a checkpoint was made from ``file`` without a published hash."""
    is_meant = record.get("verification") in (DOWNLOADED, CLAIMED)
    return is_meant and record.get("source") == dataclasses.asdict(file)


def origin(source: Source, sha256: str, verification: str) -> dict[str, Any]:
    """Provenance of a file that is, or is believed to be, that of ``source``.

    Args:
      source: The registered source.
      sha256: SHA-256 of the file.
      verification: How the file was verified.
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
    """Provenance of a file supplied by the user."""
    return {
        "source": {"file": path.name},
        "source_sha256": sha256,
        "verified": False,
        "verification": OWN,
        "licence": "",
        "citation": "",
    }
