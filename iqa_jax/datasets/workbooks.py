"""Excel workbooks: the cells of one sheet as text.

A workbook (Office Open XML, ECMA-376 part 1, section 18) is a zip archive of XML files: the names
of the sheets, texts that cells share, and a file for each sheet, which has only cells that were
filled. Nothing that a file claims of its size is believed: what is read of it is bounded.
"""

import io
import posixpath
import zipfile
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from etils import epath

from iqa_jax.datasets.parsing import read_bytes
from iqa_jax.errors import DatasetError

MOST_BYTES = 8 * 2**20
"""Of the XML of a sheet and all that it needs; that of CSIQ has less than a tenth of it."""

_WORKBOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_SHARED_TEXTS = "/sharedStrings"


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
      DatasetError: If the file is no whole workbook, has more than :data:`MOST_BYTES` to be read,
        or lacks the sheet or a column.
    """
    data = read_bytes(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            workbook = _Workbook(archive)
            cells = workbook.rows(sheet) if sheet in workbook.sheets else []
    except Exception as error:  # on broken archives zipfile raises errors of many types
        raise DatasetError(f"{path}: is not a whole Excel workbook ({error})") from error
    if sheet not in workbook.sheets:
        found = ", ".join(workbook.sheets)
        raise DatasetError(f"{path}: expected the sheet {sheet}, found {found}")
    names = [{text.lower(): place for place, text in reversed(row.items())} for row in cells]
    start = next((row for row, found in enumerate(names) if set(columns) <= found.keys()), None)
    if start is None:
        raise DatasetError(f"{path}: found no row with the headers {', '.join(columns)} in {sheet}")
    places = {name: names[start][name] for name in columns}
    rows = [{name: row.get(at, "") for name, at in places.items()} for row in cells[start + 1 :]]
    return [row for row in rows if any(row.values())]


class _Workbook:
    """An open workbook.

    Attributes:
      sheets: The file of each sheet, by its name.
    """

    def __init__(self, archive: zipfile.ZipFile):
        self._archive = archive
        self._room = MOST_BYTES
        relations = self._parse(_RELATIONS).findall("{*}Relationship")
        files = {each.get("Id"): _member(each.get("Target", "")) for each in relations}
        self.sheets: Mapping[str, str] = {
            each.get("name", ""): files[_relation(each)]
            for each in self._parse(_WORKBOOK).findall("{*}sheets/{*}sheet")
        }
        shared = [
            files[each.get("Id")]
            for each in relations
            if each.get("Type", "").endswith(_SHARED_TEXTS)
        ]
        self._shared = [_text(each) for file in shared for each in self._parse(file)]

    def rows(self, sheet: str) -> list[dict[str, str]]:
        """The rows of a sheet that have cells, each as text by the letters of its column."""
        return [
            {
                cell.get("r", "").rstrip("0123456789") or str(place): self._cell(cell)
                for place, cell in enumerate(row)
            }
            for row in self._parse(self.sheets[sheet]).findall("{*}sheetData/{*}row")
        ]

    def _cell(self, cell: ElementTree.Element) -> str:
        value = cell.findtext("{*}v", "")
        match cell.get("t", "n"):
            case "s":
                place = int(value)
                if not 0 <= place < len(self._shared):
                    raise ValueError(f"there is no shared text {place}")
                return self._shared[place].strip()
            case "inlineStr":
                return "".join(map(_text, cell.findall("{*}is"))).strip()
            case "n" if value:
                number = float(value)
                return str(int(number) if number.is_integer() else number)
            case _:
                return value.strip()

    def _parse(self, name: str) -> ElementTree.Element:
        """A file of the archive; no more of it is unpacked than there is room for."""
        member = self._archive.getinfo(name)
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{name} is compressed by another method than deflate")
        with self._archive.open(member) as file:
            data = file.read(self._room + 1)
        self._room -= len(data)
        if self._room < 0:
            raise ValueError(f"what is to be read of it has more than {MOST_BYTES:,} bytes")
        text = data.decode("utf-8-sig")
        if "<!DOCTYPE" in text:  # where entities are declared, which may multiply
            raise ValueError(f"{name} declares a type of document")
        return ElementTree.fromstring(text)


def _member(target: str) -> str:
    """Where the target of a relation of the workbook lies in the archive."""
    return posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")


def _relation(sheet: ElementTree.Element) -> str:
    return next(value for name, value in sheet.items() if name.endswith("}id"))


def _text(element: ElementTree.Element) -> str:
    """The text of an element, which may be divided into runs of one style."""
    parts = [*element.findall("{*}t"), *element.findall("{*}r/{*}t")]
    return "".join(part.text or "" for part in parts)
