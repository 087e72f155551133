"""Tables in pieces: each row is in one piece, and all are in order."""

import math

import pytest
from etils import epath

from iqa_jax.datasets import Pair, PairTable, pair_lists, pair_pieces
from iqa_jax.datasets.pair_pieces import ListPieces, TablePieces
from iqa_jax.errors import DatasetError
from iqa_jax.images.sources import ImageFolder


def rows_of(pieces):
    return [pair for number in range(pieces.count) for pair in pieces.table(number).pairs]


def write(folder, name, lines, ending="\n"):
    path = epath.Path(folder) / name
    path.write_bytes("".join(f"{line}{ending}" for line in lines).encode())
    return path


def lines(count, start=0):
    """Rows of different lengths, for boundaries at all places of a row."""
    return [
        f'r{row // 5}.png,"{"x" * (row % 7)}ä{row}.png",{row / 9}'
        for row in range(start, start + count)
    ]


HEADER = "reference,distorted,score"


@pytest.mark.parametrize("size", [1, 2, 3, 31, 32, 33, 100, 4096])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_every_row_is_in_one_piece(size, ending, tmp_path, monkeypatch):
    monkeypatch.setattr(pair_pieces, "_LEAST_BYTES", size)
    first = write(tmp_path, "a.csv", ["\ufeff" + HEADER, *lines(40)], ending)
    second = write(tmp_path, "b.csv", ["distorted,reference", *(["x.png,y.png"] * 3)], ending)
    pieces = ListPieces([first, second])
    assert pieces.count == sum(math.ceil(path.stat().length / size) for path in (first, second))
    whole = pair_lists.from_csv(first, second)
    assert [repr(pair) for pair in rows_of(pieces)] == [repr(pair) for pair in whole.pairs]
    assert len(whole.pairs) == 43
    assert pieces.table(0).images == pieces.images == whole.images


def test_last_line_without_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr(pair_pieces, "_LEAST_BYTES", 16)
    path = write(tmp_path, "a.csv", ["", HEADER, "a,b,1", "", "c,d,2"])
    path.write_bytes(path.read_bytes()[:-1])
    assert [pair.distorted for pair in rows_of(ListPieces([path]))] == ["b", "d"]


def test_pieces_grow_with_the_table(tmp_path):
    path = write(tmp_path, "a.csv", [HEADER, *lines(50_000)])
    pieces = ListPieces([path])
    length = path.stat().length
    assert pieces.signature == {"lists": {"a.csv": length}, "bytes of a piece": 4096}
    assert pieces.count == math.ceil(length / 4096)
    assert 0 < len(pieces.table(pieces.count // 2).pairs) < 300


def test_a_piece_is_read_without_the_others(tmp_path):
    path = write(tmp_path, "a.csv", [HEADER, *lines(1000)])
    pieces = ListPieces([path])
    middle = pieces.table(3)
    data = bytearray(path.read_bytes())
    data[200:8000], data[-3000:-1] = b"\xff" * 7800, b"\xff" * 2999
    path.write_bytes(data)
    assert [repr(pair) for pair in pieces.table(3).pairs] == [repr(pair) for pair in middle.pairs]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('reference,distorted\n"a\nb",c\n', "each row in a line of its own"),
        ("reference,distorted\ra,b\rc,d\r", "each row in a line of its own"),
        ("reference,score\na,1\n", "has no column distorted; expected reference,distorted"),
        ("", "has no column reference"),
        ("reference,distorted\na,b,c\n", "has more cells than the header"),
        ("reference,distorted\na,\xff\n", "is not text in UTF-8"),
    ],
)
def test_lists_that_cannot_be_read_in_pieces_are_refused(text, complaint, tmp_path):
    path = epath.Path(tmp_path) / "a.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DatasetError, match=complaint):
        rows_of(ListPieces([path]))


def test_a_list_that_grows_is_refused(tmp_path):
    path = write(tmp_path, "a.csv", [HEADER, "a,b,1"])
    pieces = ListPieces([path])
    write(tmp_path, "a.csv", [HEADER, "a,b,1", "c,d,1"])
    with pytest.raises(DatasetError, match="has changed since this run began"):
        pieces.table(0)


def test_several_lists_are_different_files_of_one_folder(tmp_path):
    (tmp_path / "b").mkdir()
    first = write(tmp_path, "a.csv", [HEADER, "a,b,1"])
    second = write(tmp_path / "b", "a.csv", [HEADER, "a,b,1"])
    for read in (pair_lists.from_csv, lambda *paths: ListPieces(paths)):
        with pytest.raises(DatasetError, match="expected different lists of pairs in one folder"):
            read(first, second)
        with pytest.raises(DatasetError, match="expected different lists"):
            read(first, first)
        with pytest.raises(DatasetError, match="found no file at"):
            read(epath.Path(tmp_path) / "c.csv")


@pytest.mark.parametrize("count", [1, 63, 64, 65, 1000])
def test_a_table_in_memory_is_cut_by_rows(count):
    pairs = [Pair(f"{row // 3}.png", f"{row}.png", row) for row in range(count)]
    table = PairTable("pairs", pairs, ImageFolder(), higher_is_better=True)
    pieces = TablePieces(table)
    assert rows_of(pieces) == pairs
    assert pieces.images is table.images
    assert pieces.count == math.ceil(count / 64)
    other = PairTable("pairs", pairs[::-1], ImageFolder(), higher_is_better=True)
    assert (TablePieces(other).signature == pieces.signature) == (count == 1)
