import math
import tempfile

import pytest
from etils import epath

from iqa_jax.datasets import parsing
from iqa_jax.datasets.matlab_files import MatlabFile
from iqa_jax.datasets.workbooks import read_sheet
from iqa_jax.errors import DatasetError


@pytest.fixture
def path(tmp_path):
    return epath.Path(tmp_path / "scores")


def test_lines(path):
    path.write_bytes(b"\xef\xbb\xbf 5 a.bmp\r\n\r\n6  b.bmp \r\n")
    assert parsing.read_lines(path) == ["5 a.bmp", "6  b.bmp"]
    path.write_text(" \n\n")
    with pytest.raises(DatasetError, match="scores: has no rows"):
        parsing.read_lines(path)


def test_files_that_cannot_be_read(tmp_path):
    empty, loop, folder = (epath.Path(tmp_path / name) for name in ("empty", "loop", "folder"))
    empty.touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    folder.mkdir()
    assert not parsing.read_text(empty)
    for read in (
        parsing.read_lines,
        MatlabFile,
        lambda path: read_sheet(path, "Sheet", ["score"]),
    ):
        with pytest.raises(DatasetError, match="empty: is empty"):
            read(empty)
        with pytest.raises(DatasetError, match="loop: cannot be read .*symbolic links"):
            read(loop)
        with pytest.raises(DatasetError, match="folder: cannot be read"):
            read(folder)
    (tmp_path / "binary").write_bytes(b"\x89PNG\xff")
    with pytest.raises(DatasetError, match="binary: is not text in UTF-8"):
        parsing.read_text(epath.Path(tmp_path / "binary"))


@pytest.mark.parametrize("name", ["", ".", "..", "../a.png", "a/b.png", "a\\b.png", "a\0.png"])
def test_names_that_are_not_mere_file_names(path, name):
    with pytest.raises(DatasetError, match="scores: expected file names without folders"):
        parsing.plain_name(name, path)


def test_names_of_files(path):
    for name in ("a.png", "a b.png", "..a.png", "é.png", "1600"):
        assert parsing.plain_name(name, path) == name


def test_many_refused_rows_are_not_all_listed(path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(path.parent))
    parsing.refuse_rows(path, "A B", [])
    with pytest.raises(DatasetError, match=r"30 malformed rows; expected A B, found") as error:
        parsing.refuse_rows(path, "A B", [f"row {number}" for number in range(30)])
    assert len(str(error.value).splitlines()) == 22
    assert "and 10 more; all are in " in str(error.value)


def test_numbers_as_people_write_them():
    assert [parsing.number_or_nan(text) for text in ("1.5", " 2 ", "1e-3")] == [1.5, 2.0, 1e-3]
    assert all(math.isnan(parsing.number_or_nan(text)) for text in ("", "good", "1_5", "1,5"))
