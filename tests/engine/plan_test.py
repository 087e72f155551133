import dataclasses

import numpy as np
import pytest

from iqa_jax.datasets import inspect, load_dataset
from iqa_jax.engine.plan import make_plan
from iqa_jax.errors import InputError
from iqa_jax.images import sources
from iqa_jax.images.decode import Header, decode_image
from iqa_jax.images.resize import Resize


@pytest.fixture
def inspected(pair_folder):
    return inspect(load_dataset("csv", data_dir=pair_folder / "pairs.csv"))


def rows(work):
    return [unit.rows for unit in work.units]


def test_units_hold_one_reference_and_are_grouped_by_size(inspected):
    work = make_plan(*inspected, versions=3)
    assert work.versions == 3
    assert rows(work) == [(0, 1, 2), (3,), (6, 7, 8), (4, 5)]
    assert [unit.size for unit in work.units] == [(72, 80)] * 3 + [(64, 64)]
    assert [unit.number for unit in work.units] == [0, 1, 2, 3]
    assert work.sizes == [(72, 80), (64, 64)]


def test_the_largest_images_come_first(inspected):
    table, headers = inspected
    small_first = dataclasses.replace(table, pairs=table.pairs[4:])
    assert make_plan(small_first, headers).sizes == [(72, 80), (64, 64)]


def test_every_pair_is_in_one_unit(inspected):
    for versions in (None, 1, 2, 5, 100):
        work = make_plan(*inspected, versions=versions)
        assert sorted(row for unit in work.units for row in unit.rows) == list(range(9))
        assert make_plan(*inspected, versions=versions) == work


def uniform(references, versions, size=(384, 512)):
    """A table and headers without files."""
    from etils import epath

    from iqa_jax.datasets import Pair, PairTable
    from iqa_jax.images.sources import ImageFolder

    pairs = [Pair(f"{r}", f"{r}-{v}", 0.0) for r in range(references) for v in range(versions)]
    headers = {
        name: Header(*size, 0) for pair in pairs for name in (pair.reference, pair.distorted)
    }
    table = PairTable("made", pairs, ImageFolder(epath.Path("/")), higher_is_better=True)
    return table, headers


@pytest.mark.parametrize(
    ("counts", "size", "expected"),
    [
        ((25, 120), (384, 512), 30),  # TID2013: 4 units a reference, nothing is padded
        ((81, 125), (384, 512), 25),  # KADID-10k: 5 x 26 passes, with 32 it were 4 x 33
        ((30, 28), (512, 512), 28),
        ((12, 35), (384, 512), 18),
        ((100, 1), (64, 64), 1),
        ((2, 40), (4000, 6000), 1),  # a unit of large photographs has to fit into memory
    ],
)
def test_automatic_versions_take_the_fewest_passes(counts, size, expected):
    assert make_plan(*uniform(*counts, size)).versions == expected


def test_versions_have_to_be_positive(inspected):
    with pytest.raises(InputError, match="versions: expected a positive number"):
        make_plan(*inspected, versions=0)


@pytest.mark.parametrize("resize", [None, Resize("exact:32x40")])
def test_decodes_once_for_several_passes(inspected, resize, monkeypatch):
    decoded = []

    def decode(data, name):
        decoded.append(name)
        return decode_image(data, name)

    work = make_plan(*inspected, resize=resize)
    expected = {name: work.pixels(name) for name in inspected[1]}
    monkeypatch.setattr(sources, "decode_image", decode)
    once = work.decoding_once(passes=3)
    for _ in range(3):
        for name, pixels in expected.items():
            np.testing.assert_array_equal(once.pixels(name), pixels)
    assert decoded == [*expected]


def test_nothing_is_kept_for_a_single_pass(inspected):
    work = make_plan(*inspected)
    assert work.decoding_once(passes=1) is work
