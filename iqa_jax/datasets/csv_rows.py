"""Tables of comma-separated values that people write: rows by the names of their columns."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence

from etils import epath

from iqa_jax.datasets.parsing import read_text
from iqa_jax.errors import DatasetError, listed


def read_cells(path: epath.Path) -> list[tuple[int, list[str]]]:
    """The rows of a table, each with the number of its last line; empty lines are left out.

    Args:
      path: The file.

    Raises:
      DatasetError: If the file cannot be read, or is no table of text in UTF-8.
    """
    reader = csv.reader(io.StringIO(read_text(path), newline=""), skipinitialspace=True)
    try:
        return [(reader.line_num, cells) for cells in reader if cells]
    except csv.Error as error:
        raise DatasetError(
            f"{path}: line {reader.line_num}: is not comma-separated values ({error})"
        ) from error


def read_rows(path: epath.Path) -> tuple[list[str], list[dict[str, str]]]:
    """Reads a table whose first row names the columns.

    Spaces before a cell and empty lines are left out, and so are columns without a name: empty ones
    that a comma at the end of lines makes, and a first one that numbers the rows.

    Args:
      path: The file.

    Returns:
      The names of the columns, none of an empty file; and the rows by them. What a row lacks at its
      end is empty.

    Raises:
      DatasetError: As :func:`read_cells`, or if two columns have one name, or a cell belongs to no
        column; one error lists all such.
    """
    numbered = read_cells(path)
    if not numbered:
        return [], []
    (_, header), *rows = numbered
    problems = [*_repeated(header), *_stray(header, rows)]
    if problems:
        raise DatasetError(f"{path}: {listed(problems, 'problems')}")
    named = [(position, name) for position, name in enumerate(header) if name]
    return [name for _, name in named], [
        {name: cells[position] if position < len(cells) else "" for position, name in named}
        for _, cells in rows
    ]


def _repeated(header: Sequence[str]) -> Iterator[str]:
    for name, count in Counter(filter(None, header)).items():
        if count > 1:
            yield f"{count} columns are called {name}; expected names that differ"


def _stray(header: Sequence[str], rows: Sequence[tuple[int, list[str]]]) -> Iterator[str]:
    """Cells in no column, or in one without a name that is not the first."""
    nameless = [position for position, name in enumerate(header) if position and not name]
    for line, cells in rows:
        stray = [cells[position] for position in nameless if position < len(cells)]
        if any(cell.strip() for cell in (*stray, *cells[len(header) :])):
            yield (
                f"line {line}: has more cells than the header names columns; expected a cell with "
                "a comma in quotes, and a name for every column"
            )
