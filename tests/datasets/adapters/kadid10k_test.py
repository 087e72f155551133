import math
import time

import pytest
from datasets import trees

from iqa_jax.datasets import inspect, load_dataset
from iqa_jax.datasets.adapters.kadid10k import DISTORTIONS
from iqa_jax.errors import DatasetError

ROWS = [
    ("I01_01_01.png", "I01.png", 4.57, 0.49),
    ("I01_25_05.png", "I01.png", 3.27, 1.44),
    ("I81_10_03.png", "I81.png", 1.0, 0.0),
]


@pytest.fixture
def tree(tmp_path):
    return trees.make_kadid10k(tmp_path, ROWS, save_image=trees.save_small)


def load(tree, **options):
    return load_dataset("kadid10k", data_dir=tree, **{"allow_partial": True, **options})


def write_rows(tree, *rows):
    (tree / "dmos.csv").write_text("\n".join(["dist_img,ref_img,dmos,var", *rows]) + "\n")


def test_reads_the_official_layout(tree):
    table = load(tree)
    inspect(table)
    assert table.higher_is_better, "although the column is called dmos"
    assert table.score_range == (1, 5)
    first, second, third = table.pairs
    assert (first.reference, first.distorted) == ("images/I01.png", "images/I01_01_01.png")
    assert (first.distortion, first.level) == ("Gaussian blur", "1")
    assert (second.distortion, second.level) == ("contrast change", "5")
    assert (third.distortion, third.level, third.reference_id) == ("JPEG compression", "3", "I81")
    assert [pair.score for pair in table.pairs] == [4.57, 3.27, 1.0]


def test_the_fourth_column_is_a_variance(tree):
    assert [pair.score_std for pair in load(tree).pairs] == pytest.approx([0.7, 1.2, 0.0])
    write_rows(tree, "I01_01_01.png,I01.png,4,-1", "I01_25_05.png,I01.png,4,none")
    assert all(math.isnan(pair.score_std) for pair in load(tree).pairs)


def test_copies_with_two_folders(tmp_path):
    tree = trees.make_kadid10k(tmp_path, ROWS, is_split=True, save_image=trees.save_small)
    table, _ = inspect(load(tree))
    assert table.pairs[0].reference == "reference_images/I01.png"
    assert table.pairs[0].distorted == "distorted_images/I01_01_01.png"
    (tree / "images").mkdir()
    with pytest.raises(DatasetError, match="has images and distorted_images, but only one"):
        load(tree)


def test_names_in_another_case(tree):
    (tree / "images").rename(tree / "Images")
    (tree / "dmos.csv").rename(tree / "DMOS.csv")
    (tree / "Images" / "I01.png").rename(tree / "Images" / "i01.PNG")
    table, _ = inspect(load(tree))
    assert table.pairs[0].reference == "Images/i01.PNG"


def test_images_identical_to_their_reference_are_kept(tree):
    """Some distortions change nothing; observers still scored them below 5."""
    data = (tree / "images" / "I01.png").read_bytes()
    (tree / "images" / "I01_01_01.png").write_bytes(data)
    table, _ = inspect(load(tree))
    assert table.pairs[0].score == 4.57


@pytest.mark.parametrize(
    "row",
    [
        "I01_01_01.png,I02.png,4,1",
        "I01_26_01.png,I01.png,4,1",
        "I01_01_06.png,I01.png,4,1",
        "I01_00_01.png,I01.png,4,1",
        "../I01_01_01.png,I01.png,4,1",
        "I01_01_01.png,../I01.png,4,1",
        "I01_01_01.png",
    ],
)
def test_malformed_rows_are_listed(tree, row):
    write_rows(tree, "I01_01_01.png,I01.png,4,1", row)
    with pytest.raises(DatasetError, match="1 malformed row; expected I01_01_01.png of"):
        load(tree)


def test_a_score_that_is_text_is_reported_with_its_row(tree):
    write_rows(tree, "I01_01_01.png,I01.png,4,1", "I01_25_05.png,I01.png,bad,1")
    with pytest.raises(DatasetError, match="row 2: images/I01_25_05.png: has no finite score"):
        inspect(load(tree))


def test_empty_images_are_reported(tree):
    (tree / "images" / "I01_25_05.png").write_bytes(b"")
    with pytest.raises(DatasetError, match="1 problem .*\n.*row 2: .*I01_25_05.png: is an empty"):
        inspect(load(tree))


def test_bad_score_files(tree):
    scores = tree / "dmos.csv"
    scores.write_text("dist_img,dmos\nI01_01_01.png,4\n")
    with pytest.raises(DatasetError, match="has no column ref_img, var; .* found dist_img,dmos"):
        load(tree)
    scores.write_text("")
    with pytest.raises(DatasetError, match="dmos.csv: has no column .* found nothing"):
        load(tree)
    scores.unlink()
    with pytest.raises(DatasetError, match="expected dmos.csv in it, found images"):
        load(tree)


def test_a_folder_that_is_a_symlink_to_itself(tree):
    (tree / "images").rename(tree / "elsewhere")
    (tree / "images").symlink_to(tree / "images")
    with pytest.raises(DatasetError, match="images: cannot be listed .*symbolic links"):
        load(tree)


def test_an_incomplete_copy_must_be_allowed(tree):
    with pytest.raises(DatasetError, match=r"10125 pairs, .* lists 3; .*set allow_partial"):
        load(tree, allow_partial=False)


def test_the_published_table(tmp_path, test_data, empty_image):
    trees.make_published("kadid10k", tmp_path, test_data / "mos_tables", save_image=empty_image)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        table = load(tmp_path, allow_partial=False, score_direction="higher")
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 2  # about 0.2 on one free core
    assert len(table.pairs) == 10125
    assert len({pair.reference for pair in table.pairs}) == 81
    assert {pair.distortion for pair in table.pairs} == set(DISTORTIONS)
    assert len({(pair.distortion, pair.level) for pair in table.pairs}) == 125
    scores = [pair.score for pair in table.pairs]
    assert (min(scores), max(scores)) == (1.0, 4.93)
