"""Tables of comma-separated values that people write: rows by the names of their columns."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence

from etils import epath

from iqa_jax.datasets.parsing import read_text
from iqa_jax.errors import DatasetError, listed


def read_rows(
    path: epath.Path, *, required: Sequence[str] = ()
) -> tuple[list[str], list[dict[str, str]]]:
    """Reads a table whose first row names the columns.

    Spaces before a cell and empty lines are left out, and so are columns without a name: empty ones
    that a comma at the end of lines makes, and a first one that numbers the rows.

    Args:
      path: The file.
      required: Columns that it has to have.

    Returns:
      The names of the columns, none of an empty file; and the rows by them. What a row lacks at its
      end is empty.

    Raises:
      DatasetError: If the file cannot be read, is no table of text in UTF-8, or lacks a column, if
        two columns have one name, or a cell belongs to no column; one error lists all such.
    """
    (_, header), *rows = _cells(path) or [(0, [])]
    problems = [*_repeated(header), *_stray(header, rows)]
    if problems:
        raise DatasetError(f"{path}: {listed(problems, 'problems')}")
    named = [(position, name) for position, name in enumerate(header) if name]
    names = [name for _, name in named]
    _require(required, names, path)
    return names, [
        {name: cells[position] if position < len(cells) else "" for position, name in named}
        for _, cells in rows
    ]


def read_columns(path: epath.Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Reads a table of a publication, of which copies differ in upper and lower case and spaces.

    Args:
      path: The file.
      columns: Names, in lower case, of columns that it has to have.

    Returns:
      The rows by column, names in lower case; none has white space around it.

    Raises:
      DatasetError: As by :func:`read_rows`, or if there are no rows.
    """
    names, rows = read_rows(path)
    _require(columns, [name.strip().lower() for name in names], path)
    if not rows:
        raise DatasetError(f"{path}: has no rows below its header")
    return [{name.strip().lower(): cell.strip() for name, cell in row.items()} for row in rows]


def _cells(path: epath.Path) -> list[tuple[int, list[str]]]:
    """The rows, each with the number of its last line; empty lines are left out."""
    reader = csv.reader(io.StringIO(read_text(path), newline=""), skipinitialspace=True)
    try:
        return [(reader.line_num, cells) for cells in reader if any(cells) or len(cells) > 1]
    except csv.Error as error:
        raise DatasetError(
            f"{path}: line {reader.line_num}: is not comma-separated values ({error})"
        ) from error


def _require(columns: Sequence[str], names: Sequence[str], path: epath.Path) -> None:
    missing = [name for name in columns if name not in names]
    if missing:
        raise DatasetError(
            f"{path}: has no column {', '.join(missing)}; expected {','.join(columns)}, found "
            f"{','.join(names) or 'nothing'}"
        )


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
