"""Forced choice: a reference, two versions of it, and how many observers preferred the second."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from iqa_jax.datasets.table import Pair, PairTable, Protocol
from iqa_jax.images.sources import ImageSource


@dataclass(frozen=True)
class Triplet:
    """One judgement.

    Attributes:
      reference: Name of the reference image.
      first: Name of the one version.
      second: Name of the other.
      preference: Share of the observers, in [0, 1], who found the second nearer to the reference.
      subset: Which part of the dataset it belongs to.
      reference_id: What the reference shows; empty for its name.
    """

    reference: str
    first: str
    second: str
    preference: float
    subset: str = ""
    reference_id: str = ""


@dataclass(frozen=True)
class TripletTable:
    """A dataset of triplets.

    Attributes:
      name: Of the dataset.
      triplets: In the dataset's own order.
      images: Where the images are.
      licence: As the publisher states it.
      citation: The publication.
      published_triplets: Number of triplets of the whole dataset; None where there is no number.
    """

    name: str
    triplets: Sequence[Triplet]
    images: ImageSource
    licence: str = ""
    citation: str = ""
    published_triplets: int | None = None

    def as_pairs(self) -> PairTable:
        """The same as pairs of a reference and a version, two rows a triplet, first one first.

        The score of a row is the share of observers who preferred its version; the subset stands as
        its distortion.
        """
        published = self.published_triplets
        return PairTable(
            name=self.name,
            pairs=[pair for triplet in self.triplets for pair in _pairs(triplet)],
            images=self.images,
            higher_is_better=True,
            score_range=(0.0, 1.0),
            licence=self.licence,
            citation=self.citation,
            target="share of observers who preferred the version",
            published_pairs=None if published is None else 2 * published,
            protocol=Protocol.TWO_ALTERNATIVES,
        )


def _pairs(triplet: Triplet) -> Iterator[Pair]:
    shares = (1 - triplet.preference, triplet.preference)
    for version, share in zip((triplet.first, triplet.second), shares, strict=True):
        yield Pair(
            reference=triplet.reference,
            distorted=version,
            score=share,
            score_std=math.nan,
            distortion=triplet.subset,
            reference_id=triplet.reference_id or triplet.reference,
        )
