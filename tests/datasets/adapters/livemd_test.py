import numpy as np
import pytest
import scipy.io
from datasets import trees

from iqa_jax.datasets import inspect, load_dataset
from iqa_jax.errors import DatasetError

ROWS = [
    (1, "iceroad_blur1.bmp", 12.5),
    (1, "iceroad_blur1_jpeg2.bmp", 60.0),
    (1, "bikes_blur1.bmp", 20.0),
    (2, "iceroad_blur1.bmp", 14.0),
    (2, "iceroad_blur1_noise2.bmp", 70.0),
]


@pytest.fixture
def tree(tmp_path):
    return trees.make_livemd(tmp_path, ROWS, save_image=trees.save_small)


def load(tree, **options):
    return load_dataset("livemd", data_dir=tree, **{"allow_partial": True, **options})


def change(tree, file, **variables):
    kept = {k: v for k, v in scipy.io.loadmat(tree / file).items() if not k.startswith("__")}
    scipy.io.savemat(tree / file, kept | variables)


def test_reads_both_parts(tree):
    table = load(tree)
    inspect(table)
    assert not table.higher_is_better
    assert [pair.distorted for pair in table.pairs] == [
        "Part 1/blurjpeg/iceroad_blur1.bmp",
        "Part 1/blurjpeg/iceroad_blur1_jpeg2.bmp",
        "Part 1/blurjpeg/bikes_blur1.bmp",
        "Part 2/blurnoise/iceroad_blur1.bmp",
        "Part 2/blurnoise/iceroad_blur1_noise2.bmp",
    ]
    assert [pair.score for pair in table.pairs] == [score for _, _, score in ROWS]
    assert table.pairs[2].reference == "Part 1/blurjpeg/bikes.bmp"
    assert table.pairs[0].distortion == "Gaussian blur, then JPEG compression"
    assert table.pairs[3].distortion == "Gaussian blur, then white noise"


def test_a_name_in_both_parts_is_two_images(tree):
    first, *_, second, _ = load(tree).pairs
    assert first.distorted.rsplit("/", maxsplit=1)[1] == second.distorted.rsplit("/", maxsplit=1)[1]
    assert first.distorted != second.distorted
    assert (first.score, second.score) == (12.5, 14.0)
    assert first.reference_id == second.reference_id == "iceroad"
    assert first.reference != second.reference


def test_the_folder_of_the_archive(tmp_path):
    trees.make_livemd(tmp_path / "To_Release", ROWS, save_image=trees.save_small)
    table, _ = inspect(load(tmp_path))
    assert table.pairs[0].distorted == "To_Release/Part 1/blurjpeg/iceroad_blur1.bmp"
    assert len(load(tmp_path / "To_Release").pairs) == len(ROWS)


def test_names_in_another_case(tree):
    (tree / "Part 1").rename(tree / "part 1")
    (tree / "Part 2" / "Scores.mat").rename(tree / "Part 2" / "scores.mat")
    table, _ = inspect(load(tree))
    assert table.pairs[0].reference == "part 1/blurjpeg/iceroad.bmp"


@pytest.mark.parametrize(
    "name", ["Part 2", "Part 1/blurjpeg", "Part 1/Imagelists.mat", "Part 2/Scores.mat"]
)
def test_missing_parts_of_the_layout_are_named(tree, name):
    (tree / name).rename((tree / name).with_name("elsewhere"))
    with pytest.raises(DatasetError, match=f"expected {name.split('/')[-1]} in it, found .*else"):
        load(tree)


def test_lists_and_scores_of_different_lengths(tree):
    change(tree, "Part 1/Scores.mat", DMOSscores=np.zeros((1, 5)))
    with pytest.raises(DatasetError, match="Imagelists.mat: has 3 images, but Scores.mat 5 scores"):
        load(tree)


def test_names_that_lead_to_other_folders(tree):
    names = scipy.io.loadmat(tree / "Part 2" / "Imagelists.mat")["distimgs"]
    names[1, 0] = "../iceroad_1.bmp"
    change(tree, "Part 2/Imagelists.mat", distimgs=names)
    with pytest.raises(DatasetError, match="Imagelists.mat: expected file names without"):
        load(tree)


def test_a_score_that_is_not_a_number_is_reported_with_its_row(tree):
    change(tree, "Part 2/Scores.mat", DMOSscores=np.array([[np.nan, 70]]))
    with pytest.raises(DatasetError, match="row 4: Part 2/.*iceroad_blur1.bmp: has no finite"):
        inspect(load(tree))


def test_bad_score_files(tree):
    path = tree / "Part 1" / "Scores.mat"
    path.write_bytes(path.read_bytes()[:150])
    with pytest.raises(DatasetError, match="Scores.mat: is not a valid MATLAB file"):
        load(tree)
    path.write_bytes(b"")
    with pytest.raises(DatasetError, match="Scores.mat: is empty"):
        load(tree)


def test_the_published_number(tmp_path, empty_image):
    rows = [
        (part, f"photograph{number % 15}_{number}.bmp", number / 3)
        for part in (1, 2)
        for number in range(225)
    ]
    tree = trees.make_livemd(tmp_path, rows, save_image=empty_image)
    table = load(tree, allow_partial=False, score_direction="lower")
    assert len(table.pairs) == 450
    assert len({pair.distorted for pair in table.pairs}) == 450
    assert len({pair.reference_id for pair in table.pairs}) == 15


def test_an_incomplete_copy_must_be_allowed(tree):
    with pytest.raises(DatasetError, match=r"450 pairs, .* lists 5; .*set allow_partial"):
        load(tree, allow_partial=False)
