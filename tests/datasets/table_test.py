import dataclasses
import math
import tempfile
import threading
import time

import numpy as np
import pytest
from PIL import Image

from iqa_jax.datasets import fingerprint, inspect, load_dataset
from iqa_jax.datasets.table import Pair, PairTable, Protocol, number_or_nan, read_headers
from iqa_jax.datasets.triplets import Triplet, TripletTable
from iqa_jax.errors import DatasetError, MissingImageError
from iqa_jax.images.decode import Header
from iqa_jax.images.sources import BlockImages, CheckedImages, ImageFolder, ImageSource


@pytest.fixture
def table(pair_folder):
    return load_dataset("csv", pair_folder / "pairs.csv")


def replace_row(table, row, **changes):
    pairs = [*table.pairs]
    pairs[row] = dataclasses.replace(pairs[row], **changes)
    return dataclasses.replace(table, pairs=pairs)


def test_headers_of_every_image(table):
    inspected, headers = inspect(table)
    assert inspected.pairs == table.pairs
    assert inspected.images == CheckedImages(table.images, headers)
    names = {name for pair in table.pairs for name in (pair.reference, pair.distorted)}
    assert set(headers) == names
    assert headers["b_1.png"][:2] == (64, 64)


def test_files_that_are_far_away_are_asked_for_together(table):
    readers = set()

    class FarAway(ImageFolder):
        def header(self, name):
            readers.add(threading.get_ident())
            time.sleep(0.01)
            return Header(64, 64, len(name))

    names = {name for pair in table.pairs for name in (pair.reference, pair.distorted)}
    found = read_headers(dataclasses.replace(table, images=FarAway()))
    assert found == {name: Header(64, 64, len(name)) for name in names}
    assert len(readers) > 1


def test_one_error_lists_every_row(table, pair_folder):
    (pair_folder / "a_2.png").unlink()
    (pair_folder / "a_3.png").write_bytes(b"not an image")
    Image.fromarray(np.zeros((72, 81, 3), np.uint8)).save(pair_folder / "a_4.png")
    (pair_folder / "c.png").unlink()
    with pytest.raises(DatasetError) as error:
        inspect(replace_row(table, 4, score=math.nan))
    message = str(error.value)
    assert "7 problems in 9 rows" in message
    for line in (
        "row 2: a_2.png: there is no such file",
        "row 3: a_3.png: is not an image",
        "row 4: a_4.png: is 81x72 pixels, its reference a.png 80x72",
        "row 5: b_1.png: has no finite score",
        "row 7: c.png: there is no such file",
        "row 8: c.png: there is no such file",
        "row 9: c.png: there is no such file",
    ):
        assert line in message
    assert "row 1:" not in message


def test_many_missing_rows_are_twenty_lines_and_a_file(tmp_path, monkeypatch):
    class Nowhere(ImageSource):
        def read(self, name):
            raise MissingImageError(f"{name}: there is no such file")

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    pairs = [Pair(f"{row // 100}.png", f"{row}.jpg", 1.0) for row in range(20_000)]
    with pytest.raises(DatasetError) as error:
        inspect(PairTable("made up", pairs, Nowhere(), higher_is_better=True))
    *lines, last = str(error.value).splitlines()
    assert lines[0] == "made up: 40000 problems in 20000 rows:"
    assert lines[1:3] == [f"  row 1: 0.{kind}: there is no such file" for kind in ("png", "jpg")]
    assert len(lines) == 21
    (file,) = tmp_path.glob("*.txt")
    assert last == f"  and 39980 more; all are in {file}"
    assert file.read_text().splitlines()[-1] == "row 20000: 19999.jpg: there is no such file"


def test_missing_images_can_be_left_out_but_nothing_else(table, pair_folder):
    (pair_folder / "a_2.png").unlink()
    (pair_folder / "b.png").unlink()
    kept, _ = inspect(table, leave_out_missing=True)
    names = "a_1.png a_3.png a_4.png c_1.png c_2.png c_3.png"
    assert [pair.distorted for pair in kept.pairs] == names.split()
    (pair_folder / "a_3.png").write_bytes(b"")
    with pytest.raises(DatasetError, match="a_3.png: is an empty file"):
        inspect(table, leave_out_missing=True)


def test_nothing_left_is_an_error(table, pair_folder):
    for path in pair_folder.glob("*.png"):
        path.unlink()
    with pytest.raises(DatasetError, match="none of its images is there"):
        inspect(table, leave_out_missing=True)


def test_fingerprint_tells_data_apart(table, pair_folder):
    first = fingerprint(*inspect(table))
    assert first == fingerprint(*inspect(table))
    changed = replace_row(table, 0, score=1.0)
    assert fingerprint(*inspect(changed)) != first
    found = {first}
    for level in (0, 1):  # two files of one length
        Image.fromarray(np.full((72, 80, 3), level, np.uint8)).save(pair_folder / "a_1.png", "BMP")
        found.add(fingerprint(*inspect(table)))
    assert len(found) == 3


