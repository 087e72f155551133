"""Fixtures of the tests of datasets."""

from pathlib import Path

import pytest
from datasets import trees
from triplets import Triplet, triplet_table

from iqa_jax.datasets import PairTable, load_dataset


@pytest.fixture
def empty_image(tmp_path_factory: pytest.TempPathFactory) -> trees.SaveImage:
    """Makes empty images, quickly: all of them are links to one file."""
    image: Path = tmp_path_factory.mktemp("empty") / "image"
    image.touch()
    return trees.links_to(image)


@pytest.fixture
def table(pair_folder: Path) -> PairTable:
    """Nine pairs with three contents."""
    return load_dataset("csv", data_dir=pair_folder / "pairs.csv")


@pytest.fixture
def triplets(table: PairTable) -> PairTable:
    """Triplets of content a, b and c: 2, 1 and 1."""
    versions = ("a a_1 a_2", "a a_3 a_4", "b b_1 b_2", "c c_1 c_2")
    return triplet_table(
        name="triplets",
        triplets=[
            Triplet(
                *(f"{name}.png" for name in names.split()), preference=0.6, reference_id=names[0]
            )
            for names in versions
        ],
        images=table.images,
    )
