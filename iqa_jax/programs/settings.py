"""What the programs are asked for, as far as several of them ask for it."""

from collections.abc import Mapping
from dataclasses import dataclass

from iqa_jax.datasets import PairTable, inspect, load_dataset
from iqa_jax.images.decode import Header
from iqa_jax.images.resize import Resize


@dataclass(frozen=True, kw_only=True)
class DatasetSettings:
    """Which dataset; the flags of ``scripts/dataset_flags.py`` say what each field means."""

    dataset: str
    data_dir: str | None = None
    tfds_dir: str | None = None
    score_direction: str | None = None
    exclude_references: tuple[str, ...] = ()
    allow_partial: bool = False
    limit: int | None = None

    def inspect_dataset(self) -> tuple[PairTable, Mapping[str, Header]]:
        """Reads the table and the header of every image, and checks them.

        Returns:
          The pairs that can be scored, and the header of each of their images by name.

        Raises:
          DatasetError: If there is no such dataset, or a row of it cannot be scored.
        """
        listed = load_dataset(
            self.dataset,
            self.data_dir,
            tfds_dir=self.tfds_dir,
            allow_partial=self.allow_partial,
            score_direction=self.score_direction,
        ).select(exclude_references=self.exclude_references, limit=self.limit)
        return inspect(listed, leave_out_missing=self.allow_partial)


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """How models are run; the flags of ``scripts/program.py`` say what each field means."""

    checkpoints_dir: str | None = None
    precision: str = "highest"
    resize: str | None = None
    versions: int | None = None

    @property
    def parsed_resize(self) -> Resize | None:
        """What is done to every image first.

        Raises:
          InputError: If ``resize`` has no known form.
        """
        return Resize(self.resize) if self.resize else None
