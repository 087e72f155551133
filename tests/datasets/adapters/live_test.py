import math

import pytest
import scipy.io
from datasets import trees

from iqa_jax.datasets import inspect, load_dataset
from iqa_jax.datasets.adapters.live import PRISTINE
from iqa_jax.errors import DatasetError

COPIES = {
    f"{folder}/img{number}.bmp"
    for folder, copies in {"jp2k": 58, "jpeg": 58, "wn": 29, "gblur": 29, "fastfading": 29}.items()
    for number in range(1, copies + 1)
}
ROWS = {
    name: (reference, score)
    for index, name in enumerate(
        f"{folder}/img{number}.bmp"
        for folder, count in trees.LIVE_FOLDERS.items()
        for number in range(1, count + 1)
    )
    for reference, score in [(f"photograph{index % 29}.bmp", 20 + index / 10)]
    if name not in COPIES
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """All 982 images, empty."""
    folder = tmp_path_factory.mktemp("live")
    (folder / "empty").touch()
    return trees.make_live(folder, ROWS, save_image=trees.links_to(folder / "empty"))


@pytest.fixture
def tree(tmp_path):
    """A tree to damage, with the images of a single row."""
    trees.make_live(tmp_path, ROWS, save_image=lambda path: None)
    trees.save_small(tmp_path / "wn" / "img30.bmp")
    trees.save_small(tmp_path / "refimgs" / ROWS["wn/img30.bmp"][0])
    return tmp_path


def change(tree, file, **variables):
    kept = {k: v for k, v in scipy.io.loadmat(tree / file).items() if not k.startswith("__")}
    changed = {k: v for k, v in (kept | variables).items() if v is not None}
    scipy.io.savemat(tree / file, changed)


def test_realigned_scores_without_pristine_copies(whole):
    table = load_dataset("live", data_dir=whole)
    assert table.name == "live"
    assert not table.higher_is_better
    assert len(table.pairs) == table.published_pairs == 779
    assert {pair.distorted: pair.score for pair in table.pairs} == {
        name: score for name, (_, score) in ROWS.items()
    }
    assert {pair.reference for pair in table.pairs} == {
        f"refimgs/photograph{n}.bmp" for n in range(29)
    }
    kinds = [pair.distortion for pair in table.pairs]
    counts = {kind: kinds.count(kind) for kind in kinds}
    assert counts == {
        "JPEG2000 compression": 169,
        "JPEG compression": 175,
        "white noise": 145,
        "Gaussian blur": 145,
        "fast fading channel": 145,
    }
    pair = table.pairs[-1]
    assert pair.distorted == "fastfading/img174.bmp"
    assert pair.score_std == pytest.approx(pair.score / 10)
    assert pair.reference_id == pair.reference.removeprefix("refimgs/").removesuffix(".bmp")
    assert pair.level == ""


def test_original_scores(whole):
    realigned, original = (
        load_dataset("live", data_dir=whole),
        load_dataset("live:original", data_dir=whole),
    )
    assert original.name == "live:original"
    assert len(original.pairs) == original.published_pairs == 779
    for one, other in zip(realigned.pairs, original.pairs, strict=True):
        assert (one.reference, one.distorted) == (other.reference, other.distorted)
        assert other.score == one.score + 1
        assert math.isnan(other.score_std)


def test_with_pristine_copies(whole):
    table = load_dataset("live:with-pristine", data_dir=whole)
    assert table.name == "live:with-pristine"
    assert len(table.pairs) == table.published_pairs == 982
    copies = [pair for pair in table.pairs if pair.distortion == PRISTINE]
    assert {pair.distorted for pair in copies} == COPIES
    assert len(copies) == 203


def test_direction_is_known(whole):
    assert not load_dataset("live", data_dir=whole, score_direction="lower").higher_is_better
    with pytest.raises(DatasetError, match="live:original: its scores are not higher for better"):
        load_dataset("live:original", data_dir=whole, score_direction="higher")


def test_names_in_another_case(tree):
    (tree / "wn").rename(tree / "WN")
    (tree / "dmos_realigned.mat").rename(tree / "DMOS_realigned.mat")
    reference = ROWS["wn/img30.bmp"][0]
    (tree / "refimgs" / reference).rename(tree / "refimgs" / reference.upper())
    table, _ = inspect(load_dataset("live", data_dir=tree), leave_out_missing=True)
    assert [(pair.reference, pair.distorted) for pair in table.pairs] == [
        (f"refimgs/{reference.upper()}", "WN/img30.bmp")
    ]


def test_the_other_name_of_the_original_scores(tree):
    (tree / "dmos_live.mat").write_bytes((tree / "dmos.mat").read_bytes())
    with pytest.raises(DatasetError, match="has dmos.mat and dmos_live.mat, but only one"):
        load_dataset("live:original", data_dir=tree)
    assert len(load_dataset("live", data_dir=tree).pairs) == 779
    (tree / "dmos.mat").unlink()
    assert len(load_dataset("live:original", data_dir=tree).pairs) == 779


def test_deviations_may_be_missing(tree):
    change(tree, "dmos_realigned.mat", dmos_std=None)
    assert all(math.isnan(pair.score_std) for pair in load_dataset("live", data_dir=tree).pairs)


@pytest.mark.parametrize(
    "name", ["dmos_realigned.mat", "refnames_all.mat", "refimgs", "gblur", "fastfading"]
)
def test_missing_parts_of_the_layout_are_named(tree, name):
    (tree / name).rename(tree / "elsewhere")
    with pytest.raises(DatasetError, match=f"expected {name} in it, found .*elsewhere"):
        load_dataset("live", data_dir=tree)


def test_flags_that_differ_from_the_published_ones(tree):
    orgs = scipy.io.loadmat(tree / "dmos_realigned.mat")["orgs"]
    orgs[0, 0] = 0
    change(tree, "dmos_realigned.mat", orgs=orgs)
    with pytest.raises(DatasetError, match="has 779 pairs, .* lists 780"):
        load_dataset("live", data_dir=tree)


def test_variables_of_the_wrong_length_or_type(tree):
    change(tree, "dmos_realigned.mat", orgs=[[0, 1]])
    with pytest.raises(DatasetError, match="982 images .*, found 982, 982, 982, 2 values"):
        load_dataset("live", data_dir=tree)
    change(tree, "dmos_realigned.mat", orgs=None)
    with pytest.raises(DatasetError, match="expected the variable orgs, found dmos_new, dmos_std"):
        load_dataset("live", data_dir=tree)
    change(tree, "dmos_realigned.mat", dmos_new="text")
    with pytest.raises(DatasetError, match="expected numbers in dmos_new"):
        load_dataset("live", data_dir=tree)


def test_names_that_lead_to_other_folders(tree):
    names = scipy.io.loadmat(tree / "refnames_all.mat")["refnames_all"]
    names[0, 100] = "../secret.bmp"
    change(tree, "refnames_all.mat", refnames_all=names)
    with pytest.raises(DatasetError, match="refnames_all.mat: expected file names without"):
        load_dataset("live", data_dir=tree)


def test_a_score_that_is_not_a_number_is_reported_with_its_row(tree):
    scores = scipy.io.loadmat(tree / "dmos_realigned.mat")["dmos_new"]
    scores[:] = math.nan
    change(tree, "dmos_realigned.mat", dmos_new=scores)
    with pytest.raises(DatasetError, match="row 1: wn/img30.bmp: has no finite score"):
        inspect(load_dataset("live", data_dir=tree), leave_out_missing=True)


@pytest.mark.parametrize("file", ["dmos_realigned.mat", "refnames_all.mat"])
def test_bad_score_files(tree, file):
    path = tree / file
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(DatasetError, match=f"{file}: is not a valid MATLAB file"):
        load_dataset("live", data_dir=tree)
    path.write_bytes(b"")
    with pytest.raises(DatasetError, match=f"{file}: is empty"):
        load_dataset("live", data_dir=tree)


def test_the_published_table(tmp_path, test_data, empty_image):
    trees.make_published("live", tmp_path, test_data / "mos_tables", save_image=empty_image)
    table = load_dataset("live", data_dir=tmp_path)
    assert len(table.pairs) == 779
    assert len({pair.reference for pair in table.pairs}) == 29
    scores = {pair.distorted: pair.score for pair in table.pairs}
    assert scores["jp2k/img2.bmp"] == pytest.approx(15.5, abs=0.05)
    assert min(scores.values()) == pytest.approx(-2.64, abs=0.01)
    assert max(scores.values()) == pytest.approx(111.77, abs=0.01)
    assert all((tmp_path / pair.reference).exists() for pair in table.pairs)
