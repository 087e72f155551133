"""Comparison with SciPy on the files that it writes; and untrusted files."""

import io
import struct
import zlib

import h5py
import numpy as np
import pytest
import scipy.io
from datasets.damage import count_refused
from etils import epath

from iqa_jax.datasets import matlab_files
from iqa_jax.datasets.matlab_files import MatlabFile
from iqa_jax.errors import DatasetError


@pytest.fixture
def path(tmp_path):
    return epath.Path(tmp_path / "scores.mat")


def cells(*rows):
    array = np.empty((len(rows), len(rows[0])), object)
    for row, texts in enumerate(rows):
        array[row] = texts
    return array


VARIABLES = {
    "dmos_new": np.linspace(-2.6, 111.8, 30).reshape(1, 30),
    "orgs": np.array([[True, False, True]]),
    "matrix": np.arange(6.0).reshape(2, 3),
    "single": np.array([[0.1, 0.2]], np.float32),
    "empty": np.zeros((0, 5)),
    **{f"of_{kind}": np.array([[1, 2, 77]], kind) for kind in "bBhHiIqQ"},
    "refnames_all": cells(["a.bmp", "ein längerer name.bmp", "c.bmp"]),
    "distimgs": cells(["a.bmp"], ["b_7.bmp"]),
    "table": cells(["a", "b"], ["c", "d"]),
    "letters": ["ab ", "cde"],
    "word": "ä.bmp",
    "structure": {"a": 1.0},
    "complex": np.array([[1 + 2j]]),
    "cube": np.zeros((2, 2, 2)),
    "mixed": cells(["a", 1.0]),
    "nested": cells([cells(["a"])]),
    "blank": cells([""]),
    "no_cells": np.empty((0, 0), object),
}
NUMBERS = [
    *("dmos_new", "orgs", "matrix", "single", "empty"),
    *(name for name in VARIABLES if name.startswith("of_")),
]
TEXTS = ["refnames_all", "distimgs", "table", "letters", "word", "no_cells"]


@pytest.mark.parametrize("do_compression", [False, True])
def test_agrees_with_scipy(path, do_compression):
    scipy.io.savemat(path, VARIABLES, do_compression=do_compression)
    file, expected = MatlabFile(path), scipy.io.loadmat(path)
    for name in NUMBERS:
        assert file.numbers(name) == expected[name].ravel().tolist(), name
        with pytest.raises(DatasetError, match=f"expected text in every cell of {name}"):
            file.texts(name)
    for name in TEXTS:
        texts = [str(np.asarray(each).item()).strip() for each in expected[name].ravel()]
        assert file.texts(name) == texts, name
        with pytest.raises(DatasetError, match=f"expected numbers in {name}, found text"):
            file.numbers(name)


@pytest.mark.parametrize("do_compression", [False, True])
def test_unsupported_variables_are_named(path, do_compression):
    scipy.io.savemat(path, VARIABLES, do_compression=do_compression)
    file = MatlabFile(path)
    found = {
        "structure": "a structure",
        "complex": "complex numbers",
        "cube": "a variable of class 6 in 3 dimensions",
        "mixed": "cells that hold something other than text",
        "nested": "cells that hold something other than text",
        "blank": "cells that hold something other than text",
    }
    for name, what in found.items():
        with pytest.raises(DatasetError, match=f"expected numbers in {name}, found {what}"):
            file.numbers(name)
        with pytest.raises(DatasetError, match=f"expected text in every cell of {name}"):
            file.texts(name)
    with pytest.raises(DatasetError, match="the variable dmos, found dmos_new, orgs, matrix"):
        file.numbers("dmos")
    assert "dmos_new" in file
    assert "dmos" not in file
    assert "__header__" not in file


def element(kind, content, order=">"):
    return struct.pack(f"{order}2I", kind, len(content)) + content + bytes(-len(content) % 8)


def header(order=">", version=0x0100):
    mark = {">": b"MI", "<": b"IM"}[order]
    return b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack(f"{order}H", version) + mark


def variable(name, content, *, shape, kind=6):
    flags = element(6, struct.pack(">2I", kind, 0))
    dimensions = element(5, np.array(shape, ">i4").tobytes())
    return element(14, flags + dimensions + element(1, name) + content)


def test_the_other_byte_order(path):
    numbers = element(9, np.array([1.5, -2.5], ">f8").tobytes())
    letters = element(4, "ä.bmp".encode("utf-16-be"))
    data = header() + variable(b"dmos", numbers, shape=(1, 2))
    path.write_bytes(data + variable(b"name", letters, shape=(1, 5), kind=4))
    expected = scipy.io.loadmat(io.BytesIO(path.read_bytes()))
    file = MatlabFile(path)
    assert file.numbers("dmos") == expected["dmos"].ravel().tolist() == [1.5, -2.5]
    assert file.texts("name") == ["ä.bmp"]  # SciPy mistakes the byte order here


