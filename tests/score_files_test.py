import json

import numpy as np
import pytest
from etils import epath

from iqa_jax.datasets import pair_lists
from iqa_jax.errors import InputError
from iqa_jax.score import Scores
from iqa_jax.score_files import ScoreFiles, to_csv

SIGNATURE = {"metrics": {"psnr": {"model": "pixels"}}, "pairs": "abc"}


@pytest.fixture
def files(tmp_path):
    return ScoreFiles(epath.Path(tmp_path) / "new folder" / "scores.csv")


@pytest.fixture
def scores():
    values = {"psnr": np.array([30.25], np.float32), "ssim": np.array([np.nan], np.float32)}
    return Scores(pair_lists.one_pair("a, b.png", "ü.png"), values, ["too small"])


def test_the_table(scores):
    assert to_csv(scores) == (
        'reference,distorted,psnr,ssim,error\n"a, b.png",ü.png,30.25,,too small\n'
    )


def test_from_the_beginning_to_the_end(files, scores):
    files.claim(SIGNATURE, resume=False)
    files.parts.mkdir()
    assert not files.finished
    files.finish(scores)
    assert files.finished
    found = files.read(scores.table)
    assert found.table is scores.table
    assert list(found.errors) == scores.errors
    assert found.values.keys() == scores.values.keys()
    for name, values in scores.values.items():
        np.testing.assert_array_equal(found.values[name], values)
    folder = files.parts.parent
    assert sorted(path.name for path in folder.iterdir()) == ["scores.csv", "scores.csv.json"]
    assert json.loads((folder / "scores.csv.json").read_text()) == SIGNATURE


def test_a_begun_run_is_continued_only_if_asked(files):
    files.claim(SIGNATURE, resume=False)
    with pytest.raises(InputError, match="has been begun; continue it with --resume"):
        files.claim(SIGNATURE, resume=False)
    files.claim(SIGNATURE, resume=True)


def test_a_finished_table_is_not_overwritten(files, scores):
    files.claim(SIGNATURE, resume=False)
    files.finish(scores)
    with pytest.raises(InputError, match="is there already; continue it with --resume, or remove"):
        files.claim(SIGNATURE, resume=False)


def test_another_signature_is_refused(files):
    files.claim(SIGNATURE, resume=False)
    with pytest.raises(InputError, match=r"with different pairs \(see scores.csv.json; a changed"):
        files.claim({**SIGNATURE, "pairs": "abd"}, resume=True)


def test_a_strangers_file_is_left_alone(tmp_path):
    path = epath.Path(tmp_path) / "mine.csv"
    path.write_text("precious")
    with pytest.raises(InputError, match="was not made by this program"):
        ScoreFiles(path).claim(SIGNATURE, resume=True)
    assert path.read_text() == "precious"
