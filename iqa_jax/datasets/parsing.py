"""Score files of datasets: text, tables, workbooks and MATLAB files, read with errors in words."""

import csv
import io
from collections.abc import Mapping, Sequence

import numpy as np
from etils import epath

from iqa_jax.errors import DatasetError, listed


def read_text(path: epath.Path) -> str:
    """The text of a file.

    Raises:
      DatasetError: If it cannot be read, or is not text in UTF-8.
    """
    try:
        return _read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: is not text in UTF-8 ({error})") from error


def read_lines(path: epath.Path) -> list[str]:
    """The lines of a text file without white space around them, empty ones left out.

    Raises:
      DatasetError: If it is no text file, or has no such line.
    """
    lines = [line.strip() for line in read_text(path).splitlines() if line.strip()]
    if not lines:
        raise DatasetError(f"{path}: has no rows")
    return lines


def read_csv(path: epath.Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a table of comma-separated values; white space around a value is left out.

    Args:
      path: The file.
      columns: Names, in lower case, that its first row has to have.

    Returns:
      The rows by column, names in lower case; what a short row lacks is empty.

    Raises:
      DatasetError: If the file is no text file, lacks a column, or has no rows.
    """
    try:
        header, *rows = csv.reader(read_lines(path), skipinitialspace=True)
    except csv.Error as error:
        raise DatasetError(f"{path}: is not a table of comma-separated values ({error})") from error
    names = _check_columns(header, columns, path)
    if not rows:
        raise DatasetError(f"{path}: has no rows below its header")
    empty = dict.fromkeys(names, "")
    return [
        empty | {name: cell.strip() for name, cell in zip(names, row, strict=False)} for row in rows
    ]


def read_sheet(path: epath.Path, sheet: str, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a sheet of an Excel workbook, below the first row that has all ``columns``.

    Args:
      path: The file.
      sheet: The name of the sheet.
      columns: Names, in lower case, of the columns to read.

    Returns:
      The cells as text by column, whole numbers without a fraction; rows that are empty in all of
      ``columns`` are left out.

    Raises:
      DatasetError: If the file is no whole workbook, or lacks the sheet or a column.
    """
    import openpyxl  # noqa: PLC0415  few programs read a workbook

    data = io.BytesIO(_read_bytes(path))
    try:
        workbook = openpyxl.load_workbook(data, read_only=True, data_only=True)
        sheets = workbook.sheetnames
        cells = list(workbook[sheet].iter_rows(values_only=True)) if sheet in sheets else []
    except Exception as error:  # on broken files openpyxl raises errors of many types
        raise DatasetError(f"{path}: is not a whole Excel workbook ({error})") from error
    if sheet not in sheets:
        raise DatasetError(f"{path}: expected the sheet {sheet}, found {', '.join(sheets)}")
    texts = [[_cell_text(cell) for cell in row] for row in cells]
    names = [[text.lower() for text in row] for row in texts]
    start = next((row for row, found in enumerate(names) if set(columns) <= {*found}), None)
    if start is None:
        raise DatasetError(f"{path}: found no row with the headers {', '.join(columns)} in {sheet}")
    places = {name: names[start].index(name) for name in columns}
    rows = [{name: row[place] for name, place in places.items()} for row in texts[start + 1 :]]
    return [row for row in rows if any(row.values())]


class MatlabFile:
    """The variables of a MATLAB file (up to version 7.2).

    Args:
      path: The file, read whole.

    Raises:
      DatasetError: If it is no whole MATLAB file.
    """

    def __init__(self, path: epath.Path):
        import scipy.io  # noqa: PLC0415  few programs read a MATLAB file

        self._path = path
        data = io.BytesIO(_read_bytes(path))
        try:
            variables = scipy.io.loadmat(data)
        except Exception as error:  # on broken files SciPy raises errors of many types
            raise DatasetError(f"{path}: is not a whole MATLAB file ({error})") from error
        self._variables: Mapping[str, np.ndarray] = {
            name: np.asarray(value)
            for name, value in variables.items()
            if not name.startswith("__")
        }

    def __contains__(self, name: str) -> bool:
        return name in self._variables

    def numbers(self, name: str) -> list[float]:
        """The elements of the numeric array ``name``.

        Raises:
          DatasetError: If there is no such variable, or it is not numeric.
        """
        array = self._array(name)
        if array.dtype.kind not in "biuf":
            raise DatasetError(f"{self._path}: expected numbers in {name}, found {array.dtype}")
        return array.astype(np.float64).ravel().tolist()

    def texts(self, name: str) -> list[str]:
        """The elements of ``name``, a cell array of texts or a matrix of characters.

        Raises:
          DatasetError: If there is no such variable, or it holds something else.
        """
        cells = [np.asarray(cell) for cell in self._array(name).ravel()]
        if any(cell.size != 1 or cell.dtype.kind != "U" for cell in cells):
            raise DatasetError(f"{self._path}: expected a text in every cell of {name}")
        return [str(cell.item()).strip() for cell in cells]

    def _array(self, name: str) -> np.ndarray:
        if name not in self._variables:
            raise DatasetError(
                f"{self._path}: expected the variable {name}, "
                f"found {', '.join(self._variables) or 'nothing'}"
            )
        return self._variables[name]


def plain_name(name: str, path: epath.Path) -> str:
    """``name``, which the score file ``path`` gives to an image, if it is that of a file alone.

    Raises:
      DatasetError: If it is empty or leads to another folder.
    """
    if not name.strip(".") or not name.isprintable() or set(name) & set("/\\"):
        raise DatasetError(f"{path}: expected the names of files without folders, found {name!r}")
    return name


def refuse_rows(path: epath.Path, expected: str, rows: Sequence[str]) -> None:
    """Raises if there are ``rows`` of a score file that could not be understood.

    Args:
      path: The file.
      expected: What a row looks like.
      rows: Those that do not.

    Raises:
      DatasetError: Listing the first of them.
    """
    if rows:
        what = f"rows of another form; expected {expected}, found"
        raise DatasetError(f"{path}: {listed(rows, what)}")


def _read_bytes(path: epath.Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from error
    if not data:
        raise DatasetError(f"{path}: is empty")
    return data


def _check_columns(header: Sequence[str], columns: Sequence[str], path: epath.Path) -> list[str]:
    names = [name.strip().lower() for name in header]
    missing = [name for name in columns if name not in names]
    if missing:
        raise DatasetError(
            f"{path}: has no column {', '.join(missing)}; found {', '.join(names) or 'nothing'}"
        )
    return names


def _cell_text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()
