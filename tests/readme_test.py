"""What the README shows has to run as it is written."""

import dataclasses
import re
import shlex
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

import iqa_jax
from iqa_jax.__main__ import main
from iqa_jax.datasets.adapters import demo
from iqa_jax.datasets.catalogue import CATALOGUE
from iqa_jax.programs import running

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SECTIONS = dict(re.findall(r"\n## ([^\n]+)\n(.*?)(?=\n## |\Z)", README, re.S))
FIRST_SCREEN = README.partition("<!-- The guide")[0]
DATA = "demo/data"
PAIRS = 30
"""Pairs of the demo that are used: two distortions of each photograph at three levels."""


def listings(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def run(text, **names):
    """The names after all Python of a text has run in order."""
    found = listings(text, "python")
    assert found
    for code in found:
        exec(compile(code, "README.md", "exec"), names)
    return names


@pytest.fixture(scope="module")
def folder(tmp_path_factory, checkpoints):
    """A folder with some pairs of the demo, and weights of its own, which may be added to."""
    folder = tmp_path_factory.mktemp("readme")
    demo.build(folder / DATA)
    header, *rows = (folder / DATA / "pairs.csv").read_text().splitlines()
    few = [row for row in rows if re.search(r"(blur|noise),[135],", row)]
    assert len(few) == PAIRS
    (folder / DATA / "pairs.csv").write_text("\n".join([header, *few]) + "\n")
    shutil.copytree(checkpoints, folder / "weights")
    return folder


@pytest.fixture
def workplace(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("IQA_JAX_CHECKPOINTS", str(folder / "weights"))
    whole = dataclasses.replace(CATALOGUE["demo"], pairs=PAIRS)
    monkeypatch.setitem(CATALOGUE, "demo", whole)
    return folder


@pytest.mark.slow
def test_commands(workplace, monkeypatch, capsys):
    """All of them in order; of the demo a few pairs will do, and of a training few steps."""
    monkeypatch.setattr(running, "_keep_compiled_programs", lambda settings: None)
    commands = "".join(listings(README, "sh")).replace("\\\n", " ")
    called = [
        shlex.split(line, comments=True) for line in re.findall(r"^iqa (.*)$", commands, re.M)
    ]
    verbs = {verb for verb, *_ in called}
    assert {"demo", "evaluate", "extract", "fetch", "models", "score", "train", "verify"} <= verbs
    for verb, *arguments in called:
        few = ["--most_steps=10", "--seeds=1", "--strengths=0.01"] if verb == "train" else []
        assert main([verb, *arguments, *few]) == 0, (verb, arguments, capsys.readouterr().err)
    assert (workplace / "results" / "demo" / "correlation_by_layer.png").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("workplace")
def test_first_screen():
    names = run(FIRST_SCREEN)
    assert (names["scores"]["error"] == "").all()
    row = names["scores"].set_index("distorted").loc["distorted/cat_white_noise_3.png"]
    assert names["distances"][0] == pytest.approx(row["lpips-alex"], rel=1e-5)
    assert names["where"].shape == (1, 256, 384)
    assert names["evaluation"].correlations["srcc"].max() > 0.9
    assert set(names["learned"].gains["weights"]) == {"uniform", "learned", "lpips-alex"}
    assert names["slope"].shape == names["distorted"].shape
    assert np.isfinite(names["slope"]).all()
    assert names["slope"].any()


def test_first_screen_is_short():
    """What it is, the figure, and install, score, evaluate and loss in about ten lines each."""
    assert "docs/demo.png" in FIRST_SCREEN
    parts = re.split(r"^## ", FIRST_SCREEN, flags=re.M)
    assert len(parts) == 5
    assert len(FIRST_SCREEN.splitlines()) <= 80
    for part in parts[1:]:
        assert len(re.sub(r"^```.*|^\n", "", part, flags=re.M).splitlines()) <= 16


def test_library_example(checkpoints, monkeypatch):
    monkeypatch.setenv("IQA_JAX_CHECKPOINTS", str(checkpoints))
    names = run(SECTIONS["As a library"])
    assert names["features"]["relu1_1"].shape == (2, 128, 96, 64)
    assert (names["distance"] == 0).all()
    assert names["gradient"].shape == (2, 128, 96, 3)


def test_ratings_from_python(checkpoints, monkeypatch, rng):
    monkeypatch.setenv("IQA_JAX_CHECKPOINTS", str(checkpoints))
    images = rng.integers(60, 196, (5, 1, 64, 64, 3))
    distorted = np.clip(images + rng.normal(0, [[[[[4]]], [[[30]]]]], (5, 2, 64, 64, 3)), 0, 255)
    ratings = {
        "reference": [image for image in images[:, 0].astype(np.uint8) for _ in range(2)],
        "distorted": list(distorted.reshape(10, 64, 64, 3).astype(np.uint8)),
        "score": [5, 1] * 5,
    }
    stacks = {"reference": np.stack(ratings["reference"])}
    stacks["restored"] = np.stack(ratings["distorted"])
    names = run(SECTIONS["Ratings from Python"], ratings=ratings, **stacks)
    assert names["evaluation"].correlations["srcc"].max() > 0.8
    assert set(names["learned"].gains["weights"]) == {"uniform", "learned", "lpips-alex"}
    assert float(names["loss"]) > 0
    assert (names["scores"]["error"] == "").all()


@pytest.mark.slow
def test_a_metric_as_a_loss(workplace, capsys):
    """The picture of the README is what its code makes."""
    run(SECTIONS["A metric as a loss"])
    before, after = map(float, capsys.readouterr().out.split(" -> "))
    said = SECTIONS["A metric as a loss"].rpartition("its distance from ")[2]
    said_before, said_after = re.findall(r"\d\.\d+", said)
    assert said_before == f"{before:.3f}"
    assert after == pytest.approx(float(said_after), abs=0.002)
    images = [workplace / "pulled_back.png", ROOT / "docs" / "pulled_back.png"]
    made, shown = (np.asarray(Image.open(each), np.int32) for each in images)
    assert np.abs(made - shown).mean() < 1


def test_training_loop():
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):  # for Optax
        names = run(SECTIONS["In a training loop"])
    clean, noisy = names["clean"], names["noisy"]
    denoised = np.asarray(names["denoise"](names["network"], noisy))
    for found, images in ((names["quality"], denoised), (names["stream"], noisy)):
        for name, summary in found.compute().items():
            scores = np.asarray(iqa_jax.load_metric(name)(clean, images))
            assert summary.count == 50
            assert summary.mean == pytest.approx(scores.mean(dtype=float), rel=1e-5)
    before, after = (names[each].compute()["psnr"].mean for each in ("stream", "quality"))
    assert after > before + 1


@pytest.mark.parametrize(
    "name", re.findall(r"(?<=\]\()[^)#]+|(?<=`)[\w/]+\.(?:md|ipynb)(?=`)", README)
)
def test_files_are_there(name):
    assert (ROOT / name).exists()
