import numpy as np
import pytest
from etils import epath

from iqa_jax.datasets import load_dataset, read_joined_scores
from iqa_jax.errors import DatasetError


@pytest.fixture
def table(pair_folder):
    return load_dataset("csv", pair_folder / "pairs.csv").select(limit=3)


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


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "expected a column distorted"),
        ("distorted,score\na_1.png,1\n", "at least one column of distances"),
        ("name,d\na_1.png,1\n", "expected a column distorted"),
        (
            "distorted,d\na_1.png,1\na_2.png,1\n",
            "(?s)one row for every pair.*a_3.png: 0 rows",
        ),
        ("distorted,d\na_1.png,1\na_2.png,1\na_3.png,1\na_1.png,2\n", "a_1.png: 2 rows"),
        (
            "distorted,d\na_1.png,1\na_2.png,x\na_3.png,\n",
            "finite number for a_2.png, a_3.png",
        ),
    ],
)
def test_refuses_what_does_not_fit(tmp_path, table, text, complaint):
    with pytest.raises(DatasetError, match=complaint):
        read(tmp_path, table, text)


def test_no_such_file(tmp_path, table):
    with pytest.raises(DatasetError, match="there is no file"):
        read_joined_scores(epath.Path(tmp_path / "none.csv"), table)
