import json
import logging
import warnings

import absl.logging
import jax
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from library.made_up import MODEL
from PIL import Image

import iqa_jax
from iqa_jax.__main__ import main
from iqa_jax.datasets import load_dataset
from iqa_jax.errors import InputError
from iqa_jax.metrics import load_metric
from iqa_jax.zoo import load_backbone

SETTINGS = {"models": MODEL, "layers": ("input", "relu1", "relu1+fire3"), "metrics": ["psnr"]}


def state():
    """All that is global and that a call must not change."""
    return (
        dict(jax.config.values),
        absl.logging.get_verbosity(),
        logging.root.level,
        list(logging.root.handlers),
        list(warnings.filters),
        dict(mpl.rcParams),
    )


@pytest.fixture(scope="module")
def evaluation(ratings):
    return iqa_jax.evaluate(pd.DataFrame(ratings.columns), **SETTINGS)


@pytest.fixture(scope="module")
def program(ratings, tmp_path_factory):
    """The folder that the program writes for the same pairs as files."""
    folder = tmp_path_factory.mktemp("program")
    flags = ["--dataset=csv", f"--data_dir={ratings.folder / 'ratings.csv'}"]
    flags += [f"--models={MODEL}", "--layers=input,relu1,relu1+fire3", "--metrics=psnr"]
    status = main(["evaluate", *flags, f"--output_dir={folder}", "--compilation_cache_dir="])
    assert status == 0
    return folder


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("correlations", "correlations"),
        ("scores", "scores"),
        ("correlations_by_distortion", "by_distortion"),
        ("correlations_by_reference", "by_reference"),
    ],
)
def test_frames_are_the_files_of_the_program(name, attribute, evaluation, program):
    file = pd.read_csv(program / f"{name}.csv", keep_default_na=True)
    found = getattr(evaluation, attribute)
    assert list(found.columns) == list(file.columns)
    assert len(found) == len(file)
    for column in file.columns:
        if column == "dataset":
            assert set(found[column]) == {"pairs"}
        elif pd.api.types.is_numeric_dtype(file[column]) and column != "level":
            np.testing.assert_allclose(found[column].astype(float), file[column], rtol=1e-8)
        elif column not in ("reference", "distorted", "reference_id", "level", "group"):
            assert found[column].fillna("").tolist() == file[column].fillna("").tolist()


def test_scores_are_those_of_the_program_to_the_bit(evaluation, program):
    file = pd.read_csv(program / "scores.csv")
    for name in file.columns[7:]:
        assert (file[name].astype(np.float32) == evaluation.scores[name]).all()


def test_saves_the_files_of_the_program(evaluation, program, tmp_path):
    written = evaluation.save(tmp_path / "results")
    assert sorted(written) == sorted({each.name for each in program.iterdir()} - {"parts"})
    assert {path.name for path in (tmp_path / "results").iterdir()} == set(written)
    record = json.loads((tmp_path / "results" / "run.json").read_text())
    assert record == json.loads(json.dumps(evaluation.record))
    assert record["settings"]["output_dir"] is None


def test_shows_itself(evaluation):
    expected = "<evaluation of 7 columns of scores on pairs: 18 pairs of 6 references>"
    assert repr(evaluation) == expected
    html = evaluation._repr_html_()
    assert html.startswith(f"<p>{expected[1:-1]}</p>")
    assert html.count("<tr") == 1 + len(evaluation.correlations.groupby(["model", "readout"]))
    assert evaluation.report().startswith("pairs: 18 pairs of 6 references\n")
    assert evaluation.forced_choices.empty
    assert "score" in evaluation.forced_choices.columns
    assert evaluation.chosen_layers.empty


