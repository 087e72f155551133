import dataclasses
import math

import numpy as np
import pytest
from PIL import Image

from iqa_jax.datasets import fingerprint, inspect, load_dataset
from iqa_jax.errors import DatasetError


@pytest.fixture
def table(pair_folder):
    return load_dataset("csv", pair_folder / "pairs.csv")


def replace_row(table, row, **changes):
    pairs = [*table.pairs]
    pairs[row] = dataclasses.replace(pairs[row], **changes)
    return dataclasses.replace(table, pairs=pairs)


def test_headers_of_every_image(table):
    inspected, headers = inspect(table)
    assert inspected == table
    names = {name for pair in table.pairs for name in (pair.reference, pair.distorted)}
    assert set(headers) == names
    assert headers["b_1.png"][:2] == (64, 64)


def test_one_error_lists_every_row(table, pair_folder):
    (pair_folder / "a_2.png").unlink()
    (pair_folder / "a_3.png").write_bytes(b"not an image")
    Image.fromarray(np.zeros((72, 81, 3), np.uint8)).save(pair_folder / "a_4.png")
    (pair_folder / "c.png").unlink()
    with pytest.raises(DatasetError) as error:
        inspect(replace_row(table, 4, score=math.nan))
    message = str(error.value)
    assert "7 problems in 9 rows" in message
    for line in (
        "row 2: a_2.png: there is no such file",
        "row 3: a_3.png: is not an image",
        "row 4: a_4.png: is 81x72 pixels, its reference a.png 80x72",
        "row 5: b_1.png: has no finite score",
        "row 7: c.png: there is no such file",
        "row 8: c.png: there is no such file",
        "row 9: c.png: there is no such file",
    ):
        assert line in message
    assert "row 1:" not in message


def test_missing_images_can_be_left_out_but_nothing_else(table, pair_folder):
    (pair_folder / "a_2.png").unlink()
    (pair_folder / "b.png").unlink()
    kept, _ = inspect(table, leave_out_missing=True)
    names = "a_1.png a_3.png a_4.png c_1.png c_2.png c_3.png"
    assert [pair.distorted for pair in kept.pairs] == names.split()
    (pair_folder / "a_3.png").write_bytes(b"")
    with pytest.raises(DatasetError, match="a_3.png: is not an image"):
        inspect(table, leave_out_missing=True)


def test_nothing_left_is_an_error(table, pair_folder):
    for path in pair_folder.glob("*.png"):
        path.unlink()
    with pytest.raises(DatasetError, match="none of its images is there"):
        inspect(table, leave_out_missing=True)


def test_fingerprint_tells_data_apart(table, pair_folder):
    first = fingerprint(*inspect(table))
    assert first == fingerprint(*inspect(table))
    changed = replace_row(table, 0, score=1.0)
    assert fingerprint(*inspect(changed)) != first
    Image.fromarray(np.zeros((72, 80, 3), np.uint8)).save(pair_folder / "a_1.png")
    assert fingerprint(*inspect(table)) != first


def test_select(table):
    without = table.select(exclude_references=["a"])
    assert {pair.reference_id for pair in without.pairs} == {"b", "c"}
    assert table.select(limit=2).pairs == table.pairs[:2]
    with pytest.raises(DatasetError, match="no reference z; it has: a, b, c"):
        table.select(exclude_references=["z"])
    with pytest.raises(DatasetError, match="no pair is left"):
        table.select(exclude_references=["a", "b", "c"])
