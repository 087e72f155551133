"""Small datasets with judgements, and scores that agree with them."""

import numpy as np

from iqa_jax.agreement.columns import Column
from iqa_jax.datasets import Pair, PairTable
from iqa_jax.datasets.table import Question
from iqa_jax.images.sources import ImageFolder

COLUMNS = (
    Column("net/a/l2", "net", "a", 0, 0.0, "l2"),
    Column("net/b/l2", "net", "b", 1, 1.0, "l2"),
    Column("psnr", "psnr", higher_is_better=True),
)


def opinions(rng):
    """Six references with two distortions at three levels; published uncertainty."""
    pairs = [
        Pair(f"r{r}", f"r{r}{d}{v}", 6 - v + rng.normal(0, 0.5), 0.3, d, str(v), f"r{r}")
        for r in range(6)
        for d in ("blur", "noise")
        for v in (1, 2, 3)
    ]
    return PairTable("made", pairs, ImageFolder(), higher_is_better=True, opinions=4)


def choices(rng):
    """Twenty triplets in two subsets."""
    pairs = []
    for number in range(20):
        share = round(rng.uniform(), 1)
        subset = "cnn" if number % 2 else "mix"
        for version, score in (("a", 1 - share), ("b", share)):
            reference = f"r{number}"
            pairs.append(
                Pair(
                    reference,
                    f"{version}{number}",
                    score,
                    distortion=subset,
                    reference_id=reference,
                )
            )
    return PairTable(
        "forced",
        pairs,
        ImageFolder(),
        higher_is_better=True,
        protocol=Question.TWO_ALTERNATIVES,
    )


def scores_of(table, rng):
    """Raw scores of :data:`COLUMNS`: two distances and a similarity."""
    human = np.array([pair.score for pair in table.pairs])
    return {
        column.name: (10 + 5 * (column.name == "psnr") * human - human * (column.name != "psnr"))
        + rng.normal(0, 0.5, len(human))
        for column in COLUMNS
    }
