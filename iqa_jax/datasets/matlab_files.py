"""MATLAB files of versions 5 to 7.2: numeric matrices, text and cell arrays of text, nothing else.

A file is a header of 128 bytes followed by elements: a type, a length and that many bytes. A
variable is an element that holds others, compressed since version 7. Every length is checked
against the data before it is used, so a malicious file can do no more than be rejected.

MathWorks, MAT-File Format (R2023a), chapter 1, level 5.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping

import numpy as np
from etils import epath

from iqa_jax.datasets.parsing import read_bytes
from iqa_jax.errors import DatasetError

MOST_BYTES = 16 * 2**20
"""Limit on all variables together, uncompressed; those of LIVE have less than a hundredth of it."""

_HEADER = 128
_HDF5 = b"\x89HDF\r\n\x1a\n"
_ORDERS = {b"IM": "<", b"MI": ">"}
_LEVEL_5, _LEVEL_7_3 = 0x0100, 0x0200

_MATRIX, _COMPRESSED = 14, 15
_NUMBERS = {
    **{1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4"},
    **{9: "f8", 12: "i8", 13: "u8"},
}
"""Element type -> type of its numbers."""

_ENCODINGS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
"""Element type -> encoding of its characters; the file's byte order is added where there is one."""

_CELLS, _CHARACTERS = 1, 4
_IS_COMPLEX = 0x800
_OTHERS = {2: "a structure", 3: "an object", 5: "a sparse matrix"}
"""Classes of variables with the same beginning as the others, which are not read."""

_Value = np.ndarray | list[str] | str
"""Numbers as float64 in row order; texts in the same order; or a description of anything else."""


class _DamagedError(ValueError):
    """Damage to a file."""


class MatlabFile:
    """Variables of a MATLAB file (versions 5 to 7.2).

    Args:
      path: The file, which is read whole.

    Raises:
      DatasetError: If the file is not a valid MATLAB file, has another version, or its variables
        have more than :data:`MOST_BYTES`.
    """

    def __init__(self, path: epath.Path):
        self._path = path
        try:
            self._variables: Mapping[str, _Value] = _variables(read_bytes(path))
        except (ValueError, zlib.error) as error:
            raise DatasetError(f"{path}: is not a valid MATLAB file ({error})") from error

    def __contains__(self, name: str) -> bool:
        return name in self._variables

    def numbers(self, name: str) -> list[float]:
        """Elements of the numeric array ``name``.

        Raises:
          DatasetError: If there is no such variable, or it is not numeric.
        """
        value = self._find(name)
        if not isinstance(value, np.ndarray):
            found = value if isinstance(value, str) else "text"
            raise DatasetError(f"{self._path}: expected numbers in {name}, found {found}")
        return value.tolist()

    def texts(self, name: str) -> list[str]:
        """Elements of ``name``, a cell array of texts or a character matrix.

        Raises:
          DatasetError: If there is no such variable, or it holds anything else.
        """
        value = self._find(name)
        if not isinstance(value, list):
            raise DatasetError(f"{self._path}: expected text in every cell of {name}")
        return [text.strip() for text in value]

    def _find(self, name: str) -> _Value:
        if name not in self._variables:
            raise DatasetError(
                f"{self._path}: expected the variable {name}, "
                f"found {', '.join(self._variables) or 'nothing'}"
            )
        return self._variables[name]


class _Elements:
    """Consecutive elements."""

    def __init__(self, data: bytes, order: str):
        self._data = data
        self._position = 0
        self.order = order

    def __bool__(self) -> bool:
        return self._position < len(self._data)

    def next(self) -> tuple[int, bytes]:
        """Type and bytes of the next element."""
        (kind,) = struct.unpack(f"{self.order}I", self._take(4))
        if kind >> 16:  # a short element: its length is here too, and four bytes follow
            length, kind = kind >> 16, kind & 0xFFFF
            if length > 4:
                raise _DamagedError(f"a short element has {length} bytes")
            return kind, self._take(4)[:length]
        (length,) = struct.unpack(f"{self.order}I", self._take(4))
        content = self._take(length)
        if kind != _COMPRESSED:
            self._position += -length % 8
        return kind, content

    def numbers(self) -> np.ndarray:
        """The numbers of the next element."""
        kind, content = self.next()
        if kind not in _NUMBERS or len(content) % np.dtype(_NUMBERS[kind]).itemsize:
            raise _DamagedError(
                f"an element of type {kind} and {len(content)} bytes holds no numbers"
            )
        return np.frombuffer(content, self.order + _NUMBERS[kind])

    def text(self) -> str:
        """The characters of the next element."""
        kind, content = self.next()
        if kind not in _ENCODINGS:
            raise _DamagedError(f"an element of type {kind} holds no characters")
        encoding = _ENCODINGS[kind]
        if encoding in ("utf-16", "utf-32"):
            encoding += {"<": "-le", ">": "-be"}[self.order]
        return content.decode(encoding)

    def _take(self, count: int) -> bytes:
        taken = self._data[self._position : self._position + count]
        if len(taken) < count:
            raise _DamagedError(f"an element of {count} bytes is cut short after {len(taken)}")
        self._position += count
        return taken


