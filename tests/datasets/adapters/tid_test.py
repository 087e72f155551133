"""Miniature trees in the official layout, and its variants in the wild."""

import math

import pytest
from datasets import trees

from iqa_jax.datasets import inspect, load_dataset
from iqa_jax.datasets.adapters.tid import DISTORTIONS
from iqa_jax.errors import DatasetError

ROWS = [("5.51429", "I01_01_1.bmp"), ("5.56757", "i01_01_2.bmp"), ("0.24242", "i02_17_4.bmp")]
EDITIONS = ["tid2008", "tid2013"]


@pytest.fixture
def tree(tmp_path):
    """Two references and three distorted versions, some in another case than in the table."""
    trees.make_tid(tmp_path, ROWS, save_image=trees.save_small)
    for name, other in (
        ("distorted_images/I01_01_1.bmp", "i01_01_1.bmp"),
        ("distorted_images/i01_01_2.bmp", "I01_01_2.BMP"),
        ("reference_images/I02.BMP", "i02.bmp"),
    ):
        (tmp_path / name).rename((tmp_path / name).with_name(other))
    return tmp_path


def load(tree, dataset="tid2013", **options):
    return load_dataset(dataset, data_dir=tree, **{"allow_partial": True, **options})


def write_rows(tree, *rows):
    (tree / "mos_with_names.txt").write_text("\n".join(rows) + "\n")


@pytest.mark.parametrize("dataset", EDITIONS)
def test_reads_the_official_layout_regardless_of_case(tree, dataset):
    table = load(tree, dataset)
    inspect(table)
    assert table.name == dataset
    assert table.higher_is_better
    assert table.score_range == (0, 9)
    first, second, third = table.pairs
    assert first.reference == second.reference == "reference_images/I01.BMP"
    assert third.reference == "reference_images/i02.bmp"
    assert second.distorted == "distorted_images/I01_01_2.BMP"
    assert [pair.score for pair in table.pairs] == [5.51429, 5.56757, 0.24242]
    assert (third.distortion, third.level, third.reference_id) == ("contrast change", "4", "I02")
    assert math.isnan(first.score_std)


@pytest.mark.parametrize("name", ["i02_18_4.bmp", "i02_17_5.bmp"])
def test_types_and_levels_of_the_later_edition_only(tmp_path, name):
    tree = trees.make_tid(tmp_path, [("5", name)])
    assert load(tree, "tid2013").pairs[0].distortion in DISTORTIONS
    with pytest.raises(DatasetError, match="expected .* types 01 to 17 and levels 1 to 4, found"):
        load(tree, "tid2008")


def test_folders_and_score_file_in_another_case(tree):
    (tree / "reference_images").rename(tree / "Reference_Images")
    (tree / "mos_with_names.txt").rename(tree / "MOS_with_names.txt")
    inspect(load(tree))


def test_deviations_are_read_if_their_number_fits(tree):
    (tree / "mos_std.txt").write_text("0.1\n0.2\n0.3\n")
    assert [pair.score_std for pair in load(tree).pairs] == [0.1, 0.2, 0.3]
    (tree / "mos_std.txt").write_text("0.1\n" * 3000)
    assert all(math.isnan(pair.score_std) for pair in load(tree).pairs)


@pytest.mark.parametrize(("dataset", "published"), [("tid2008", 1700), ("tid2013", 3000)])
def test_an_incomplete_copy_must_be_allowed(tree, dataset, published):
    with pytest.raises(DatasetError, match=rf"{published} pairs, .* lists 3; .*set allow_partial"):
        load(tree, dataset, allow_partial=False)


def test_missing_images_are_named_or_left_out(tree):
    (tree / "distorted_images" / "I01_01_2.BMP").unlink()
    with pytest.raises(DatasetError, match="row 2: .*/i01_01_2.bmp: there is no such file"):
        inspect(load(tree))
    kept, _ = inspect(load(tree), leave_out_missing=True)
    assert len(kept.pairs) == 2


