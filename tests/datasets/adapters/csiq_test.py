import math

import openpyxl
import pytest
from datasets import trees

from iqa_jax.datasets import inspect, load_dataset
from iqa_jax.errors import DatasetError

ROWS = [
    (1600, "noise", 1, 0.05, 0.062),
    (1600, "jpeg 2000", 5, 0.1, 0.8),
    ("aerial_city", "contrast", 3, 0.09, 0.4),
    ("aerial_city", "blur", 2, 0.08, 0.1),
    ("aerial_city", "jpeg", 4, 0.07, 0.5),
    ("aerial_city", "fnoise", 1, 0.06, 0.0),
]
NAMES = [
    "awgn/1600.AWGN.1.png",
    "jpeg2000/1600.jpeg2000.5.png",
    "contrast/aerial_city.contrast.3.png",
    "blur/aerial_city.BLUR.2.png",
    "jpeg/aerial_city.JPEG.4.png",
    "fnoise/aerial_city.fnoise.1.png",
]
REPACKED = [(name.split("/")[1], row[-1]) for name, row in zip(NAMES, ROWS, strict=True)]


@pytest.fixture
def tree(tmp_path):
    return trees.make_csiq(tmp_path / "CSIQ", ROWS, save_image=trees.save_small)


def load(tree, **options):
    return load_dataset("csiq", data_dir=tree, **{"allow_partial": True, **options})


def change_cell(tree, row, column, value):
    path = tree / "csiq.DMOS.xlsx"
    workbook = openpyxl.load_workbook(path)
    workbook["all_by_image"].cell(row, column).value = value
    workbook.save(path)


def test_reads_the_workbook(tree):
    table = load(tree)
    inspect(table)
    assert not table.higher_is_better
    assert table.score_range == (0, 1)
    assert [pair.distorted for pair in table.pairs] == [f"dst_imgs/{name}" for name in NAMES]
    first, second, *_ = table.pairs
    assert first.reference == "src_imgs/1600.png"
    assert first.reference_id == "1600"
    assert (first.distortion, first.level) == ("additive white Gaussian noise", "1")
    assert (second.distortion, second.level) == ("JPEG2000 compression", "5")
    assert [pair.score for pair in table.pairs] == [row[-1] for row in ROWS]
    assert [pair.score_std for pair in table.pairs] == [row[-2] for row in ROWS]


def test_the_image_1600_may_also_be_text(tree):
    change_cell(tree, 5, 4, "1600")
    inspect(load(tree))
    change_cell(tree, 5, 4, 1600.0)
    inspect(load(tree))


@pytest.mark.parametrize("folder", ["dst_imgs", "dst_imgs_all"])
def test_reads_the_repacked_copy(tmp_path, folder):
    tree = trees.make_csiq_repacked(
        tmp_path, REPACKED, distorted=folder, save_image=trees.save_small
    )
    table, _ = inspect(load(tree))
    expected = [f"{folder}/{name.split('/')[1]}" for name in NAMES]
    assert [pair.distorted for pair in table.pairs] == expected
    assert [pair.score for pair in table.pairs] == [row[-1] for row in ROWS]
    assert all(math.isnan(pair.score_std) for pair in table.pairs)


def test_both_layouts_give_the_same_rows(tree, tmp_path):
    repacked = trees.make_csiq_repacked(tmp_path / "repacked", REPACKED)
    for one, other in zip(load(tree).pairs, load(repacked).pairs, strict=True):
        assert (one.reference, one.distortion, one.level) == (
            (other.reference, other.distortion, other.level)
        )


def test_labels_with_one_folder_per_type(tree):
    (tree / "csiq.DMOS.xlsx").unlink()
    (tree / "csiq_label.txt").write_text("1600.awgn.1.png 0.062\n")
    assert load(tree).pairs[0].distorted == "dst_imgs/awgn/1600.AWGN.1.png"


def test_the_workbook_is_preferred(tree):
    (tree / "csiq_label.txt").write_text("1600.AWGN.1.png 0.5\n")
    assert len(load(tree).pairs) == len(ROWS)


