"""A small dataset with nothing wrong, for tests to damage."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from etils import epath
from PIL import Image

from iqa_jax.datasets import Pair, PairTable
from iqa_jax.images.sources import ImageFolder


@pytest.fixture
def table(tmp_path: Path, rng: np.random.Generator) -> PairTable:
    """Three references with four versions each: the more noise, the lower the score."""
    pairs = []
    for reference in "abc":
        pixels = rng.integers(0, 256, (12, 16, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{reference}.png")
        for level in range(1, 5):
            noisy = np.clip(pixels + rng.normal(0, 15 * level, pixels.shape), 0, 255)
            name = f"{reference}_{level}.png"
            Image.fromarray(noisy.astype(np.uint8)).save(tmp_path / name)
            pairs.append(Pair(f"{reference}.png", name, 5.0 - level, distortion="noise"))
    return PairTable(
        name="noisy",
        pairs=pairs,
        images=ImageFolder(epath.Path(tmp_path)),
        higher_is_better=True,
        score_range=(0.0, 9.0),
        licence="free",
        citation="Noise et al., 2024",
        published_pairs=12,
    )


@pytest.fixture
def replace_row():
    """A function that gives a table with one row changed."""

    def replace(table: PairTable, row: int, **changes) -> PairTable:
        pairs = [*table.pairs]
        pairs[row] = dataclasses.replace(pairs[row], **changes)
        return dataclasses.replace(table, pairs=pairs)

    return replace
