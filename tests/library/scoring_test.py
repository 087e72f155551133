import csv

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from library.made_up import MODEL

import iqa_jax
from iqa_jax.__main__ import main
from iqa_jax.errors import InputError
from iqa_jax.metrics import load_metric

READOUT = f"{MODEL}/relu1+fire3/unit"
METRICS = ["psnr", READOUT, "ssim"]


@pytest.fixture(scope="module")
def scored(ratings):
    return iqa_jax.score(pd.DataFrame(ratings.columns), metrics=METRICS)


def test_scores_are_those_of_the_program_to_the_bit(scored, ratings, tmp_path):
    path = tmp_path / "scores.csv"
    flags = [f"--metrics={','.join(METRICS)}", "--compilation_cache_dir="]
    assert not main(
        ["score", *flags, f"--pairs={ratings.folder / 'ratings.csv'}", f"--output={path}"]
    )
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    of_files = iqa_jax.score(ratings.folder / "ratings.csv", METRICS)
    assert list(of_files.columns) == list(rows[0])
    for name in METRICS:
        program = np.array([np.float32(row[name]) for row in rows])
        np.testing.assert_array_equal(program, scored[name].to_numpy(np.float32))
        np.testing.assert_array_equal(scored[name], of_files[name])
    assert of_files["distorted"].tolist() == [row["distorted"] for row in rows]


def test_the_frame_has_names_and_the_index_of_the_pairs(ratings):
    columns = {name: ratings.columns[name][2:5] for name in ("reference", "distorted")}
    found = iqa_jax.score(pd.DataFrame(columns, index=["x", "y", "z"]), metrics="psnr")
    assert found.index.tolist() == ["x", "y", "z"]
    assert found["reference"].tolist() == ["reference[0]", "reference[1]", "reference[1]"]
    assert found["distorted"].tolist() == ["distorted[0]", "distorted[1]", "distorted[2]"]
    assert found["error"].tolist() == [""] * 3
    assert iqa_jax.score(columns, metrics=("psnr",)).index.tolist() == [0, 1, 2]


def test_what_cannot_be_scored_gets_its_reason(ratings, tmp_path):
    first, second = (ratings.columns[name][0] for name in ("reference", "distorted"))
    pairs = [(first, second), (first, second[:30]), (tmp_path / "no.png", second)]
    found = iqa_jax.score([*pairs, (first[:8], second[:8])], metrics=["psnr", "ssim"])
    assert found["psnr"].isna().tolist() == [False, True, True, False]
    assert found["ssim"].isna().tolist() == [False, True, True, True]
    errors = found["error"].tolist()
    assert errors[0] == ""
    assert "distorted[1]: is 36x30 pixels, its reference reference[0] 36x32" in errors[1]
    assert "no.png: there is no such file" in errors[2]
    assert "expected images of at least 11x11" in errors[3]


def test_metrics_may_be_in_memory(ratings, scored):
    def halves(images):
        return {"halves": jax.image.resize(images, (len(images), 16, 18, 3), "linear")}

    mine = load_metric(halves, layers="halves", readout="l2") if _TAKES_FUNCTIONS else None
    metrics = [each for each in (mine, "psnr", load_metric(READOUT), load_metric("ssim")) if each]
    found = iqa_jax.score(ratings.columns, metrics=metrics, precision="highest")
    np.testing.assert_array_equal(found["ssim"], scored["ssim"])
    np.testing.assert_array_equal(found[READOUT], scored[READOUT])
    if mine:
        stacks = (jnp.stack(ratings.columns[name]) for name in ("reference", "distorted"))
        np.testing.assert_allclose(found[mine.name], mine(*stacks), rtol=1e-5)


_TAKES_FUNCTIONS = "layers" in load_metric.__kwdefaults__


def test_settings_are_keywords(ratings, scored):
    pairs = {name: ratings.columns[name][:3] for name in ("reference", "distorted")}
    shrunk = iqa_jax.score(pairs, metrics="psnr", resize="exact:16x18", versions=1)
    assert (shrunk["psnr"] != scored["psnr"][:3]).all()
    for given, complaint in (
        ({"metrics": []}, "metrics: expected at least one, got none"),
        ({"metrics": "psnrr"}, "there is no metric 'psnrr'"),
        ({"metrics": [7]}, "metrics: expected names or metrics, got int"),
        ({"metrics": [load_metric("psnr"), load_metric("psnr")]}, "psnr: expected different names"),
        ({"metrics": "psnr", "precision": "high"}, "precision: without effect where no network"),
        ({"metrics": "psnr", "resize": "16"}, "resize"),
        ({"metrics": "psnr", "versions": 0}, "versions: expected a positive number"),
    ):
        with pytest.raises(InputError, match=complaint):
            iqa_jax.score(pairs, **given)
    with pytest.raises(TypeError, match=r"score\(\): .*unexpected keyword argument 'output'"):
        iqa_jax.score(pairs, metrics="psnr", output="x")


def test_nothing_is_printed_unless_progress_is_asked_for(ratings, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pairs = list(zip(ratings.columns["reference"], ratings.columns["distorted"], strict=True))
    iqa_jax.score(pairs, metrics="psnr")
    assert capfd.readouterr() == ("", "")
    iqa_jax.score(pairs, metrics="psnr", progress=True)
    out, err = capfd.readouterr()
    assert not out
    assert "pixels: 100%" in err
    assert not list(tmp_path.iterdir())
