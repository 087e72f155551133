"""DeepWSD and DeepDC: named metrics that are read-outs, against their authors' programs."""

import json
import os
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from etils import epath
from golden import deep_pairs, pixel_pairs

import iqa_jax
from iqa_jax import zoo
from iqa_jax.images.preprocess import IDENTITY
from iqa_jax.metrics import Metric, parse_metric
from iqa_jax.metrics.features import FeatureScores
from iqa_jax.readouts import ReadoutName
from iqa_jax.zoo.registry import find_model

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "deep_distances.json").read_text())[
    "scores"
]
NETWORK = "vgg16-supervised-imagenet1k-deepwsd"
UNTRAINED = "vgg19_conv5_4-random-none-seed0"
OF_VGG16 = "relu1_2+relu2_2+relu3_3+relu4_3+relu5_3"
SMALL = "noise 65x97"


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    directory = epath.Path(tmp_path_factory.mktemp("checkpoints"))
    zoo.fetch(NETWORK, checkpoints_dir=directory)
    return directory


@pytest.fixture(scope="module")
def deepwsd(own):
    return iqa_jax.load_metric("deepwsd", checkpoints_dir=own)


def deepdc(model, layers, **where):
    """DeepDC read out of another network than its own."""
    backbone = replace(zoo.load_backbone(model, **where), preprocessing=IDENTITY)
    name = ReadoutName.parse(f"{model}/{layers}/distance_correlation")
    protocol = parse_metric("deepdc").protocol
    return Metric(FeatureScores.of(backbone, [name], protocol=protocol), "deepdc")


def read_pair(name):
    if name in pixel_pairs.REAL:
        data = os.environ.get("IQA_JAX_TEST_DATA")
        if not data:
            pytest.skip("IQA_JAX_TEST_DATA is not set: no real test data")
        return pixel_pairs.real(name, Path(data))
    return deep_pairs.pair(name)


def check(metric, of, name):
    reference, distorted = read_pair(name)
    found = metric(reference[None], distorted[None])
    # The authors' numbers are in float64; DeepDC of nearly equal images loses digits in float32.
    tolerance = 1e-4 if name.startswith("one level") and of != "deepwsd" else 1e-5
    np.testing.assert_allclose(found, [GOLDEN[of][name]], rtol=tolerance)


ALL = [
    pytest.param(name, marks=[] if name == SMALL else [pytest.mark.slow])
    for name in GOLDEN["deepwsd"]
]
"""Compiling a VGG for a size takes seconds."""


@pytest.mark.parametrize("name", ALL)
def test_deepwsd_is_its_authors(name, deepwsd):
    check(deepwsd, "deepwsd", name)


@pytest.mark.parametrize("name", ALL)
def test_deepdc_of_vgg16_is_its_authors(name, checkpoints):
    check(deepdc("vgg16", OF_VGG16, checkpoints_dir=checkpoints), "deepdc of vgg16", name)


@pytest.mark.slow
@pytest.mark.parametrize("name", GOLDEN["deepwsd"])
def test_deepdc_is_its_authors(name):
    readout = parse_metric("deepdc").readout
    assert readout
    check(deepdc(UNTRAINED, readout.layer), f"deepdc of {UNTRAINED}", name)


def test_deepdc_is_the_read_out_of_its_network():
    metric = parse_metric("deepdc")
    assert metric.readout
    network = find_model(metric.readout.model)
    assert (network.trunk, network.preprocessing) == ("vgg19_conv5_4", IDENTITY)
    assert set(metric.readout.layers) <= set(zoo.model_layers(metric.readout.model))


def test_deepwsd_of_batches(deepwsd):
    reference, distorted = (np.stack([x, x[::-1]])[:, :33, :40] for x in read_pair(SMALL))
    together = deepwsd(reference, distorted)
    assert together.shape == (2,)
    assert (deepwsd(reference, reference) == 0).all()
    mapped = jax.vmap(lambda r, d: deepwsd(r[None], d[None]))(reference, distorted)[:, 0]
    np.testing.assert_allclose(mapped, together, rtol=1e-5)
    pair = (reference[:1] / np.float32(255), distorted[:1] / np.float32(255))
    slope = jax.jit(jax.grad(lambda metric, r, d: metric(r, d).sum(), argnums=2))
    assert jnp.isfinite(slope(deepwsd, pair[0], pair[0])).all()
    found = slope(deepwsd, *pair)
    assert jnp.isfinite(found).all()
    assert found.any()
