"""Tables of comma-separated values that people write: rows by the names of their columns."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence

from etils import epath

from iqa_jax.errors import DatasetError

_MOST_LISTED = 20


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
      DatasetError: If the file is no text in UTF-8, two columns have one name, or a cell belongs to
        no column; one error lists all.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: is not text in UTF-8 ({error}); save it as UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        numbered = [(reader.line_num, cells) for cells in reader if cells]
    except csv.Error as error:
        raise DatasetError(
            f"{path}: line {reader.line_num}: is not comma-separated values ({error})"
        ) from error
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


def listed(lines: Sequence[str], what: str) -> str:
    """The number of lines, and the first twenty of them below each other.

    Args:
      lines: At least one.
      what: What they are, in the plural.
    """
    rest = len(lines) - _MOST_LISTED
    more = [f"and {rest} more"] if rest > 0 else []
    return "\n  ".join([f"{len(lines)} {what}:", *lines[:_MOST_LISTED], *more])


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
