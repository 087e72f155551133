import dataclasses
import math
import tempfile
import threading
import time

import numpy as np
import pytest
from PIL import Image

from iqa_jax.datasets.inspection import inspect, read_headers
from iqa_jax.datasets.table import Pair, PairTable, Question
from iqa_jax.errors import DatasetError, MissingImageError
from iqa_jax.images.checked import CheckedImages
from iqa_jax.images.decode import Header
from iqa_jax.images.sources import ImageFolder, ImageSource


def versions(table):
    return [pair.distorted.removesuffix(".png") for pair in table.pairs]


def test_headers_of_every_image(table):
    inspected, headers = inspect(table)
    assert inspected.pairs == table.pairs
    assert inspected.images == CheckedImages(table.images, headers)
    names = {name for pair in table.pairs for name in (pair.reference, pair.distorted)}
    assert set(headers) == names
    assert headers["b_1.png"][:2] == (64, 64)


def test_remote_files_are_read_concurrently(table):
    readers = set()

    class FarAway(ImageFolder):
        def header(self, name, *, checksum=True):
            readers.add(threading.get_ident())
            time.sleep(0.01)
            return Header(64, 64, len(name))

    names = {name for pair in table.pairs for name in (pair.reference, pair.distorted)}
    found = read_headers(FarAway(), table.image_names)
    assert found == {name: Header(64, 64, len(name)) for name in names}
    assert len(readers) > 1


def test_one_error_lists_every_row(table, pair_folder):
    (pair_folder / "a_2.png").unlink()
    (pair_folder / "a_3.png").write_bytes(b"not an image")
    Image.fromarray(np.zeros((72, 81, 3), np.uint8)).save(pair_folder / "a_4.png")
    (pair_folder / "c.png").unlink()
    pairs = [*table.pairs]
    pairs[4] = dataclasses.replace(pairs[4], score=math.nan)
    with pytest.raises(DatasetError) as error:
        inspect(dataclasses.replace(table, pairs=pairs))
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
    with pytest.raises(DatasetError, match="none of its images exists"):
        inspect(table, leave_out_missing=True)


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
    opinions = dataclasses.replace(triplets, protocol=Question.OPINION)
    kept, _ = inspect(opinions, leave_out_missing=True)
    assert len(kept.pairs) == (4 if missing == "a" else 7)


def test_the_protocol_does_not_change_what_is_checked(triplets, pair_folder):
    Image.fromarray(np.zeros((5, 5, 3), np.uint8)).save(pair_folder / "b_2.png")
    with pytest.raises(
        DatasetError, match="row 6: b_2.png: is 5x5 pixels, its reference b.png 64x64"
    ):
        inspect(triplets, leave_out_missing=True)
