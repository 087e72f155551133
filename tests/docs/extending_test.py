"""The steps by which the package is extended, taken as ``docs/extending.md`` says."""

import jax
import numpy as np
import pytest
from docs.conftest import listings
from PIL import Image

import iqa_jax
from iqa_jax import backbones, revisions
from iqa_jax.backbones import registry
from iqa_jax.datasets import DATASETS, load_dataset
from iqa_jax.metrics import pixels
from iqa_jax.readouts import READOUTS

LISTINGS = listings("extending.md", "python")


@pytest.fixture
def images(rng):
    return rng.uniform(size=(2, 32, 32, 3)).astype(np.float32)


def run(path):
    (code,) = [each for each in LISTINGS if each.startswith(f"# {path}\n")]
    names = {"__name__": path.removesuffix(".py").replace("/", ".")}
    exec(compile(code, path, "exec"), names)
    return names


def test_every_listing_is_tried():
    assert len(LISTINGS) == 5


def test_a_backbone_of_your_own(images):
    backbone = iqa_jax.load_backbone(run("edges.py")["edges"])
    assert backbone(images)["second"].shape == (2, 32, 30, 3)


def test_an_architecture(images, monkeypatch):
    builders = run("iqa_jax/backbones/tiny.py")["VARIANTS"]
    monkeypatch.setitem(registry._FAMILIES, "tiny", builders)
    monkeypatch.setitem(registry.ARCHITECTURES, "tiny", builders["tiny"])
    monkeypatch.setitem(revisions.REVISIONS, "backbone/tiny", 1)
    network = backbones.build("tiny")
    assert network.layers == ("relu1", "relu2")
    assert network.channels == {"relu1": 8, "relu2": 16}
    assert network.parameters["conv1.kernel"].shape == (3, 3, 3, 8)
    parameters = jax.tree.map(lambda each: np.ones(each.shape, np.float32), network.parameters)
    assert network.apply(parameters, images)["relu2"].shape == (2, 16, 16, 16)


def test_a_dataset(tmp_path, monkeypatch):
    monkeypatch.setitem(DATASETS, "mine", run("iqa_jax/datasets/adapters/mine.py")["load"])
    (tmp_path / "images").mkdir()
    for name in ("a", "a_1", "a_2"):
        Image.new("RGB", (32, 32)).save(tmp_path / "images" / f"{name}.png")
    rows = ["reference,distorted,dmos", "a.png,a_1.png,0.2", "a.png,A_2.PNG,0.6"]
    (tmp_path / "scores.csv").write_text("\n".join(rows) + "\n")
    table = load_dataset("mine", data_dir=tmp_path)
    assert [pair.score for pair in table.pairs] == [0.2, 0.6]
    assert not table.higher_is_better
    assert table.images.read(table.pairs[1].distorted)


def test_a_metric_of_pixels(images, monkeypatch):
    steps = run("iqa_jax/metrics/mae.py")
    metric = pixels.PixelMetric(
        prepare=steps["prepare"],
        compare=steps["compare"],
        compare_maps=None,
        best=0.0,
        higher_is_better=False,
        least_size=1,
        worst=1.0,
    )
    monkeypatch.setitem(pixels.PIXEL_METRICS, "mae", metric)
    monkeypatch.setitem(revisions.REVISIONS, "metric/mae", 1)
    mae = iqa_jax.load_metric("mae")
    np.testing.assert_allclose(mae(images, images / 2), (images / 2).mean((1, 2, 3)), rtol=1e-6)
    assert (mae(images, images) == 0).all()
    assert not mae.higher_is_better


def test_a_readout(images, monkeypatch):
    monkeypatch.setitem(
        READOUTS, "mean_l1", run("iqa_jax/readouts/formulas.py")["READOUTS"]["mean_l1"]
    )
    monkeypatch.setitem(revisions.REVISIONS, "readout/mean_l1", 1)
    model = "resnet20-random-none-seed0"
    metric = iqa_jax.load_metric(f"{model}/conv1/mean_l1")
    activations = iqa_jax.load_backbone(model)(np.concatenate([images, images / 2]))["conv1"]
    means = np.asarray(activations).mean((1, 2))
    expected = np.abs(means[:2] - means[2:]).sum(-1)
    np.testing.assert_allclose(metric(images, images / 2), expected, rtol=1e-4)
    assert (metric(images, images) == 0).all()
