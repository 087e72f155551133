"""The pair table: what every dataset becomes before anything is computed."""

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
    """What the observers were asked."""

    OPINION = "opinion"
    """How good the distorted image is."""

    TWO_ALTERNATIVES = "two alternatives"
    """Which of two versions is nearer to the reference. The two stand in rows 2i and 2i + 1; the
    score of each is the share of observers who preferred it."""

    SAME_OR_DIFFERENT = "same or different"
    """Whether the two images are the same; the score is the share who said so."""

    @property
    def rows(self) -> int:
        """How many rows, one after the other, belong to one judgement."""
        return 2 if self is Question.TWO_ALTERNATIVES else 1


@dataclass(frozen=True)
class Pair:
    """A reference, a distorted version of it, and what people thought of that.

    Attributes:
      reference: Name of the reference image in the dataset's folder.
      distorted: Name of the distorted image.
      score: Mean (or mean difference) opinion score.
      score_std: Standard deviation of the opinions; NaN if not published.
      distortion: Type of the distortion; empty if unknown.
      level: Strength of the distortion, counted within its type; empty if unknown.
      reference_id: What the reference shows; pairs with the same content share it.
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
        """The names of its two images."""
        return self.reference, self.distorted


@dataclass(frozen=True)
class PairTable:
    """A dataset of pairs.

    Attributes:
      name: Of the dataset.
      pairs: In the dataset's own order.
      images: Where the images are.
      higher_is_better: Direction of the scores.
      score_range: Least and greatest score of the scale; NaN where it has no ends.
      licence: As the publisher states it.
      citation: The publication.
      target: What the scores are, in words for tables and figures.
      published_pairs: Number of pairs of the whole dataset; None where there is no such number.
      pairs_left_out: Number of pairs that are not here because an image of theirs is missing.
      protocol: What the observers were asked.
      opinions: Number of opinions behind each score, where ``score_std`` is that of single
        opinions; 1 where it is that of their mean already; NaN where it is unknown which.
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
        """The names of all images, each once, in the order in which the rows name them."""
        return list(dict.fromkeys(name for pair in self.pairs for name in pair.image_names))

    def select(
        self, *, exclude_references: Collection[str] = (), limit: int | None = None
    ) -> "PairTable":
        """The table without some contents, or the first pairs of it; no judgement is divided.

        Args:
          exclude_references: ``reference_id`` of the contents to leave out.
          limit: Number of pairs to keep.

        Raises:
          DatasetError: If a content to be left out is not there, or nothing remains.
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
    """SHA-256 over all of a table that results depend on, in the order of its rows.

    That is the headers and treatment of the images, what the observers were asked and how their
    scores run, and of each pair everything that is known. Names of image files count in lower case:
    copies of one dataset differ in it.

    Args:
      table: The dataset.
      headers: Of each of its images, by name.
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
