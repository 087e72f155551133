"""Miniature trees in the official layout, and the variants of it that are found in the wild."""

import csv
import math

import pytest
from PIL import Image

from iqa_jax.datasets import inspect, load_dataset
from iqa_jax.datasets.tid2013 import DISTORTIONS
from iqa_jax.errors import DatasetError

ROWS = ("5.51429 I01_01_1.bmp", "5.56757 i01_01_2.bmp", "0.24242 i02_24_5.bmp")


@pytest.fixture
def tree(tmp_path):
    """Two references and three distorted versions."""
    for name in ("reference_images/I01.BMP", "reference_images/i02.bmp"):
        save(tmp_path / name)
    for name in ("i01_01_1.bmp", "I01_01_2.BMP", "i02_24_5.bmp"):
        save(tmp_path / "distorted_images" / name)
    (tmp_path / "mos_with_names.txt").write_text("\n".join(ROWS) + "\n")
    return tmp_path


def save(path):
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (16, 12)).save(path, "BMP")


def load(tree, **options):
    return load_dataset("tid2013", tree, **{"allow_partial": True, **options})


def test_reads_the_official_layout_whatever_the_case(tree):
    table = load(tree)
    inspect(table)
    assert table.name == "tid2013"
    assert table.higher_is_better
    assert table.score_range == (0, 9)
    first, second, third = table.pairs
    assert first.reference == second.reference == "reference_images/I01.BMP"
    assert third.reference == "reference_images/i02.bmp"
    assert second.distorted == "distorted_images/I01_01_2.BMP"
    assert [pair.score for pair in table.pairs] == [5.51429, 5.56757, 0.24242]
    assert (third.distortion, third.level, third.reference_id) == (DISTORTIONS[-1], "5", "I02")
    assert math.isnan(first.score_std)


def test_folders_and_score_file_in_another_case(tree):
    (tree / "reference_images").rename(tree / "Reference_Images")
    (tree / "mos_with_names.txt").rename(tree / "MOS_with_names.txt")
    inspect(load(tree))


def test_deviations_are_read_where_they_fit(tree):
    (tree / "mos_std.txt").write_text("0.1\n0.2\n0.3\n")
    assert [pair.score_std for pair in load(tree).pairs] == [0.1, 0.2, 0.3]
    (tree / "mos_std.txt").write_text("0.1\n" * 3000)
    assert all(math.isnan(pair.score_std) for pair in load(tree).pairs)


def test_an_incomplete_copy_has_to_be_allowed(tree):
    with pytest.raises(DatasetError, match=r"3000 pairs, .* lists 3; .*--allow_partial"):
        load(tree, allow_partial=False)


def test_missing_images_are_named_or_left_out(tree):
    (tree / "distorted_images" / "I01_01_2.BMP").unlink()
    with pytest.raises(DatasetError, match="row 2: .*/i01_01_2.bmp: there is no such file"):
        inspect(load(tree))
    kept, _ = inspect(load(tree), leave_out_missing=True)
    assert len(kept.pairs) == 2


@pytest.mark.parametrize("name", ["mos_with_names.txt", "reference_images", "distorted_images"])
def test_says_what_is_missing_of_the_layout(tree, name):
    (tree / name).rename(tree / "elsewhere")
    with pytest.raises(DatasetError, match=f"expected {name} in it, found .*elsewhere"):
        load(tree)


def test_no_folder(tmp_path):
    with pytest.raises(DatasetError, match="there is no folder"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "row",
    ["5", "5 I01_01_1.bmp extra", "5 I01_25_1.bmp", "5 I01_00_1.bmp", "5 ../I01_01_1.bmp"],
)
def test_rows_of_another_form_are_listed(tree, row):
    (tree / "mos_with_names.txt").write_text(f"{ROWS[0]}\n{row}\n")
    with pytest.raises(DatasetError, match="1 rows of another form"):
        load(tree)


def test_a_score_that_is_text_is_reported_with_its_row(tree):
    (tree / "mos_with_names.txt").write_text(f"{ROWS[0]}\ngood i01_01_2.bmp\n")
    with pytest.raises(DatasetError, match="row 2: .*I01_01_2.BMP: has no finite score"):
        inspect(load(tree))


def test_names_that_differ_in_case_only(tree):
    save(tree / "distorted_images" / "i01_01_2.bmp")  # as the table says: no doubt
    assert load(tree).pairs[1].distorted == "distorted_images/i01_01_2.bmp"
    save(tree / "reference_images" / "I02.bmp")  # neither is I02.BMP
    with pytest.raises(DatasetError, match="could be any of I02.bmp, i02.bmp"):
        load(tree)


def test_direction_is_known(tree):
    assert load(tree, score_direction="higher").higher_is_better
    with pytest.raises(DatasetError, match="not lower for better"):
        load(tree, score_direction="lower")


def test_the_published_table(tmp_path, test_data):
    """All 3000 rows, with empty images: the counts of the publication."""
    with (test_data / "mos_tables" / "TID2013.txt").open() as file:
        rows = [(row["score"], row["dis_img_path"].split("/")[-1]) for row in csv.DictReader(file)]
    for folder in ("reference_images", "distorted_images"):
        (tmp_path / folder).mkdir()
    for _, name in rows:
        (tmp_path / "distorted_images" / name).touch()
    for number in range(1, 26):
        (tmp_path / "reference_images" / f"I{number:02d}.BMP").touch()
    (tmp_path / "mos_with_names.txt").write_text("\n".join(map(" ".join, rows)) + "\n")
    table = load(tmp_path, allow_partial=False)
    assert len(table.pairs) == 3000
    assert len({pair.reference for pair in table.pairs}) == 25
    assert len({(pair.distortion, pair.level) for pair in table.pairs}) == 24 * 5
    scores = [pair.score for pair in table.pairs]
    assert min(scores) == pytest.approx(0.24242, abs=1e-4)
    assert max(scores) == pytest.approx(7.2143, abs=1e-4)
