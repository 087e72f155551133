"""Tables of forced choice for tests, as the adapters of such datasets make them."""

from collections.abc import Iterable
from typing import NamedTuple

from iqa_jax.datasets.table import Pair, PairTable, Question
from iqa_jax.images.sources import ImageSource


class Triplet(NamedTuple):
    """A reference, two versions, and the share of observers who found the second nearer to it."""

    reference: str
    first: str
    second: str
    preference: float
    subset: str = ""
    reference_id: str = ""


def triplet_table(name: str, triplets: Iterable[Triplet], images: ImageSource) -> PairTable:
    """Two rows a triplet, the first version's first."""
    return PairTable(
        name=name,
        pairs=[
            Pair(
                triplet.reference,
                version,
                score=share,
                distortion=triplet.subset,
                reference_id=triplet.reference_id or triplet.reference,
            )
            for triplet in triplets
            for version, share in (
                (triplet.first, 1 - triplet.preference),
                (triplet.second, triplet.preference),
            )
        ],
        images=images,
        higher_is_better=True,
        score_range=(0.0, 1.0),
        protocol=Question.TWO_ALTERNATIVES,
    )