def test_the_figure_is_a_picture_of_its_own(evaluation, tmp_path):
    before = dict(mpl.rcParams)
    figure = evaluation.figure()
    assert figure._repr_png_().startswith(b"\x89PNG")
    figure.savefig(tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as image:
        image.verify()
    assert dict(mpl.rcParams) == before
    import matplotlib.pyplot as plt

    assert not plt.get_fignums()


def test_networks_and_metrics_may_be_in_memory(evaluation, ratings):
    def pooled(images):
        return {"pooled": images[:, ::2, ::2]}

    backbone = load_backbone(MODEL)
    found = iqa_jax.evaluate(
        ratings.columns,
        models=[backbone, pooled],
        layers=["relu1", "pooled"],
        readouts="l2",
        metrics=[load_metric("psnr")],
    )
    assert found.scores.columns[7:].tolist() == [f"{MODEL}/relu1/l2", "pooled/pooled/l2", "psnr"]
    for name in (f"{MODEL}/relu1/l2", "psnr"):
        np.testing.assert_allclose(found.scores[name], evaluation.scores[name], rtol=1e-5)
    assert found.record["columns"]["pooled/pooled/l2"]["model"] == "pooled"
    assert len(found.record["runs"][1]["weights_sha256"]) == 64
    with pytest.raises(InputError, match="compares with the mean over a dataset"):
        iqa_jax.evaluate(ratings.columns, models=[backbone], readouts="balanced")
    with pytest.raises(InputError, match="two objects with this name"):
        iqa_jax.evaluate(ratings.columns, models=[backbone, load_backbone(MODEL)])
    with pytest.raises(InputError, match="models: expected names, backbones or .* got int"):
        iqa_jax.evaluate(ratings.columns, models=[7])


def test_datasets_by_name_file_and_table(ratings):
    path = ratings.folder / "ratings.csv"
    options = {"metrics": "psnr", "interval": "none"}
    by_name = iqa_jax.evaluate("csv", data_dir=path, **options)
    by_file = iqa_jax.evaluate(path, **options)
    by_table = iqa_jax.evaluate(load_dataset("csv", data_dir=path), **options)
    for found in (by_file, by_table):
        pd.testing.assert_frame_equal(by_name.scores, found.scores)
        pd.testing.assert_frame_equal(by_name.correlations, found.correlations)
    lower = iqa_jax.evaluate(path, score_direction="lower", **options)
    assert lower.correlations["srcc"][0] == -by_name.correlations["srcc"][0]
    fewer = iqa_jax.evaluate(ratings.columns, limit=4, exclude_references="reference[0]", **options)
    assert len(fewer.scores) == 4
    assert fewer.scores["reference_id"][0] == "reference[3]"


def test_scores_have_the_index_of_the_frame(ratings):
    labels = [f"pair {number}" for number in range(len(ratings.columns["score"]))]
    table = pd.DataFrame(ratings.columns, index=labels)
    options = {"metrics": "psnr", "interval": "none"}
    assert list(iqa_jax.evaluate(table, **options).scores.index) == labels
    left = iqa_jax.evaluate(table, limit=2, exclude_references="reference[0]", **options).scores
    assert list(left.index) == labels[3:5]
    assert list(left["score"]) == list(table["score"][left.index])


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"metrics": (), "models": ()}, "nothing to evaluate: name at least one model, metric or"),
        ({"data_dir": "x"}, "data_dir: without effect if the pairs are given"),
        ({"score_direction": "up"}, "score_direction: expected higher or lower, got 'up'"),
        ({"layers": "relu1"}, "layers: without effect where no model is named; add models, or"),
        ({"interval": "wide"}, "interval: expected one of jackknife, bootstrap, none, got 'wide'"),
        ({"dataset": "tid2031"}, "there is no dataset 'tid2031'"),
        ({"dataset": {"reference": [], "distorted": []}}, "missing: score"),
    ],
)
def test_what_cannot_be_used_is_said(changes, complaint, ratings):
    with pytest.raises(InputError, match=complaint):
        iqa_jax.evaluate(**{"dataset": ratings.columns, "metrics": "psnr", **changes})


def test_nothing_global_changes_and_nothing_is_printed(ratings, capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = state()
    found = iqa_jax.evaluate(ratings.columns, metrics="psnr")
    assert found.warnings == found.record["warnings"]
    found.figure().png()
    assert state() == before
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())
    iqa_jax.evaluate(ratings.columns, metrics="psnr", progress=True)
    assert "pairs: 18 pairs of 6 references, 36x32" in capfd.readouterr().err
