import tempfile

import numpy as np
import openpyxl
import pytest
import scipy.io
from etils import epath

from iqa_jax.datasets import parsing
from iqa_jax.errors import DatasetError


@pytest.fixture
def path(tmp_path):
    return epath.Path(tmp_path / "scores")


def save_sheet(path, rows):
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    workbook.save(path)


def test_lines(path):
    path.write_bytes(b"\xef\xbb\xbf 5 a.bmp\r\n\r\n6  b.bmp \r\n")
    assert parsing.read_lines(path) == ["5 a.bmp", "6  b.bmp"]
    path.write_text(" \n\n")
    with pytest.raises(DatasetError, match="scores: has no rows"):
        parsing.read_lines(path)


def test_columns_of_a_csv(path):
    path.write_text("Image, score, note\na.png, 1.5\n\nb.png,2,x,y\n")
    assert parsing.read_csv(path, ["score", "image"]) == [
        {"image": "a.png", "score": "1.5", "note": ""},
        {"image": "b.png", "score": "2", "note": "x"},
    ]
    with pytest.raises(DatasetError, match="has no column mos, std; found image, score, note"):
        parsing.read_csv(path, ["mos", "std", "score"])
    path.write_text("image,score\n")
    with pytest.raises(DatasetError, match="no rows below its header"):
        parsing.read_csv(path, ["score"])


def test_a_csv_field_without_end(path):
    path.write_text('image,score\n"' + "x" * 200_000)
    with pytest.raises(DatasetError, match="is not a table of comma-separated values"):
        parsing.read_csv(path, ["score"])


def test_columns_of_a_sheet(path):
    save_sheet(
        path,
        [
            ["made by"],
            [],
            [None, "Image", "note", "score"],
            [None, 1600, "x", 0.25],
            [None] * 4,
            [None, "b", None, None],
            [None, None, "only a note", None],
            [None, "c", "", "text"],
        ],
    )
    assert parsing.read_sheet(path, "Sheet", ["image", "score"]) == [
        {"image": "1600", "score": "0.25"},
        {"image": "b", "score": ""},
        {"image": "c", "score": "text"},
    ]
    with pytest.raises(DatasetError, match="expected the sheet other, found Sheet"):
        parsing.read_sheet(path, "other", ["image"])
    with pytest.raises(DatasetError, match="no row with the headers image, mos in Sheet"):
        parsing.read_sheet(path, "Sheet", ["image", "mos"])


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.95])
def test_workbooks_cut_short(path, kept):
    save_sheet(path, [["image", "score"], ["a", 1.0]])
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data))])
    with pytest.raises(DatasetError, match="is not a whole Excel workbook"):
        parsing.read_sheet(path, "Sheet", ["image", "score"])


def test_variables_of_a_matlab_file(path):
    cells = np.empty((2, 1), object)
    cells[:, 0] = ["a.bmp", "b.bmp"]
    variables = {"scores": np.array([[1.5, 2.5]]), "flags": np.array([[True, False]])}
    scipy.io.savemat(path, variables | {"names": cells, "letters": ["ab ", "cd "]})
    file = parsing.MatlabFile(path)
    assert "scores" in file
    assert "__header__" not in file
    assert file.numbers("scores") == [1.5, 2.5]
    assert file.numbers("flags") == [1.0, 0.0]
    assert file.texts("names") == ["a.bmp", "b.bmp"]
    assert file.texts("letters") == ["ab", "cd"]
    with pytest.raises(DatasetError, match="the variable dmos, found scores, flags"):
        file.numbers("dmos")
    with pytest.raises(DatasetError, match="expected numbers in names"):
        file.numbers("names")
    with pytest.raises(DatasetError, match="expected a text in every cell of scores"):
        file.texts("scores")


@pytest.mark.parametrize("kept", [1, 100, 150, 200, 1000])
def test_matlab_files_cut_short(path, kept):
    scipy.io.savemat(path, {"scores": np.arange(200.0)}, do_compression=False)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DatasetError, match="is not a whole MATLAB file|the variable scores"):
        parsing.MatlabFile(path).numbers("scores")


def test_a_compressed_matlab_file_cut_short(path, rng):
    scipy.io.savemat(path, {"scores": rng.normal(size=200)}, do_compression=True)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DatasetError, match="is not a whole MATLAB file"):
        parsing.MatlabFile(path)


def test_files_that_cannot_be_read(tmp_path):
    empty, loop, folder = (epath.Path(tmp_path / name) for name in ("empty", "loop", "folder"))
    empty.touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    folder.mkdir()
    for read in (
        parsing.read_text,
        parsing.read_lines,
        parsing.MatlabFile,
        lambda path: parsing.read_csv(path, ["score"]),
        lambda path: parsing.read_sheet(path, "Sheet", ["score"]),
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
def test_names_that_are_not_of_files_alone(path, name):
    with pytest.raises(DatasetError, match="scores: expected the names of files without folders"):
        parsing.plain_name(name, path)


def test_names_of_files(path):
    for name in ("a.png", "a b.png", "..a.png", "é.png", "1600"):
        assert parsing.plain_name(name, path) == name


def test_many_refused_rows_are_not_all_listed(path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(path.parent))
    parsing.refuse_rows(path, "A B", [])
    with pytest.raises(
        DatasetError, match=r"30 rows of another form; expected A B, found"
    ) as error:
        parsing.refuse_rows(path, "A B", [f"row {number}" for number in range(30)])
    assert len(str(error.value).splitlines()) == 22
    assert "and 10 more; all are in " in str(error.value)
