from collections import Counter

import pytest
from etils import epath

from iqa_jax.datasets.splits import (
    content_folds,
    overlap_warning,
    read_folds,
    trained_on,
    write_folds,
)
from iqa_jax.errors import DatasetError

CONTENTS = [f"I{number:02d}" for number in range(1, 26)]


def test_folds_are_of_equal_size():
    folds = content_folds(CONTENTS, 4, seed=0)
    assert set(folds) == set(CONTENTS)
    assert sorted(Counter(folds.values()).values()) == [6, 6, 6, 7]
    assert set(folds.values()) == {0, 1, 2, 3}


def test_folds_are_those_of_every_machine():
    """By hand: SHA-256 of "seed<tab>name" sorts the names."""
    assert content_folds("abcdef", 3, seed=7) == {"a": 1, "b": 0, "c": 1, "d": 2, "e": 0, "f": 2}


def test_order_and_repetition_do_not_matter():
    folds = content_folds(CONTENTS, 5, seed=3)
    assert content_folds([*CONTENTS[::-1], *CONTENTS], 5, seed=3) == folds


def test_seeds_give_other_folds():
    found = [tuple(content_folds(CONTENTS, 5, seed=seed)[c] for c in CONTENTS) for seed in range(9)]
    assert len(set(found)) == 9


def test_every_content_can_be_a_fold():
    assert sorted(content_folds(CONTENTS, 25, seed=0).values()) == list(range(25))


@pytest.mark.parametrize("folds", [26, 1, 0, -1])
def test_folds_that_cannot_be(folds):
    with pytest.raises(DatasetError, match=f"found {folds} folds and 25 references"):
        content_folds(CONTENTS * 2, folds, seed=0)


def test_written_folds_are_read_again(tmp_path):
    contents = [*CONTENTS, "ein bild, mit komma", 'mit "ö"']
    folds = content_folds(contents, 3, seed=0)
    path = epath.Path(tmp_path) / "folds.csv"
    write_folds(path, folds)
    assert path.read_text().splitlines()[:2] == ["reference_id,fold", f"I01,{folds['I01']}"]
    assert read_folds(path, contents) == folds
    assert read_folds(path, CONTENTS) == {content: folds[content] for content in CONTENTS}


def test_folds_saved_by_a_spreadsheet(tmp_path):
    path = epath.Path(tmp_path) / "folds.csv"
    path.write_bytes("\ufeffreference_id,fold\r\na,0\r\nö,1\r\n".encode())
    assert read_folds(path, ["a", "ö"]) == {"a": 0, "ö": 1}


def test_every_wrong_row_is_named(tmp_path):
    path = epath.Path(tmp_path) / "folds.csv"
    path.write_text("reference_id,fold\na,0\nb,one\na,1\nc,-1\nd\ne,1,2\n")
    with pytest.raises(DatasetError) as error:
        read_folds(path, "abf")
    message = str(error.value)
    assert "7 problems" in message
    for line in (
        "line 3: expected a reference and a fold, found ['b', 'one']",
        "line 4: a stands twice",
        "line 5: expected a reference and a fold, found ['c', '-1']",
        "line 6: expected a reference and a fold, found ['d']",
        "line 7: expected a reference and a fold, found ['e', '1', '2']",
        "b: has no fold",
        "f: has no fold",
    ):
        assert line in message


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "found no file at .*folds.csv"),
        (b"", "expected the columns reference_id,fold, found nothing"),
        (b"\n", "expected the columns reference_id,fold, found nothing"),
        (b'reference_id,fold\n"' + b"a" * 200_000, "line 2: is not comma-separated values"),
        (b"fold,reference_id\n0,a\n", "found fold,reference_id"),
        (b"\xff\xfe\x00", "is not text in UTF-8"),
        (b"reference_id,fold\na,0\nb,0\n", "all references are in one fold"),
    ],
    ids=["missing", "empty", "blank", "endless", "columns", "binary", "one"],
)
def test_files_that_are_no_folds(tmp_path, content, complaint):
    path = epath.Path(tmp_path) / "folds.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DatasetError, match=complaint):
        read_folds(path, "ab")


@pytest.mark.parametrize(
    ("training", "test", "shared"),
    [
        ("tid2008", "tid2013", "show the same 25 images"),
        ("tid2013", "tid2008", "show the same 25 images"),
        ("TID2013", "LIVE", "photographs of the Kodak set"),
        ("live:original", "tid2008", "photographs of the Kodak set"),
        ("live:original", "live", "have the same images"),
        ("csiq", "csiq", "csiq is training and test alike"),
        ("bapps-2afc:train", "bapps-2afc:train", "is training and test alike"),
        ("bapps-2afc:train", "bapps-2afc:train-lpips", "is training and test alike"),
        ("bapps-2afc:lpips", "bapps-2afc", "is training and test alike"),
        ("bapps-jnd", "bapps-jnd:lpips", "is training and test alike"),
    ],
)
def test_overlaps_are_named(training, test, shared):
    warning = overlap_warning(training, test)
    assert warning is not None
    assert shared in warning
    assert test in warning


@pytest.mark.parametrize(
    ("training", "test"),
    [
        ("tid2013", "kadid10k"),
        ("csiq", "live"),
        ("bapps-2afc:train", "bapps-2afc"),
        ("bapps-2afc:train-lpips", "bapps-2afc:lpips"),
        ("bapps-2afc:train", "bapps-2afc:lpips"),
        ("csv", "demo"),
    ],
)
def test_no_overlap_is_known(training, test):
    assert overlap_warning(training, test) is None


@pytest.mark.parametrize(
    ("metric", "dataset", "reason"),
    [
        ("dists", "kadid10k", "DISTS was trained on the scores of KADID-10k"),
        ("dists:resize256", "KADID-10k", "DISTS was trained on the scores of KADID-10k"),
        ("vgg16/relu1_2/structure_texture@dists", "kadid10k", "DISTS was trained"),
        ("lpips-alex", "bapps-2afc:train", "LPIPS was trained on the training part of BAPPS"),
        ("lpips-alex", "bapps-2afc:train-lpips", "LPIPS was trained on the training part"),
        ("vgg16/relu1_2/unit@lpips-vgg", "bapps-2afc:train", "LPIPS was trained"),
    ],
)
def test_metrics_that_were_trained_on_the_test(metric, dataset, reason):
    warning = trained_on(metric, dataset)
    assert warning is not None
    assert reason in warning
    assert metric in warning


@pytest.mark.parametrize(
    ("metric", "dataset"),
    [
        ("lpips-alex", "bapps-2afc"),
        ("lpips-alex", "bapps-2afc:lpips"),
        ("lpips-alex", "kadid10k"),
        ("dists", "tid2013"),
        ("ssim:matlab", "kadid10k"),
        ("vgg16/relu1_2/unit", "kadid10k"),
        ("vgg16/relu1_2/unit@mine", "bapps-2afc:train"),
    ],
)
def test_metrics_that_were_not(metric, dataset):
    assert trained_on(metric, dataset) is None
