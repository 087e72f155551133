"""Pairs in pieces, each a short table of its own, for a work that several processes share.

A piece is a range of consecutive rows, and all pieces together are the whole table in its order.
How a table is cut depends on the table alone. A list of pairs in a file is cut by bytes: a piece
holds the rows that begin within a range of them, so that any piece can be read without reading
those before it, however long the list is.
"""

import hashlib
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from etils import epath

from iqa_jax.datasets.adapters import csv_table
from iqa_jax.datasets.parsing import decode_text
from iqa_jax.datasets.table import PairTable
from iqa_jax.errors import DatasetError
from iqa_jax.images.sources import ImageFolder, ImageSource

_PIECES = 4096
"""Number of pieces that a long table is cut into."""

_LEAST_BYTES, _MOST_BYTES = 2**12, 2**20
_LEAST_ROWS, _MOST_ROWS = 64, 2**14
"""Limits of a piece: less is not worth the effort, and more takes long to be done again."""

_COLUMNS = ("reference", "distorted")


class Pieces(Protocol):
    """A table in pieces."""

    @property
    def count(self) -> int:
        """Number of pieces."""
        ...

    @property
    def signature(self) -> Mapping[str, Any]:
        """Description of the whole table and of how it is cut, as JSON."""
        ...

    @property
    def images(self) -> ImageSource:
        """Source of the images."""
        ...

    def table(self, number: int) -> PairTable:
        """The pairs of a piece.

        Raises:
          DatasetError: If it cannot be read.
        """
        ...


class TablePieces:
    """Pieces of a table in memory.

    Args:
      table: The table.
    """

    def __init__(self, table: PairTable):
        self._table = table
        rows = len(table.pairs)
        self._rows = min(max(_LEAST_ROWS, math.ceil(rows / _PIECES)), _MOST_ROWS)
        self.count = math.ceil(rows / self._rows)

    @property
    def signature(self) -> Mapping[str, Any]:
        """Number of rows, and a checksum of the names of their images."""
        sha256 = hashlib.sha256()
        for pair in self._table.pairs:
            sha256.update(repr(pair.image_names).encode())
        return {
            "rows": len(self._table.pairs),
            "sha256": sha256.hexdigest(),
            "rows of a piece": self._rows,
        }

    def table(self, number: int) -> PairTable:
        """The pairs of a piece."""
        start = number * self._rows
        return replace(self._table, pairs=self._table.pairs[start : start + self._rows])

    @property
    def images(self) -> ImageSource:
        """Source of the images."""
        return self._table.images


class ListPieces:
    """Pieces of one or several CSV files with the columns ``reference,distorted``.

    Image paths are relative to the folder of the files. Each row must be in one line.

    Args:
      paths: The files.

    Raises:
      DatasetError: If there is no file of this name, or the files are in different folders.
    """

    def __init__(self, paths: Sequence[epath.Path]):
        for path in paths:
            csv_table.check_file(path, required=_COLUMNS)
        check_one_folder(paths)
        self._paths = paths
        self._lengths = [path.stat().length for path in paths]
        whole = math.ceil(sum(self._lengths) / _PIECES)
        self._bytes = min(max(_LEAST_BYTES, whole), _MOST_BYTES)
        counts = (max(1, math.ceil(length / self._bytes)) for length in self._lengths)
        self._ends = list(itertools.accumulate(counts))

    @property
    def count(self) -> int:
        """Number of pieces of all files."""
        return self._ends[-1]

    @property
    def signature(self) -> Mapping[str, Any]:
        """Names and lengths of the files."""
        return {
            "lists": {
                path.name: length for path, length in zip(self._paths, self._lengths, strict=True)
            },
            "bytes of a piece": self._bytes,
        }

    @property
    def images(self) -> ImageSource:
        """The folder of the files."""
        return ImageFolder(self._paths[0].parent)

    def table(self, number: int) -> PairTable:
        """The pairs of a piece; none if no row begins in it.

        Raises:
          DatasetError: If the file has changed or is not such a table, or a row takes several
            lines.
        """
        file = next(file for file, end in enumerate(self._ends) if number < end)
        path = self._paths[file]
        if path.stat().length != self._lengths[file]:
            raise DatasetError(f"{path}: has changed since this run began; start again")
        first = self._ends[file - 1] if file else 0
        data = _read_piece(path, (number - first) * self._bytes, self._bytes)
        return csv_table.parse_table(decode_text(data, path), path, required=_COLUMNS)


def check_one_folder(paths: Sequence[epath.Path]) -> None:
    """Checks that lists of pairs name their images relative to the same folder.

    Raises:
      DatasetError: If two of them have the same path, or are in different folders.
    """
    if len({path.parent for path in paths}) > 1 or len(set(paths)) < len(paths):
        raise DatasetError(
            f"expected different lists of pairs in one folder, because their paths are relative to "
            f"it; found {', '.join(map(str, paths))}"
        )


def _read_piece(path: epath.Path, start: int, length: int) -> bytes:
    """The first row of a file, which names the columns, and the rows that begin in a range."""
    with path.open("rb") as file:
        header, position = b"", 0
        while not header.strip() and (header := file.readline()):
            position += len(header)
        if start >= max(position, 1):
            file.seek(start - 1)
            position = start - 1 + len(file.readline())
        lines = [header]
        while position < start + length and (line := file.readline()):
            position += len(line)
            lines.append(line)
    for line in lines:
        if line.count(b'"') % 2 or b"\r" in line.rstrip(b"\r\n"):
            raise DatasetError(
                f"{path}: a list that is read in pieces needs each row in a line of its own; put "
                f"--output=FILE.csv, or repair the line {line[:80]!r}"
            )
    return b"".join(lines)
