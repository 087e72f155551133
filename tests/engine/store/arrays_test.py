import json

import numpy as np
import pytest
from etils import epath

from iqa_jax.engine.store.arrays import StoredArray, location, rows_in_chunk
from iqa_jax.errors import InputError


@pytest.fixture
def path(tmp_path):
    return epath.Path(tmp_path) / "statistics" / "layer"


def test_rows_in_chunk():
    assert [rows_in_chunk(rows) for rows in (1, 16, 4096, 4097, 300_000)] == [16, 16, 16, 17, 1172]


def test_chunks_appear_when_they_are_written(path, rng):
    values = rng.normal(size=(40, 3)).astype(np.float32)
    array = StoredArray(path, (40, 3), {"made_with": {"jax": "0.8"}})
    assert array.chunks == 3
    for number, chunk in enumerate((1, 0, 2)):
        assert len(array.written()) == number
        assert not array.is_whole()
        array.start_writing(chunk, values[array.rows_of(chunk)])()
        assert chunk in array.written()
    found = StoredArray(path, (40, 3))
    assert found.is_whole()
    np.testing.assert_array_equal(found.read(), values)
    assert found.attributes == {"made_with": {"jax": "0.8"}}


def test_an_existing_array_keeps_its_attributes(path):
    StoredArray(path, (40, 3), {"made_with": "this"})
    assert StoredArray(path, (40, 3), {"made_with": "that"}).attributes == {"made_with": "this"}


def test_other_tools_find_zarr_of_version_3(path):
    StoredArray(path, (40, 3), {})
    metadata = json.loads((path / "zarr.json").read_text())
    assert metadata["zarr_format"] == 3
    assert metadata["node_type"] == "array"
    assert metadata["data_type"] == "float32"
    assert [codec["name"] for codec in metadata["codecs"]] == ["bytes", "crc32c"]


def test_a_missing_array_is_an_error(path):
    with pytest.raises(InputError, match="layer: cannot be used .*does not exist"):
        StoredArray(path, (40, 3))


def test_locations():
    assert location(epath.Path("/some/where")) == {"driver": "file", "path": "/some/where/"}
    expected = {"driver": "gcs", "bucket": "mine", "path": "some/where/"}
    assert location(epath.Path("gs://mine/some/where")) == expected
