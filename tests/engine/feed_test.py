import dataclasses
import itertools

import jax
import numpy as np
import pytest
from PIL import Image

from iqa_jax.datasets import inspect, load_dataset
from iqa_jax.engine.buffers import Buffers
from iqa_jax.engine.feed import read_batches
from iqa_jax.engine.plan import make_plan
from iqa_jax.errors import ImageError
from iqa_jax.images.resize import Resize


@pytest.fixture
def inspected(pair_folder):
    return inspect(load_dataset("csv", data_dir=pair_folder / "pairs.csv"))


@pytest.mark.parametrize("places", [1, 2, 8])
def test_batches_hold_the_pixels_of_their_units(inspected, pair_folder, places):
    table, headers = inspected
    work = make_plan(table, headers, versions=2)
    seen = []
    for batch in read_batches(work, work.units, places=lambda height, width: places):
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


def test_feeds_only_the_units_requested(inspected):
    table, headers = inspected
    work = make_plan(table, headers, versions=1)
    wanted = work.units[3:5]
    assert [
        u for b in read_batches(work, wanted, places=lambda height, width: 1) for u in b.units
    ] == list(wanted)
    assert list(read_batches(work, [], places=lambda height, width: 4)) == []


def test_resizes_plan_and_pixels(inspected):
    table, headers = inspected
    resize = Resize("exact:32x40")
    work = make_plan(table, headers, versions=4, resize=resize)
    assert work.sizes == [(32, 40)]
    batch = next(read_batches(work, work.units, places=lambda height, width: 1))
    assert batch.distorted.shape == (1, 4, 32, 40, 3)


@pytest.mark.parametrize("places", [1, 2])
def test_a_broken_image_is_named_after_the_batches_before_it(pair_folder, places):
    data = (pair_folder / "a_3.png").read_bytes()
    (pair_folder / "a_3.png").write_bytes(data[: len(data) // 2])
    table, headers = inspect(load_dataset("csv", data_dir=pair_folder / "pairs.csv"))
    work = make_plan(table, headers, versions=1)
    batches = read_batches(work, work.units, places=lambda height, width: places)
    before = itertools.islice(batches, 2 // places)
    assert [unit.rows for batch in before for unit in batch.units] == [(0,), (1,)]
    with pytest.raises(ImageError, match="a_3.png: is damaged or cut short"):
        next(batches)


def test_an_image_that_changes_after_it_was_planned(inspected, pair_folder):
    table, headers = inspected
    work = make_plan(table, headers, versions=4)
    Image.fromarray(np.zeros((72, 80, 3), np.uint8)).save(pair_folder / "a_1.png")
    with pytest.raises(ImageError, match="a_1.png: was changed while it was in use"):
        next(read_batches(work, work.units, places=lambda height, width: 1))
    (batch, *_) = read_batches(work, work.units, places=lambda height, width: 1, tolerant=True)
    assert set(batch.failed) == {"a_1.png"}
    assert "was changed while it was in use" in batch.failed["a_1.png"]


def test_an_image_whose_size_is_not_the_planned_one(inspected, pair_folder):
    table, headers = inspected
    unchecked = dataclasses.replace(table, images=table.images.source)
    work = make_plan(unchecked, headers, versions=4)
    Image.fromarray(np.zeros((10, 12, 3), np.uint8)).save(pair_folder / "a_1.png")
    with pytest.raises(ImageError, match=r"a_1.png: is \(10, 12\), expected \(72, 80\)"):
        next(read_batches(work, work.units, places=lambda height, width: 1))


class _UsedBuffers(Buffers):
    """Buffers whose memory was used before."""

    def array(self, shape):
        array = super().array(shape)
        array[...] = 255
        return array


def test_padding_and_broken_images_are_zeros_in_memory_that_was_used(pair_folder, monkeypatch):
    monkeypatch.setattr("iqa_jax.engine.feed.Buffers", _UsedBuffers)
    data = (pair_folder / "b_1.png").read_bytes()
    (pair_folder / "b_1.png").write_bytes(data[: len(data) // 2])
    table, headers = inspect(load_dataset("csv", data_dir=pair_folder / "pairs.csv"))
    work = make_plan(table, headers, versions=5)
    for batch in read_batches(work, work.units, places=lambda *_: 3, tolerant=True):
        for position, unit in enumerate(batch.units):
            for version, row in enumerate(unit.rows):
                is_broken = table.pairs[row].distorted == "b_1.png"
                assert (batch.distorted[position, version] == 0).all() == is_broken
            assert batch.reference[position].any()
            assert (batch.distorted[position, len(unit.rows) :] == 0).all()
        assert (batch.reference[len(batch.units) :] == 0).all()
        assert (batch.distorted[len(batch.units) :] == 0).all()


@pytest.mark.parametrize("place", [np.asarray, jax.device_put])
def test_batches_that_are_kept_stay_as_they_are_while_others_are_read(tmp_path, rng, place):
    images = rng.integers(0, 256, (40, 16, 16, 3), np.uint8)
    for number, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{number}.bmp")
    rows = [f"{number}.bmp,{number + 1}.bmp,0" for number in range(0, 40, 2)]
    (tmp_path / "pairs.csv").write_text("\n".join(["reference,distorted,score", *rows]) + "\n")
    table, headers = inspect(load_dataset("csv", data_dir=tmp_path / "pairs.csv"))
    work = make_plan(table, headers, versions=1)
    kept = {}
    for number, batch in enumerate(read_batches(work, work.units, places=lambda *_: 1, readers=2)):
        if number % 3 == 0:  # the memory of the others is used again
            kept[number] = place(batch.reference), place(batch.distorted)
        del batch
    for number, (reference, distorted) in kept.items():
        np.testing.assert_array_equal(reference[0], images[2 * number])
        np.testing.assert_array_equal(distorted[0, 0], images[2 * number + 1])
