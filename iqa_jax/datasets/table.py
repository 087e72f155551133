"""The pair table: the form into which every dataset is read before anything is computed."""

import hashlib
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from iqa_jax.errors import DatasetError
from iqa_jax.images.decode import Header
from iqa_jax.images.sources import ImageSource


class Question(StrEnum):
    """Question put to the observers."""

    OPINION = "opinion"
    """How good is the distorted image?"""

    TWO_ALTERNATIVES = "two alternatives"
    """Which of two versions is nearer to the reference? The two are in rows 2i and 2i + 1; the
    score of each is the share of observers who preferred it."""

    SAME_OR_DIFFERENT = "same or different"
    """Are the two images the same? The score is the share of observers who said so."""

    @property
    def rows(self) -> int:
        """Number of consecutive rows that belong to one judgement."""
        return 2 if self is Question.TWO_ALTERNATIVES else 1


@dataclass(frozen=True)
class Pair:
    """A reference, a distorted version of it, and its human score.

    Attributes:
      reference: Name of the reference image in the dataset's folder.
      distorted: Name of the distorted image.
      score: Mean (or mean difference) opinion score.
      score_std: Standard deviation of the opinions; NaN if not published.
      distortion: Type of the distortion; empty if unknown.
      level: Strength of the distortion, counted within its type; empty if unknown.
      reference_id: Name of the content that the reference shows; pairs with the same content share
        it.
    """

    reference: str
    distorted: str
    score: float
    score_std: float = math.nan
    distortion: str = ""
    level: str = ""
    reference_id: str = ""

    @property
    def image_names(self) -> tuple[str, str]:
        """Names of its two images."""
        return self.reference, self.distorted


@dataclass(frozen=True)
class PairTable:
    """A dataset of pairs.

    Attributes:
      name: Name of the dataset.
      pairs: Pairs in the dataset's own order.
      images: Source of the images.
      higher_is_better: Direction of the scores.
      score_range: Lowest and highest score of the scale; NaN where it has no ends.
      licence: Licence as the publisher states it.
      citation: Publication of the dataset.
      target: Meaning of the scores, in words for tables and figures.
      published_pairs: Number of pairs of the complete dataset; None if there is no such number.
      pairs_left_out: Number of pairs left out because one of their images is missing.
      protocol: Question put to the observers.
      opinions: Number of opinions behind each score if ``score_std`` is that of single opinions; 1
        if it is already that of their mean; NaN if unknown.
    """

    name: str
    pairs: Sequence[Pair]
    images: ImageSource
    higher_is_better: bool
    score_range: tuple[float, float] = (math.nan, math.nan)
    licence: str = ""
    citation: str = ""
    target: str = "mean opinion score"
    published_pairs: int | None = None
    pairs_left_out: int = 0
    protocol: Question = Question.OPINION
    opinions: float = math.nan

    @property
    def reference_count(self) -> int:
        """Number of different references."""
        return len({pair.reference_id for pair in self.pairs})

    @property
    def image_names(self) -> list[str]:
        """Names of all images, each once, in order of first appearance in the rows."""
        return list(dict.fromkeys(name for pair in self.pairs for name in pair.image_names))

    def select(
        self, *, exclude_references: Collection[str] = (), limit: int | None = None
    ) -> "PairTable":
        """The table without some contents, or only its first pairs; no judgement is divided.

        Args:
          exclude_references: ``reference_id`` of the contents to leave out.
          limit: Maximum number of pairs to keep.

        Raises:
          DatasetError: If a content to leave out is not in the table, or nothing remains.
        """
        contents = {pair.reference_id for pair in self.pairs}
        unknown = [content for content in exclude_references if content not in contents]
        if unknown:
            raise DatasetError(
                f"{self.name} has no reference {', '.join(unknown)}; "
                f"it has: {', '.join(sorted(contents))}"
            )
        pairs = [pair for pair in self.pairs if pair.reference_id not in exclude_references]
        if limit is not None:
            pairs = pairs[: limit - limit % self.protocol.rows]
        if not pairs:
            raise DatasetError(f"{self.name}: no pair is left to score")
        return replace(self, pairs=pairs)


def fingerprint(table: PairTable, headers: Mapping[str, Header]) -> str:
    """SHA-256 over everything in a table that results depend on, in the order of its rows.

    It covers the headers and treatment of the images, the protocol, the direction of the scores,
    the number of opinions, and all fields of each pair. Names of image files are put in lower case,
    because copies of a dataset differ in case.

    Args:
      table: The dataset.
      headers: Header of each of its images, by name.
    """
    facts = (table.protocol, table.higher_is_better, float(table.opinions), table.images.treatment)
    sha256 = hashlib.sha256(json.dumps(facts).encode())
    for pair in table.pairs:
        said = vars(pair) | {
            "reference": pair.reference.lower(),
            "distorted": pair.distorted.lower(),
            "score": float(pair.score),
            "score_std": float(pair.score_std),
        }
        row = (said, *(headers[name] for name in pair.image_names))
        sha256.update(json.dumps(row, sort_keys=True).encode())
    return sha256.hexdigest()
