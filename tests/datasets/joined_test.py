from dataclasses import replace

import numpy as np
import pytest
from etils import epath

from iqa_jax.datasets import load_dataset, read_joined_scores
from iqa_jax.errors import DatasetError


@pytest.fixture
def table(pair_folder):
    return load_dataset("csv", data_dir=pair_folder / "pairs.csv").select(limit=3)


def read(tmp_path, table, text):
    (tmp_path / "theirs.csv").write_text(text)
    return read_joined_scores(epath.Path(tmp_path / "theirs.csv"), table)


def test_rows_find_their_pairs_by_name(tmp_path, table):
    found = read(
        tmp_path,
        table,
        "distorted,ours,theirs,score,error\n"
        "elsewhere/A_2.PNG,2,0.2,9,\na_3.png,3,0.3,9,\na_1.png,1,0.1,9,\nother.png,7,0.7,9,\n",
    )
    assert list(found) == ["ours", "theirs"]
    np.testing.assert_array_equal(found["ours"], [1, 2, 3])
    np.testing.assert_array_equal(found["theirs"], [0.1, 0.2, 0.3])


def shown_twice(table, *folders):
    """The pairs of a table in several folders, with the same file names in each."""
    pairs = [
        replace(pair, distorted=f"{folder}/{pair.distorted}")
        for folder in folders
        for pair in table.pairs
    ]
    return replace(table, pairs=pairs)


ROWS = "distorted,d\n{0}a_1.png,1\n{0}a_2.png,2\n{0}a_3.png,3\n"


def test_no_pair_borrows_the_row_of_another_with_the_same_file_name(tmp_path, table):
    both = shown_twice(table, "blur", "jpeg")
    with pytest.raises(
        DatasetError, match=r"(?s) 3 exceptions among 6 pairs:\n  blur/a_1.png: 0 rows.*a_3.png"
    ):
        read(tmp_path, both, ROWS.format("jpeg/"))
    with pytest.raises(DatasetError, match=r" 6 exceptions among 6 pairs:\n  blur/a_1.png: 0 rows"):
        read(tmp_path, both, ROWS.format(""))
    whole = ROWS.format("jpeg\\") + "./Blur/a_1.png,4\nblur//a_2.PNG,5\nblur/a_3.png,6\n"
    assert read(tmp_path, both, whole)["d"].tolist() == [4, 5, 6, 1, 2, 3]


def test_a_unique_file_name_is_enough_if_no_folder_contradicts(tmp_path, table):
    blurred = shown_twice(table, "blur")
    for folder in ("", "blur/", "/data/x/blur/"):
        assert read(tmp_path, blurred, ROWS.format(folder))["d"].tolist() == [1, 2, 3]
    with pytest.raises(DatasetError, match="3 exceptions among 3 pairs"):
        read(tmp_path, blurred, ROWS.format("jpeg/"))
    with pytest.raises(DatasetError, match="a_2.png: 2 rows"):
        read(tmp_path, table, ROWS.format("") + "x/a_1.png,7\n" + "x/a_2.png,7\na_2.png,7\n")


def test_the_first_twenty_of_many_pairs_are_listed(tmp_path, table):
    many = shown_twice(table, *map(str, range(10)))
    with pytest.raises(
        DatasetError, match=r"30 exceptions among 30 pairs:(\n  \d/a_\d.png: 0 rows){20}\n.*10 more"
    ):
        read(tmp_path, many, ROWS.format(""))


def test_a_comma_at_the_end_of_every_line_is_harmless(tmp_path, table):
    text = ROWS.format("").replace("\n", ",\n")
    assert {name: each.tolist() for name, each in read(tmp_path, table, text).items()} == {
        "d": [1, 2, 3]
    }


def test_files_that_are_not_utf8_are_refused(tmp_path, table):
    (tmp_path / "theirs.csv").write_bytes("distorted,schärfe\na_1.png,1\n".encode("latin-1"))
    with pytest.raises(DatasetError, match="theirs.csv: is not text in UTF-8"):
        read_joined_scores(epath.Path(tmp_path / "theirs.csv"), table)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "has no column distorted; expected distorted, found nothing"),
        ("distorted,score\na_1.png,1\n", "at least one column of scores"),
        ("distorted,d,d\na_1.png,1,2\n", "2 columns are called d"),
        (ROWS.format("") + "a_4.png,1,5\n", "line 5: has more cells than the header has names"),
        ("distorted,d,\na_1.png,1,5\n", "line 2: has more cells than the header has names"),
        ("name,d\na_1.png,1\n", "has no column distorted; expected distorted, found name,d"),
        (
            "distorted,d\na_1.png,1\na_2.png,1\n",
            r"one row for every pair.* 1 exception among 3 pairs:\n  a_3.png: 0 rows",
        ),
        ("distorted,d\na_1.png,1\na_2.png,1\na_3.png,1\na_1.png,2\n", "a_1.png: 2 rows"),
        (
            "distorted,d\na_1.png,1\na_2.png,x\na_3.png,\n",
            "(?s)2 scores without a finite value:\n  d of a_2.png: x\n  d of a_3.png: nothing",
        ),
    ],
)
def test_refuses_invalid_tables(tmp_path, table, text, complaint):
    with pytest.raises(DatasetError, match=complaint):
        read(tmp_path, table, text)


def test_a_missing_file(tmp_path, table):
    with pytest.raises(DatasetError, match="there is no file"):
        read_joined_scores(epath.Path(tmp_path / "none.csv"), table)
