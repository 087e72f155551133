import dataclasses

import numpy as np
import pytest
from engine.store import made_up

from iqa_jax.engine.store import StatisticsStore
from iqa_jax.errors import ImageError, InputError
from iqa_jax.revisions import REVISIONS

MODEL = made_up.SIGNATURE["model"]


@pytest.fixture
def table():
    return made_up.make_table()


@pytest.fixture
def folder(table, tmp_path):
    made_up.fill(made_up.make_writer(tmp_path, table, made_up.ARRAYS[:4]), table)
    return tmp_path


def test_a_store_in_a_bucket(table, folder, bucket):
    with pytest.raises(InputError, match="it has: nothing"):
        StatisticsStore.open(bucket, MODEL)
    made_up.fill(made_up.make_writer(bucket, table, made_up.ARRAYS[:4]), table, units=3)
    continued = made_up.make_writer(bucket, table, made_up.ARRAYS[:4])
    made_up.fill(continued, table)
    stores = [StatisticsStore.open(place, MODEL) for place in (folder, bucket)]
    assert stores[0].signature == stores[1].signature
    for layer, statistic in made_up.ARRAYS[:4]:
        local, other = (store.read(layer, statistic) for store in stores)
        np.testing.assert_array_equal(local, other)


def inside(folder, pattern):
    (path,) = folder.glob(f"mixed/*/{pattern}")
    return path


def test_statistics_of_an_earlier_revision_are_not_read(folder, monkeypatch):
    monkeypatch.setitem(REVISIONS, "statistic/gram_error", 7)
    with pytest.raises(InputError, match="was made before statistic/gram_error changed; delete it"):
        StatisticsStore.open(folder, MODEL)
    with pytest.raises(InputError, match="was made before statistic/gram_error changed; delete it"):
        StatisticsStore.open(folder / "mixed", MODEL)


def test_a_store_without_revisions_is_not_read(table, tmp_path, monkeypatch):
    monkeypatch.delitem(made_up.SIGNATURE, "revisions")
    made_up.fill(made_up.make_writer(tmp_path, table, made_up.ARRAYS[:1]), table)
    with pytest.raises(InputError, match="was made before revisions were recorded; delete it"):
        StatisticsStore.open(tmp_path, MODEL)


def test_contents_of_a_store(folder, table):
    store = StatisticsStore.open(folder, MODEL)
    assert store.model == MODEL
    assert store.dataset == "mixed"
    assert store.signature == made_up.SIGNATURE
    assert store.layers == ("input", "block/1")
    assert list(store.model_layers) == ["input", "block/1", "last"]
    assert store.model_layers == made_up.LAYERS
    assert set(store.arrays) == set(made_up.ARRAYS[:4])
    assert not store.is_whole("last", "gram_error")


def test_the_folder_of_a_dataset_is_enough(folder):
    found = StatisticsStore.open(folder / "mixed", MODEL)
    assert found.path == StatisticsStore.open(folder, MODEL).path


def test_the_table_is_that_of_the_dataset(folder, table):
    found = StatisticsStore.open(folder, MODEL).table
    for one, other in zip(found.pairs, table.pairs, strict=True):
        assert repr(one) == repr(other)  # with every digit, and NaN
    for field in dataclasses.fields(table):
        if field.name not in ("pairs", "images"):
            assert repr(getattr(found, field.name)) == repr(getattr(table, field.name))
    with pytest.raises(ImageError, match="do not include the images"):
        found.images.read("r 1.png")


def test_positions_are_those_of_the_image_of_each_pair(folder, table):
    store = StatisticsStore.open(folder, MODEL)
    wide = np.array([len(pair.reference) % 2 == 0 for pair in table.pairs])
    np.testing.assert_array_equal(store.positions("block/1"), np.where(wide, 6, 4))
    np.testing.assert_array_equal(store.positions("input"), np.where(wide, 96, 81))
    with pytest.raises(InputError, match="has no layer block/2; it has: input, block/1, last"):
        store.positions("block/2")


def test_missing_arrays_and_layers_are_errors(folder):
    store = StatisticsStore.open(folder, MODEL)
    complaint = "has no gram_error of last; it has squared_error, gram_error of input, block/1; add"
    with pytest.raises(InputError, match=complaint):
        store.read("last", "gram_error")
    with pytest.raises(InputError, match="has no layer relu1"):
        store.read("relu1", "gram_error")


def test_other_models_and_datasets_are_listed(folder, table):
    complaint = "has no statistics of vgg16; it has: mixed/mine.py:net; .*--models=vgg16"
    with pytest.raises(InputError, match=complaint):
        StatisticsStore.open(folder, "vgg16")
    with pytest.raises(InputError, match="on tid2013; it has"):
        StatisticsStore.open(folder, MODEL, dataset="tid2013")
    with pytest.raises(InputError, match="it has: nothing"):
        StatisticsStore.open(folder / "nowhere", MODEL)
    (folder / "mixed").rename(folder / "other")
    made_up.make_writer(folder, table)
    with pytest.raises(
        InputError, match="on 2 datasets, mixed, other; name one of them as dataset"
    ):
        StatisticsStore.open(folder, MODEL)
    assert StatisticsStore.open(folder, MODEL, dataset="mixed").layers == tuple(made_up.LAYERS)


def test_an_unfinished_store_is_an_error(table, tmp_path):
    made_up.fill(made_up.make_writer(tmp_path, table), table, units=12)
    store = StatisticsStore.open(tmp_path, MODEL)
    assert not store.is_whole("input", "squared_error")
    with pytest.raises(
        InputError, match=r"unfinished \(3 of 4 chunks of rows missing\); run iqa extract"
    ):
        store.read("input", "squared_error")


def cut(path):
    path.write_bytes(path.read_bytes()[:-7])


def change(path):
    data = bytearray(path.read_bytes())
    data[5] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("damage", [cut, change])
def test_a_damaged_chunk_is_an_error(damage, folder):
    damage(inside(folder, "squared_error/block%2F1/c/1/0"))
    store = StatisticsStore.open(folder, MODEL)
    store.read("block/1", "gram_error")
    with pytest.raises(InputError, match=r"cannot be used \(.*c/1/0.*\); delete the damaged array"):
        store.read("block/1", "squared_error")


@pytest.mark.parametrize(
    ("damage", "file"), [(cut, "zarr.json"), (cut, "pairs.csv"), (change, "pairs.csv")]
)
def test_a_damaged_record_is_an_error(damage, file, folder):
    damage(inside(folder, file))
    with pytest.raises(InputError, match="not a statistics store, or a damaged one"):
        StatisticsStore.open(folder, MODEL)


def test_an_array_of_another_shape_is_an_error(folder):
    path = inside(folder, "squared_error/input/zarr.json")
    path.write_bytes(inside(folder, "squared_error/block%2F1/zarr.json").read_bytes())
    with pytest.raises(InputError, match='input: cannot be used .*"shape"'):
        StatisticsStore.open(folder, MODEL).read("input", "squared_error")


def test_zeros_and_not_a_number_are_values(table, tmp_path):
    writer = made_up.make_writer(tmp_path, table, [("last", "squared_error")])
    for unit in made_up.make_plan(table).units:
        writer.add(unit.rows, {"last/squared_error": np.array([[0, np.nan]] * 3, np.float32)})
    writer.finish()
    found = StatisticsStore.open(tmp_path, MODEL).read("last", "squared_error")
    assert (found[:, 0] == 0).all()
    assert np.isnan(found[:, 1]).all()