def test_files_missing_from_the_table(tree):
    trees.save_small(tree / "distorted_images" / "i03_01_1.bmp")
    (tree / "reference_images" / "Thumbs.db").touch()
    assert len(load(tree).pairs) == 3


@pytest.mark.parametrize("name", ["mos_with_names.txt", "reference_images", "distorted_images"])
def test_missing_parts_of_the_layout_are_named(tree, name):
    (tree / name).rename(tree / "elsewhere")
    with pytest.raises(DatasetError, match=f"expected {name} in it, found .*elsewhere"):
        load(tree)


def test_no_folder(tmp_path):
    with pytest.raises(DatasetError, match="there is no folder"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "row",
    [
        "5",
        "5 I01_01_1.bmp extra",
        "5 I01_25_1.bmp",
        "5 I01_00_1.bmp",
        "5 I01_01_0.bmp",
        "5 ../I01_01_1.bmp",
        "5 /I01_01_1.bmp",
    ],
)
def test_malformed_rows_are_listed(tree, row):
    write_rows(tree, "5.51429 I01_01_1.bmp", row)
    with pytest.raises(DatasetError, match="1 malformed row") as error:
        load(tree)
    assert str(error.value).endswith(row)


def test_a_score_that_is_text_is_reported_with_its_row(tree):
    write_rows(tree, "5.51429 I01_01_1.bmp", "good i01_01_2.bmp")
    with pytest.raises(DatasetError, match="row 2: .*I01_01_2.BMP: has no finite score"):
        inspect(load(tree))


def test_an_empty_score_file(tree):
    (tree / "mos_with_names.txt").write_text("")
    with pytest.raises(DatasetError, match="mos_with_names.txt: is empty"):
        load(tree)


def test_empty_images_are_reported(tree):
    (tree / "distorted_images" / "I01_01_2.BMP").write_bytes(b"")
    with pytest.raises(DatasetError, match="row 2: .*I01_01_2.BMP: is an empty file"):
        inspect(load(tree))


def test_an_image_that_is_a_symlink_to_itself(tree):
    path = tree / "distorted_images" / "I01_01_2.BMP"
    path.unlink()
    path.symlink_to(path)
    with pytest.raises(DatasetError, match="row 2: .*I01_01_2.BMP: cannot be read"):
        inspect(load(tree))


def test_names_that_differ_only_in_case(tree):
    trees.save_small(tree / "distorted_images" / "i01_01_2.bmp")  # spelt as in the table
    assert load(tree).pairs[1].distorted == "distorted_images/i01_01_2.bmp"
    trees.save_small(tree / "reference_images" / "I02.bmp")  # neither is spelt I02.BMP
    with pytest.raises(DatasetError, match="could be any of I02.bmp, i02.bmp"):
        load(tree)


@pytest.mark.parametrize("dataset", EDITIONS)
def test_direction_is_known(tree, dataset):
    assert load(tree, dataset, score_direction="higher").higher_is_better
    with pytest.raises(DatasetError, match="not lower for better"):
        load(tree, dataset, score_direction="lower")


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [("tid2008", (1700, 17 * 4, 0, 7.7143)), ("tid2013", (3000, 24 * 5, 0.24242, 7.2143))],
)
def test_the_published_table(tmp_path, test_data, empty_image, dataset, expected):
    """All rows, with empty images: the counts of the publication."""
    pairs, conditions, *scores = expected
    trees.make_published(dataset, tmp_path, test_data / "mos_tables", save_image=empty_image)
    table = load(tmp_path, dataset, allow_partial=False)
    assert len(table.pairs) == pairs
    assert len({pair.reference for pair in table.pairs}) == 25
    assert len({(pair.distortion, pair.level) for pair in table.pairs}) == conditions
    found = [pair.score for pair in table.pairs]
    assert [min(found), max(found)] == pytest.approx(scores, abs=1e-4)
    assert all((tmp_path / pair.distorted).exists() for pair in table.pairs)
