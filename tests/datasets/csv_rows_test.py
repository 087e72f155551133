import tempfile

import pytest
from etils import epath

from iqa_jax.datasets.csv_rows import read_columns, read_rows
from iqa_jax.errors import DatasetError


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = epath.Path(tmp_path) / "table.csv"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def read(write):
    return lambda text: read_rows(write(text))


def test_rows_by_column(read):
    names, rows = read('\ufeffa, b c,\n1,"2, 3",\n\n4\n5, 6\n')
    assert names == ["a", "b c"]
    assert rows == [{"a": "1", "b c": "2, 3"}, {"a": "4", "b c": ""}, {"a": "5", "b c": "6"}]


def test_row_numbers_are_skipped(read):
    assert read(",a\n0,x\n1,y\n") == (["a"], [{"a": "x"}, {"a": "y"}])


def test_an_empty_file_has_no_columns(read):
    assert read("") == read("\n \n") == ([], [])


def test_required_columns(write):
    path = write("a,b\n1,2\n")
    assert read_rows(path, required=["b"]) == (["a", "b"], [{"a": "1", "b": "2"}])
    with pytest.raises(DatasetError, match="no column c, B; expected a,c,B, found a,b"):
        read_rows(path, required=["a", "c", "B"])
    with pytest.raises(DatasetError, match="no column a; expected a, found nothing"):
        read_rows(write(""), required=["a"])


def test_published_columns_in_any_case(write):
    path = write("Image, Score ,note\n a.png , 1.5\n\nb.png,2,x\n")
    assert read_columns(path, ["score", "image"]) == [
        {"image": "a.png", "score": "1.5", "note": ""},
        {"image": "b.png", "score": "2", "note": "x"},
    ]
    with pytest.raises(DatasetError, match="no column mos, std; expected mos,std, found image,sc"):
        read_columns(path, ["mos", "std"])
    with pytest.raises(DatasetError, match="line 2: has more cells than the header"):
        read_columns(write("image,score\na.png,2,y\n"), ["score"])
    with pytest.raises(DatasetError, match="no rows below its header"):
        read_columns(write("image,score\n"), ["score"])


def test_unreadable_files_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="cannot be read"):
        read_rows(epath.Path(tmp_path))


def test_every_problem_is_listed(read):
    with pytest.raises(DatasetError) as error:
        read("a,b,,b,a,a\n1,2,3,4,5,6\n1,2,,4,5,6,,7\n1,2,,4,5,6,,\n")
    message = str(error.value)
    assert "4 problems:" in message
    for line in ("3 columns are called a;", "2 columns are called b;", "line 2: ", "line 3: "):
        assert f"\n  {line}" in message


def test_many_problems_are_cut_and_all_written_to_a_file(read, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(DatasetError) as error:
        read("a\n" + "1,2\n" * 30)
    assert f"and 10 more; all are in {tmp_path}" in str(error.value)


def test_an_unclosed_quote_is_refused(read):
    with pytest.raises(DatasetError, match=r"table.csv: line \d+: is not valid CSV"):
        read("a\n" + "x" * 200_000 + "\n")
