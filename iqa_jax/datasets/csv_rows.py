"""CSV files of users and publications, read as rows keyed by column name."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence

from etils import epath

from iqa_jax.datasets.parsing import read_text
from iqa_jax.datasets.shard_tables import holds_shards, read_table
from iqa_jax.errors import DatasetError, listed


def read_rows(
    path: epath.Path, *, required: Sequence[str] = ()
) -> tuple[list[str], list[dict[str, str]]]:
    """Reads a table whose first row names the columns.

    Spaces before a cell, empty lines and columns without a name are skipped. Nameless columns come
    from a comma at the end of every line, or from row numbers in the first column.

    Args:
      path: The file, or a folder that holds the table in shards.
      required: Columns that must be present.

    Returns:
      The column names (none if the file is empty), and the rows keyed by them. Cells missing at the
      end of a row are empty.

    Raises:
      DatasetError: If the file cannot be read, is not UTF-8 text, or lacks a required column, if
        two columns have the same name, or if a cell belongs to no column. All repeated names and
        stray cells are listed in one error.
    """
    text = read_table(path) if holds_shards(path) else read_text(path)
    return parse_rows(text, path, required=required)


def parse_rows(
    text: str, path: epath.Path, *, required: Sequence[str] = ()
) -> tuple[list[str], list[dict[str, str]]]:
    """The rows of a table, as :func:`read_rows` returns them, from its text.

    Args:
      text: The table, or its first row and some others.
      path: The file that it comes from, for error messages.
      required: Columns that must be present.

    Raises:
      DatasetError: If the text is not such a table.
    """
    (_, header), *rows = _cells(text, path) or [(0, [])]
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
    """Reads a published table; copies differ in case and in spaces.

    Args:
      path: The file.
      columns: Names of the required columns, in lower case.

    Returns:
      The rows keyed by column name, in lower case; names and cells are stripped of white space.

    Raises:
      DatasetError: If the file is invalid (see :func:`read_rows`), lacks a column, or has no rows.
    """
    names, rows = read_rows(path)
    _require(columns, [name.strip().lower() for name in names], path)
    if not rows:
        raise DatasetError(f"{path}: has no rows below its header")
    return [{name.strip().lower(): cell.strip() for name, cell in row.items()} for row in rows]


def _cells(text: str, path: epath.Path) -> list[tuple[int, list[str]]]:
    """The rows, each with the number of its last line; empty lines are skipped."""
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        return [(reader.line_num, cells) for cells in reader if any(cells) or len(cells) > 1]
    except csv.Error as error:
        raise DatasetError(f"{path}: line {reader.line_num}: is not valid CSV ({error})") from error


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
            yield f"{count} columns are called {name}; expected different names"


def _stray(header: Sequence[str], rows: Sequence[tuple[int, list[str]]]) -> Iterator[str]:
    """Cells beyond the header, or in a nameless column other than the first."""
    nameless = [position for position, name in enumerate(header) if position and not name]
    for line, cells in rows:
        stray = [cells[position] for position in nameless if position < len(cells)]
        if any(cell.strip() for cell in (*stray, *cells[len(header) :])):
            yield (
                f"line {line}: has more cells than the header has names; put cells that contain a "
                "comma in quotes, and name every column"
            )