@pytest.mark.parametrize(
    ("name", "values"),
    [
        *((name, ("B", "b", "c")) for name in ("distortion", "level", "reference_id")),
        *((name, (1.0, 1.5, math.nan)) for name in ("score", "score_std")),
    ],
)
def test_fingerprint_holds_all_that_is_known_of_a_pair(table, name, values):
    headers = inspect(table)[1]
    found = {fingerprint(replace_row(table, 4, **{name: value}), headers) for value in values}
    assert len(found) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"higher_is_better": False},
        {"opinions": 30},
        {"protocol": Protocol.SAME_OR_DIFFERENT},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_fingerprint_holds_what_the_observers_were_asked(table, changes):
    changed = dataclasses.replace(table, **changes)
    assert fingerprint(*inspect(changed)) != fingerprint(*inspect(table))


def test_fingerprint_holds_what_is_done_to_the_pixels(table, pair_folder):
    table = dataclasses.replace(table, pairs=table.pairs[4:6])  # of 64x64 pixels
    shown = [table.images, *(BlockImages(table.images, 64, 4, each) for each in (False, True))]
    assert len({fingerprint(*inspect(dataclasses.replace(table, images=i))) for i in shown}) == 3


def test_fingerprint_holds_names_of_files_in_lower_case(table):
    headers = inspect(table)[1]
    upper = [dataclasses.replace(pair, distorted=pair.distorted.upper()) for pair in table.pairs]
    found = fingerprint(
        dataclasses.replace(table, pairs=upper),
        {**headers, **{name.upper(): header for name, header in headers.items()}},
    )
    assert found == fingerprint(table, headers)


def test_select(table):
    without = table.select(exclude_references=["a"])
    assert {pair.reference_id for pair in without.pairs} == {"b", "c"}
    assert table.select(limit=2).pairs == table.pairs[:2]
    with pytest.raises(DatasetError, match="no reference z; it has: a, b, c"):
        table.select(exclude_references=["z"])
    with pytest.raises(DatasetError, match="no pair is left"):
        table.select(exclude_references=["a", "b", "c"])


@pytest.fixture
def triplets(table):
    """Triplets of content a, b and c: 2, 1 and 1."""
    versions = ("a a_1 a_2", "a a_3 a_4", "b b_1 b_2", "c c_1 c_2")
    return TripletTable(
        name="triplets",
        triplets=[
            Triplet(
                *(f"{name}.png" for name in names.split()), preference=0.6, reference_id=names[0]
            )
            for names in versions
        ],
        images=table.images,
    ).as_pairs()


def versions(table):
    return [pair.distorted.removesuffix(".png") for pair in table.pairs]


def test_rows_of_a_judgement():
    assert [(protocol, protocol.rows) for protocol in Protocol] == [
        (Protocol.OPINION, 1),
        (Protocol.TWO_ALTERNATIVES, 2),
        (Protocol.SAME_OR_DIFFERENT, 1),
    ]


@pytest.mark.parametrize(("limit", "rows"), [(2, 2), (3, 2), (4, 4), (7, 6), (8, 8), (99, 8)])
def test_a_limit_divides_no_judgement(triplets, limit, rows):
    assert triplets.select(limit=limit).pairs == triplets.pairs[:rows]
    opinions = dataclasses.replace(triplets, protocol=Protocol.OPINION)
    assert len(opinions.select(limit=limit).pairs) == min(limit, 8)


def test_a_limit_below_one_judgement_leaves_nothing(triplets):
    with pytest.raises(DatasetError, match="triplets: no pair is left to score"):
        triplets.select(limit=1)


def test_contents_are_left_out_with_their_judgements(triplets):
    kept = triplets.select(exclude_references=["a"], limit=3)
    assert versions(kept) == ["b_1", "b_2"]
    assert kept.protocol is Protocol.TWO_ALTERNATIVES


@pytest.mark.parametrize(
    ("missing", "left"),
    [
        ("a_3", ["a_1", "a_2", "b_1", "b_2", "c_1", "c_2"]),
        ("a_2", ["a_3", "a_4", "b_1", "b_2", "c_1", "c_2"]),
        ("a", ["b_1", "b_2", "c_1", "c_2"]),
        ("c_2", ["a_1", "a_2", "a_3", "a_4", "b_1", "b_2"]),
    ],
)
def test_judgements_with_a_missing_image_are_left_out_whole(triplets, pair_folder, missing, left):
    (pair_folder / f"{missing}.png").unlink()
    with pytest.raises(DatasetError, match=f"{missing}.png: there is no such file"):
        inspect(triplets)
    kept, headers = inspect(triplets, leave_out_missing=True)
    assert versions(kept) == left
    assert {pair.distorted for pair in kept.pairs} <= headers.keys()
    opinions = dataclasses.replace(triplets, protocol=Protocol.OPINION)
    kept, _ = inspect(opinions, leave_out_missing=True)
    assert len(kept.pairs) == (4 if missing == "a" else 7)


def test_the_protocol_does_not_change_what_is_checked(triplets, pair_folder):
    Image.fromarray(np.zeros((5, 5, 3), np.uint8)).save(pair_folder / "b_2.png")
    with pytest.raises(
        DatasetError, match="row 6: b_2.png: is 5x5 pixels, its reference b.png 64x64"
    ):
        inspect(triplets, leave_out_missing=True)


def test_numbers_as_people_write_them():
    assert [number_or_nan(text) for text in ("1.5", " 2 ", "1e-3")] == [1.5, 2.0, 1e-3]
    assert all(math.isnan(number_or_nan(text)) for text in ("", "good", "1_5", "1,5"))
