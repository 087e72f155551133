import dataclasses
import math

import pytest

from iqa_jax.datasets.table import Protocol
from iqa_jax.datasets.triplets import Triplet, TripletTable
from iqa_jax.images.sources import ImageFolder


@pytest.fixture
def table():
    return TripletTable(
        name="mine",
        triplets=[
            Triplet("r.png", "a.png", "b.png", 0.25, "blur", "cat"),
            Triplet("r.png", "c.png", "a.png", 1.0),
        ],
        images=ImageFolder(),
        licence="free",
        citation="Somebody, 2018",
        published_triplets=500,
    )


def test_two_rows_a_triplet_first_one_first(table):
    pairs = table.as_pairs().pairs
    assert [pair.distorted for pair in pairs] == ["a.png", "b.png", "c.png", "a.png"]
    assert {pair.reference for pair in pairs} == {"r.png"}
    assert [pair.score for pair in pairs] == [0.75, 0.25, 0.0, 1.0]
    assert [pair.distortion for pair in pairs] == ["blur", "blur", "", ""]
    assert all(math.isnan(pair.score_std) for pair in pairs)


def test_the_reference_is_the_content_unless_another_is_named(table):
    contents = [pair.reference_id for pair in table.as_pairs().pairs]
    assert contents == ["cat", "cat", "r.png", "r.png"]


def test_what_is_known_of_the_dataset_is_kept(table):
    pairs = table.as_pairs()
    assert (pairs.name, pairs.licence, pairs.citation) == ("mine", "free", "Somebody, 2018")
    assert pairs.images == table.images
    assert pairs.protocol is Protocol.TWO_ALTERNATIVES
    assert pairs.higher_is_better
    assert pairs.score_range == (0, 1)
    assert "preferred" in pairs.target


def test_the_published_number_counts_rows(table):
    assert table.as_pairs().published_pairs == 1000
    unknown = dataclasses.replace(table, published_triplets=None)
    assert unknown.as_pairs().published_pairs is None
