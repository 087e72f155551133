"""Excel workbooks: the cells of one sheet as text, however much a small file claims to hold.

A workbook is a zip archive of XML files. Openpyxl reads it only after a check that these are no
larger than a table of scores can be.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from typing import Any

from etils import epath

from iqa_jax.datasets.parsing import read_bytes
from iqa_jax.errors import DatasetError

MOST_BYTES = 8 * 2**20
"""Limit on all files of a workbook, unpacked; those of CSIQ have less than a tenth of it."""

_MOST_SHEETS = 32
"""Openpyxl opens every sheet, and a thousand sheets can be one large file."""

_MOST_ROWS, _MOST_COLUMNS = 10_000, 64
"""Cells beyond these are ignored: openpyxl would create all the cells before them."""


def read_sheet(path: epath.Path, sheet: str, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a sheet of an Excel workbook, below the first row that has all ``columns``.

    Args:
      path: The file.
      sheet: Name of the sheet.
      columns: Names of the columns to read, in lower case.

    Returns:
      The cells as text by column, whole numbers without a fraction; rows that are empty in all of
      ``columns`` are skipped.

    Raises:
      DatasetError: If the file is not a valid workbook, has more than :data:`MOST_BYTES`, or lacks
        the sheet or a column.
    """
    import openpyxl  # noqa: PLC0415  rarely needed

    data = read_bytes(path)
    try:
        _check_archive(data)
        workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheets = workbook.sheetnames
        texts = list(_rows(workbook[sheet])) if sheet in sheets else []
    except Exception as error:  # on broken files openpyxl raises errors of many types
        raise DatasetError(f"{path}: is not a valid Excel workbook ({error})") from error
    if sheet not in sheets:
        raise DatasetError(f"{path}: expected the sheet {sheet}, found {', '.join(sheets)}")
    names = [[text.lower() for text in row] for row in texts]
    start = next((row for row, found in enumerate(names) if set(columns) <= {*found}), None)
    if start is None:
        raise DatasetError(f"{path}: found no row with the headers {', '.join(columns)} in {sheet}")
    places = {name: names[start].index(name) for name in columns}
    rows = [
        {name: row[place] if place < len(row) else "" for name, place in places.items()}
        for row in texts[start + 1 :]
    ]
    return [row for row in rows if any(row.values())]


def _check_archive(data: bytes) -> None:
    """Checks the size of a workbook by unpacking it; the sizes that it declares are not trusted.

    Raises:
      ValueError: If it has more than :data:`MOST_BYTES`, too many sheets, or declares entities,
        which may multiply.
    """
    room = MOST_BYTES
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            with archive.open(member) as file:
                content = file.read(room + 1)
            room -= len(content)
            if room < 0:
                raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
            text = content.replace(b"\0", b"")  # which UTF-16 contains
            if b"<!DOCTYPE" in text:
                raise ValueError(f"{member.filename} declares a document type")
            if text.count(b"sheetId") > _MOST_SHEETS:
                raise ValueError(f"it has more than {_MOST_SHEETS} sheets")


def _rows(sheet: Any) -> Iterator[list[str]]:
    """Rows that are not empty, as text."""
    for row in sheet.iter_rows(max_row=_MOST_ROWS, max_col=_MOST_COLUMNS, values_only=True):
        if any(cell is not None for cell in row):
            yield [_text(cell) for cell in row]


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()
