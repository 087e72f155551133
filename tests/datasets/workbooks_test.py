"""Workbooks as openpyxl and Excel write them; and untrusted files."""

import re
import tracemalloc
import zipfile

import openpyxl
import pytest
from datasets.damage import count_refused
from etils import epath

from iqa_jax.datasets.workbooks import MOST_BYTES, read_sheet
from iqa_jax.errors import DatasetError

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
FILES = {
    "[Content_Types].xml": f"""<Types xmlns="{PACKAGE}/content-types">
        <Default Extension="rels" ContentType="{PACKAGE}.relationships+xml"/>
        <Override PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/>
        <Override PartName="/xl/worksheets/sheet1.xml" ContentType="{TYPE}.worksheet+xml"/>
        <Override PartName="/xl/sharedStrings.xml" ContentType="{TYPE}.sharedStrings+xml"/>
        </Types>""",
    "_rels/.rels": f"""<Relationships xmlns="{PACKAGE}/relationships">
        <Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>
        </Relationships>""",
    "xl/workbook.xml": f"""<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>
        <sheet name="Sheet" sheetId="1" r:id="rId3"/></sheets></workbook>""",
    "xl/_rels/workbook.xml.rels": f"""<Relationships xmlns="{PACKAGE}/relationships">
        <Relationship Id="rId3" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>
        <Relationship Id="rId1" Type="{OFFICE}/sharedStrings" Target="sharedStrings.xml"/>
        </Relationships>""",
    "xl/sharedStrings.xml": f"""<sst xmlns="{MAIN}"><si><t>image</t></si><si><t>score</t></si><si>
        <r><t xml:space="preserve">a </t></r><r><rPr><b/></rPr><t>b</t></r><rPh sb="0" eb="1">
        <t>no</t></rPh></si></sst>""",
    "xl/worksheets/sheet1.xml": f"""<worksheet xmlns="{MAIN}"><dimension ref="B1:D3"/><sheetData>
        <row r="1"><c r="B1" t="s"><v>0</v></c><c r="D1" t="s"><v>1</v></c></row>
        <row r="3"><c r="B3" t="s"><v>2</v></c><c r="C3"/><c r="D3"><v>0.5</v></c></row>
        </sheetData></worksheet>""",
}
"""A workbook as Excel writes it: texts are shared."""

COLUMNS = ["image", "score"]


@pytest.fixture
def path(tmp_path):
    return epath.Path(tmp_path / "scores.xlsx")


def write(path, **changes):
    """Makes a workbook with some of its files changed, by name without folder and suffix."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in FILES.items():
            change = changes.get(name.split("/")[-1].removesuffix(".xml"), lambda same: same)
            archive.writestr(name, change(content))


def save(path, rows):
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    workbook.save(path)


def test_columns_of_a_sheet(path):
    save(
        path,
        [
            ["made by"],
            [],
            [None, "Image", "note", "score"],
            [None, 1600, "x", 0.25],
            [None] * 4,
            [None, "b", None, None],
            [None, None, "only a note", None],
            [None, "c", "", "text"],
        ],
    )
    assert read_sheet(path, "Sheet", COLUMNS) == [
        {"image": "1600", "score": "0.25"},
        {"image": "b", "score": ""},
        {"image": "c", "score": "text"},
    ]
    with pytest.raises(DatasetError, match="expected the sheet other, found Sheet"):
        read_sheet(path, "other", ["image"])
    with pytest.raises(DatasetError, match="no row with the headers image, mos in Sheet"):
        read_sheet(path, "Sheet", ["image", "mos"])


def test_shared_texts(path):
    write(path)
    with path.open("rb") as file:
        sheet = openpyxl.load_workbook(file)["Sheet"]
        assert [sheet["B3"].value, sheet["D3"].value] == ["a b", 0.5]
    assert read_sheet(path, "Sheet", COLUMNS) == [{"image": "a b", "score": "0.5"}]


def test_cells_without_a_position(path):
    def nowhere(sheet):
        return re.sub(r' r="\w+"', "", sheet).replace("<c/>", "")

    write(path, sheet1=nowhere)
    assert read_sheet(path, "Sheet", COLUMNS) == [{"image": "a b", "score": "0.5"}]


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.95])
def test_workbooks_cut_short(path, kept):
    write(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data))])
    with pytest.raises(DatasetError, match="is not a valid Excel workbook"):
        read_sheet(path, "Sheet", COLUMNS)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    {
        "sheet": ({"sheet1": lambda xml: xml + " " * MOST_BYTES}, "more than 8,388,608 bytes"),
        "texts": ({"sharedStrings": lambda xml: xml + " " * MOST_BYTES}, "more than 8,388,608"),
        "entities": (
            {"sheet1": lambda xml: '<!DOCTYPE a [<!ENTITY b "cc">]>' + xml},
            "declares a document type",
        ),
        "entities in UTF-16": (
            {"sheet1": lambda xml: ('<!DOCTYPE a [<!ENTITY b "cc">]>' + xml).encode("utf-16")},
            "declares a document type",
        ),
        "sheets": (
            {"workbook": lambda xml: re.sub("(<sheet name.*?/>)", r"\1" * 33, xml)},
            "more than 32 sheets",
        ),
        "relation": ({"workbook": lambda xml: xml.replace("rId3", "rId9")}, "rId9"),
    }.values(),
    ids=lambda case: None,
)
def test_lies_are_refused(path, changes, complaint):
    write(path, **changes)
    with pytest.raises(DatasetError, match="is not a valid Excel workbook") as error:
        read_sheet(path, "Sheet", COLUMNS)
    assert complaint in str(error.value)


@pytest.mark.parametrize(("row", "column"), [(1048576, "XFD"), (1048576, "B"), (4, "XFD")])
def test_distant_cells_take_no_memory(path, row, column):
    far = f'<row r="{row}"><c r="{column}{row}"><v>1</v></c></row></sheetData>'

    def stretched(sheet):
        return sheet.replace("B1:D3", "A1:XFD1048576").replace("</sheetData>", far)

    write(path, sheet1=stretched)
    assert path.stat().length < 6000
    tracemalloc.start()
    found = read_sheet(path, "Sheet", COLUMNS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found[0] == {"image": "a b", "score": "0.5"}
    assert peak < 2**20


def test_changed_bytes_are_read_or_refused(path, rng):
    write(path)
    assert 30 < count_refused(path, lambda: read_sheet(path, "Sheet", COLUMNS), rng, 300) < 300
