import dataclasses
import itertools

import numpy as np
import pytest
from PIL import Image

from iqa_jax.datasets import inspect, load_dataset
from iqa_jax.engine.plan import feed, plan
from iqa_jax.errors import ImageError, InputError
from iqa_jax.images.decode import Header
from iqa_jax.images.resize import Resize


@pytest.fixture
def inspected(pair_folder):
    return inspect(load_dataset("csv", pair_folder / "pairs.csv"))


def rows(work):
    return [unit.rows for unit in work.units]


def test_units_hold_one_reference_and_stand_by_size(inspected):
    work = plan(*inspected, versions=3)
    assert work.versions == 3
    assert rows(work) == [(0, 1, 2), (3,), (6, 7, 8), (4, 5)]
    assert [unit.size for unit in work.units] == [(72, 80)] * 3 + [(64, 64)]
    assert [unit.number for unit in work.units] == [0, 1, 2, 3]
    assert work.sizes == [(72, 80), (64, 64)]


def test_the_largest_images_come_first(inspected):
    table, headers = inspected
    small_first = dataclasses.replace(table, pairs=table.pairs[4:])
    assert plan(small_first, headers).sizes == [(72, 80), (64, 64)]


def test_every_pair_is_in_one_unit(inspected):
    for versions in (None, 1, 2, 5, 100):
        work = plan(*inspected, versions=versions)
        assert sorted(row for unit in work.units for row in unit.rows) == list(range(9))
        assert plan(*inspected, versions=versions) == work


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
    assert plan(*uniform(*counts, size)).versions == expected


def test_versions_have_to_be_positive(inspected):
    with pytest.raises(InputError, match="versions: expected a positive number"):
        plan(*inspected, versions=0)


@pytest.mark.parametrize("places", [1, 2, 8])
def test_batches_hold_the_pixels_of_their_units(inspected, pair_folder, places):
    table, headers = inspected
    work = plan(table, headers, versions=2)
    seen = []
    for batch in feed(work, work.units, table, places=lambda height, width: places):
        assert batch.reference.shape[0] == batch.distorted.shape[0] == places
        assert batch.distorted.shape[1] == 2
        assert batch.reference.dtype == batch.distorted.dtype == np.uint8
        assert len({unit.size for unit in batch.units}) == 1
        for position, unit in enumerate(batch.units):
            seen += unit.rows
            for version, row in enumerate(unit.rows):
                pair = table.pairs[row]
                for name, found in (
                    (pair.reference, batch.reference[position]),
                    (pair.distorted, batch.distorted[position, version]),
                ):
                    np.testing.assert_array_equal(found, np.asarray(Image.open(pair_folder / name)))
            assert (batch.distorted[position, len(unit.rows) :] == 0).all()
        assert (batch.reference[len(batch.units) :] == 0).all()
    assert seen == [row for unit in work.units for row in unit.rows]


def test_feeds_only_what_is_wanted(inspected):
    table, headers = inspected
    work = plan(table, headers, versions=1)
    wanted = work.units[3:5]
    assert [
        u for b in feed(work, wanted, table, places=lambda height, width: 1) for u in b.units
    ] == list(wanted)
    assert list(feed(work, [], table, places=lambda height, width: 4)) == []


def test_resizes_plan_and_pixels(inspected):
    table, headers = inspected
    resize = Resize("exact:32x40")
    work = plan(table, headers, versions=4, resize=resize)
    assert work.sizes == [(32, 40)]
    batch = next(feed(work, work.units, table, places=lambda height, width: 1, resize=resize))
    assert batch.distorted.shape == (1, 4, 32, 40, 3)


@pytest.mark.parametrize("places", [1, 2])
def test_a_broken_image_is_named_after_the_batches_before_it(pair_folder, places):
    data = (pair_folder / "a_3.png").read_bytes()
    (pair_folder / "a_3.png").write_bytes(data[: len(data) // 2])
    table, headers = inspect(load_dataset("csv", pair_folder / "pairs.csv"))
    work = plan(table, headers, versions=1)
    batches = feed(work, work.units, table, places=lambda height, width: places)
    before = itertools.islice(batches, 2 // places)
    assert [unit.rows for batch in before for unit in batch.units] == [(0,), (1,)]
    with pytest.raises(ImageError, match="a_3.png: is damaged or cut short"):
        next(batches)


def test_an_image_that_changes_after_it_was_planned(inspected, pair_folder):
    table, headers = inspected
    work = plan(table, headers, versions=4)
    Image.fromarray(np.zeros((72, 80, 3), np.uint8)).save(pair_folder / "a_1.png")
    with pytest.raises(ImageError, match="a_1.png: was changed while it was in use"):
        next(feed(work, work.units, table, places=lambda height, width: 1))
    (batch, *_) = feed(work, work.units, table, places=lambda height, width: 1, tolerant=True)
    assert set(batch.failed) == {"a_1.png"}
    assert "was changed while it was in use" in batch.failed["a_1.png"]


def test_an_image_that_is_not_of_the_size_that_was_planned(inspected, pair_folder):
    table, headers = inspected
    work = plan(table, headers, versions=4)
    Image.fromarray(np.zeros((10, 12, 3), np.uint8)).save(pair_folder / "a_1.png")
    table = dataclasses.replace(table, images=table.images.source)
    with pytest.raises(ImageError, match=r"a_1.png: is \(10, 12\), expected \(72, 80\)"):
        next(feed(work, work.units, table, places=lambda height, width: 1))