def test_folders_in_another_case(tree):
    for name in ("awgn", "blur", "jpeg"):
        (tree / "dst_imgs" / name).rename(tree / "dst_imgs" / name.upper())
    table, _ = inspect(load(tree))
    assert table.pairs[0].distorted == "dst_imgs/AWGN/1600.AWGN.1.png"


def test_two_folders_of_distorted_images(tree):
    (tree / "dst_imgs_all").mkdir()
    with pytest.raises(DatasetError, match="has dst_imgs and dst_imgs_all, but only one"):
        load(tree)


def test_an_image_in_two_places(tree):
    trees.save_small(tree / "dst_imgs" / "1600.awgn.1.png")
    with pytest.raises(DatasetError, match="dst_imgs/awgn/1600.AWGN.1.png, dst_imgs/1600.awgn.1"):
        load(tree)


@pytest.mark.parametrize(("column", "value"), [(6, "pink"), (7, 6), (7, None), (7, 1.5)])
def test_malformed_rows_are_listed(tree, column, value):
    change_cell(tree, 6, column, value)
    with pytest.raises(DatasetError, match="1 malformed row; expected a type of AWGN, BLUR"):
        load(tree)


def test_rows_without_an_image_are_skipped(tree):
    change_cell(tree, 15, 9, 0.33)
    assert len(load(tree).pairs) == len(ROWS)


@pytest.mark.parametrize("row", ["1600.AWGN.1.png", "../1600.AWGN.1.png 0.1", "1600.AWGN.png 0.1"])
def test_malformed_labels_are_listed(tmp_path, row):
    tree = trees.make_csiq_repacked(tmp_path, REPACKED)
    (tree / "csiq_label.txt").write_text(f"1600.AWGN.1.png 0.062\n{row}\n")
    with pytest.raises(DatasetError, match=r"1 malformed row; expected 1600.AWGN.1.png SC"):
        load(tree)


def test_names_that_lead_to_other_folders(tree):
    change_cell(tree, 6, 4, "../1600")
    with pytest.raises(DatasetError, match="csiq.DMOS.xlsx: expected file names without"):
        load(tree)


@pytest.mark.parametrize("value", ["n/a", None])
def test_a_score_that_is_not_a_number_is_reported_with_its_row(tree, value):
    change_cell(tree, 6, 9, value)
    with pytest.raises(DatasetError, match="row 2: .*1600.jpeg2000.5.png: has no finite score"):
        inspect(load(tree))


def test_a_missing_image_is_named(tree):
    (tree / "dst_imgs" / "awgn" / "1600.AWGN.1.png").unlink()
    with pytest.raises(DatasetError, match="row 1: dst_imgs/awgn/1600.AWGN.1.png: there is no"):
        inspect(load(tree))


def test_bad_score_files(tree):
    path = tree / "csiq.DMOS.xlsx"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DatasetError, match="csiq.DMOS.xlsx: is not a valid Excel workbook"):
        load(tree)
    path.write_bytes(b"")
    with pytest.raises(DatasetError, match="csiq.DMOS.xlsx: is empty"):
        load(tree)
    path.unlink()
    with pytest.raises(
        DatasetError, match="expected csiq_label.txt or csiq.DMOS.xlsx in it, found"
    ):
        load(tree)


def test_an_incomplete_copy_must_be_allowed(tree):
    with pytest.raises(DatasetError, match=r"866 pairs, .* lists 6; .*set allow_partial"):
        load(tree, allow_partial=False)


def test_the_published_table(tmp_path, test_data, empty_image):
    trees.make_published("csiq", tmp_path, test_data / "mos_tables", save_image=empty_image)
    table = load(tmp_path, allow_partial=False, score_direction="lower")
    assert len(table.pairs) == 866
    assert len({pair.reference for pair in table.pairs}) == 30
    kinds = [pair.distortion for pair in table.pairs]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    assert counts.pop("global contrast decrements") == 116
    assert set(counts.values()) == {150}
    assert len(counts) == 5
    assert all((tmp_path / pair.distorted).exists() for pair in table.pairs)
    assert {pair.score for pair in table.pairs} >= {0.0, 1.0}