def test_unsupported_versions(path):
    scipy.io.savemat(path, {"dmos": np.arange(3.0)}, format="4")
    with pytest.raises(DatasetError, match=r"has version 4; load it in MATLAB and save it"):
        MatlabFile(path)
    with h5py.File(path, "w", userblock_size=512) as file:
        file["dmos"] = [1.0]
    path.write_bytes(header("<", 0x0200) + path.read_bytes()[128:])
    with pytest.raises(DatasetError, match=r"has version 7.3, which is HDF5; load it in"):
        MatlabFile(path)
    with h5py.File(path, "w") as file:
        file["dmos"] = [1.0]
    with pytest.raises(DatasetError, match="which is HDF5"):
        MatlabFile(path)


ONE = element(9, struct.pack(">d", 1.5))


@pytest.mark.parametrize(
    ("content", "complaint"),
    {
        "numbers": (variable(b"a", ONE, shape=(1, 3)), "a matrix of 1x3 has 1 numbers"),
        "huge": (variable(b"a", ONE, shape=(2**31 - 1,) * 2), "has 1 numbers"),
        "negative": (variable(b"a", ONE, shape=(-1, -1)), "has the shape"),
        "more": (variable(b"a", ONE + ONE, shape=(1, 1)), "holds more than its shape states"),
        "cells": (variable(b"a", b"", shape=(2**31 - 1,) * 2, kind=1), "cut short after 0"),
        "cell": (variable(b"a", ONE, shape=(1, 1), kind=1), "expected a cell, found"),
        "letters": (variable(b"a", ONE, shape=(1, 1), kind=4), "holds no characters"),
        "twice": (2 * variable(b"a", ONE, shape=(1, 1)), "variable a appears twice"),
        "bare": (ONE, "expected a variable, found an element of type 9"),
        "length": (struct.pack(">2I", 14, 2**32 - 1), "element of 4294967295 bytes is cut"),
        "short": (struct.pack(">I", 5 << 16 | 14) + b"abcd", "a short element has 5 bytes"),
        "damaged": (element(15, b"x" * 16), "Error -3"),
        "checksum": (
            element(15, zlib.compress(variable(b"a", ONE, shape=(1, 1)))[:-1] + b"x"),
            "Error -3",
        ),
        "cut": (element(15, zlib.compress(variable(b"a", ONE, shape=(1, 1)))[:-4]), "is cut short"),
        "bomb": (element(15, zlib.compress(bytes(2**25))), "more than 16,777,216 bytes"),
    }.values(),
    ids=lambda case: None,
)
def test_lies_are_refused(path, content, complaint):
    path.write_bytes(header() + content)
    with pytest.raises(DatasetError, match="is not a valid MATLAB file") as error:
        MatlabFile(path)
    assert complaint in str(error.value)


def test_no_cells_of_many_rows(path):
    path.write_bytes(header() + variable(b"a", b"", shape=(2**31 - 1, 0), kind=1))
    assert MatlabFile(path).texts("a") == []


def test_bytes_of_many_variables_are_counted_together(path, monkeypatch):
    scipy.io.savemat(path, {"a": np.zeros(100), "b": np.zeros(100)}, do_compression=True)
    for most, is_refused in ((1800, False), (1700, True)):
        monkeypatch.setattr(matlab_files, "MOST_BYTES", most)
        if is_refused:
            with pytest.raises(DatasetError, match="variables have more than 1,700 bytes"):
                MatlabFile(path)
        else:
            assert MatlabFile(path).numbers("b") == [0.0] * 100


@pytest.mark.parametrize("do_compression", [False, True])
@pytest.mark.parametrize("kept", [1, 100, 127, 140, 150, 200, 0.5, 0.99])
def test_files_cut_short(path, rng, kept, do_compression):
    scipy.io.savemat(path, {"scores": rng.normal(size=200)}, do_compression=do_compression)
    data = path.read_bytes()
    path.write_bytes(data[: kept if kept >= 1 else int(kept * len(data))])
    with pytest.raises(DatasetError, match="is not a valid MATLAB file"):
        MatlabFile(path)


@pytest.mark.parametrize("do_compression", [False, True])
def test_changed_bytes_are_read_or_refused(path, rng, do_compression):
    kept = ("dmos_new", "orgs", "refnames_all", "distimgs", "letters", "mixed", "structure")
    scipy.io.savemat(path, {name: VARIABLES[name] for name in kept}, do_compression=do_compression)

    def read():
        found = MatlabFile(path)
        found.numbers("dmos_new")
        found.texts("refnames_all")

    assert 50 < count_refused(path, read, rng, 500) < 500
