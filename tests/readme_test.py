"""What the README shows has to run as it is written."""

import re
import textwrap
from pathlib import Path

import jax
import numpy as np
import pytest

import iqa_jax

README = (Path(__file__).parents[1] / "README.md").read_text()
SECTIONS = dict(re.findall(r"\n## ([^\n]+)\n(.*?)(?=\n## |\Z)", README, re.S))


def indented_blocks(text):
    return [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n|^\n)+", text, re.M)]


def test_library_example(checkpoints, monkeypatch):
    monkeypatch.setenv("IQA_JAX_CHECKPOINTS", str(checkpoints))
    blocks = indented_blocks(SECTIONS["As a library"])
    (example,) = [block for block in blocks if "import iqa_jax" in block]
    names: dict = {}
    exec(compile(example, "README.md", "exec"), names)
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
    blocks = indented_blocks(SECTIONS["Ratings from Python"])
    (example,) = [block for block in blocks if "iqa_jax" in block]
    stacks = {"reference": np.stack(ratings["reference"]), "restored": ratings["distorted"]}
    stacks["restored"] = np.stack(stacks["restored"])
    names: dict = {"iqa_jax": iqa_jax, "ratings": ratings, **stacks}
    exec(compile(example, "README.md", "exec"), names)
    assert names["evaluation"].correlations["srcc"].max() > 0.8
    assert set(names["learned"].gains["weights"]) == {"uniform", "learned", "lpips-alex"}
    assert float(names["loss"]) > 0
    assert (names["scores"]["error"] == "").all()


def test_training_loop():
    names: dict = {}
    with jax.numpy_rank_promotion("allow"), jax.numpy_dtype_promotion("standard"):  # for Optax
        for block in indented_blocks(SECTIONS["In a training loop"]):
            exec(compile(block, "README.md", "exec"), names)
    clean, noisy = names["clean"], names["noisy"]
    denoised = np.asarray(names["denoise"](names["network"], noisy))
    for found, images in ((names["quality"], denoised), (names["stream"], noisy)):
        for name, summary in found.compute().items():
            scores = np.asarray(iqa_jax.load_metric(name)(clean, images))
            assert summary.count == 50
            assert summary.mean == pytest.approx(scores.mean(dtype=float), rel=1e-5)
    before, after = (names[each].compute()["psnr"].mean for each in ("stream", "quality"))
    assert after > before + 1


@pytest.mark.parametrize("name", re.findall(r"(?<=\]\()[^)]+|(?<=`)[\w/]+\.md(?=`)", README))
def test_files_are_there(name):
    assert (Path(__file__).parents[1] / name).exists()