def _variables(data: bytes) -> dict[str, _Value]:
    found: dict[str, _Value] = {}
    for content, order in _matrices(data):
        name, value = _matrix(_Elements(content, order))
        if name in found:
            raise _DamagedError(f"the variable {name} appears twice")
        if name:  # MATLAB's internal variables have none
            found[name] = value
    return found


def _matrices(data: bytes) -> Iterator[tuple[bytes, str]]:
    """Uncompressed bytes of every variable, and their byte order."""
    order = _byte_order(data)
    elements, room = _Elements(data[_HEADER:], order), MOST_BYTES
    while elements:
        kind, content = elements.next()
        if kind == _COMPRESSED:
            kind, content = _Elements(_uncompressed(content, room), order).next()
        if kind != _MATRIX:
            raise _DamagedError(f"expected a variable, found an element of type {kind}")
        room -= len(content)
        if room < 0:
            raise _DamagedError(f"its variables have more than {MOST_BYTES:,} bytes")
        yield content, order


def _byte_order(data: bytes) -> str:
    version, mark = 0, data[126:128]
    if mark in _ORDERS:
        (version,) = struct.unpack(f"{_ORDERS[mark]}H", data[124:126])
    again = "; load it in MATLAB and save it with '-v7'"
    if version == _LEVEL_7_3 or data.startswith(_HDF5):
        raise _DamagedError(f"it has version 7.3, which is HDF5{again}")
    if mark not in _ORDERS and 0 in data[:4] and len(data) > 4:
        raise _DamagedError(f"it has version 4{again}")
    if version != _LEVEL_5:
        raise _DamagedError("its header is not that of version 5")
    return _ORDERS[mark]


def _uncompressed(content: bytes, most: int) -> bytes:
    stream = zlib.decompressobj()
    data = stream.decompress(content, most + _HEADER)
    if len(data) > most:
        raise _DamagedError(f"its variables have more than {MOST_BYTES:,} bytes")
    if not stream.eof:  # the checksum is compared at the end only
        raise _DamagedError("a compressed variable is cut short")
    return data


def _matrix(elements: _Elements, *, in_cell: bool = False) -> tuple[str, _Value]:
    """Name and value of a variable, or of a cell, whose name is empty."""
    if not elements:
        return "", np.zeros(0)  # an empty cell
    flags = elements.numbers()
    if len(flags) != 2 or flags.dtype.kind != "u":
        raise _DamagedError("a variable does not state its class")
    kind = int(flags[0]) & 0xFF
    if kind not in (*_READERS, *_OTHERS):
        return "", f"a variable of class {kind}"
    shape, name = elements.numbers(), elements.text()
    if kind in _OTHERS or len(shape) != 2 or (kind == _CELLS and in_cell):
        return name, _OTHERS.get(kind, f"a variable of class {kind} in {len(shape)} dimensions")
    if int(flags[0]) & _IS_COMPLEX:
        return name, "complex numbers"
    if shape.dtype.kind != "i" or shape.min() < 0:
        raise _DamagedError(f"a variable has the shape {shape}")
    value = _READERS[kind](elements, *shape.tolist())
    if elements:
        raise _DamagedError("a variable holds more than its shape states")
    return name, value


def _numbers(elements: _Elements, rows: int, columns: int) -> np.ndarray:
    numbers = elements.numbers()
    if numbers.size != rows * columns:
        raise _DamagedError(f"a matrix of {rows}x{columns} has {numbers.size} numbers")
    return numbers.astype(np.float64).reshape((rows, columns), order="F").ravel()


def _rows(elements: _Elements, rows: int, columns: int) -> list[str]:
    """Rows of a character matrix, which is stored by columns."""
    text = elements.text() if elements else ""
    if len(text) != rows * columns:
        raise _DamagedError(f"a matrix of {rows}x{columns} has {len(text)} characters")
    return [text[row::rows] for row in range(rows)] if text else []


def _cells(elements: _Elements, rows: int, columns: int) -> list[str] | str:
    """Texts of a cell array, in row order."""
    cells: list[_Value] = []
    while len(cells) < rows * columns:
        kind, content = elements.next()
        if kind != _MATRIX:
            raise _DamagedError(f"expected a cell, found an element of type {kind}")
        cells.append(_matrix(_Elements(content, elements.order), in_cell=True)[1])
    texts = [cell[0] for cell in cells if isinstance(cell, list) and len(cell) == 1]
    if len(texts) < len(cells):
        return "cells that hold something other than text"
    return [text for row in range(rows) for text in texts[row::rows]] if texts else []


_READERS = {_CELLS: _cells, _CHARACTERS: _rows, **dict.fromkeys(range(6, 16), _numbers)}
"""Class of a variable -> reader of its value."""
