import jax
import jax.numpy as jnp
import numpy as np
import pytest

import iqa_jax
from iqa_jax import zoo
from iqa_jax.errors import InputError
from iqa_jax.metrics.readout_metric import read_out

MODEL = "resnet20-random-none-seed0"


@pytest.fixture(scope="module")
def backbone():
    return zoo.load_backbone(MODEL)


@pytest.fixture
def pair(rng):
    return rng.integers(0, 256, (2, 2, 32, 40, 3)).astype(np.uint8)


@pytest.fixture
def relevance(backbone, rng):
    weights = {
        layer: jnp.asarray(rng.random(backbone.channels[layer]), jnp.float32)
        for layer in ("conv1", "layer1.2")
    }
    return zoo.Relevance(weights, "drawn", MODEL, "")


def test_is_the_metric_of_that_name(backbone, pair):
    name = f"{MODEL}/conv1+layer1/l2"
    expected = iqa_jax.load_metric(name)(*pair)
    for layers in ("conv1+layer1", ["conv1", "layer1"]):
        metric = read_out(backbone, layers, "l2")
        assert metric.name == name
        np.testing.assert_array_equal(metric(*pair), expected)


def test_all_layers_but_the_pixels_are_the_default(backbone):
    (readout,) = read_out(backbone).function.readouts
    assert readout.layers == backbone.layers[1:]
    assert readout.readout == "unit"


def test_a_relevance_in_memory_weighs_the_channels(backbone, relevance, pair):
    metric = read_out(backbone, "conv1+layer1.2", relevance=relevance, name="mine")
    assert metric.name == "mine"
    assert metric.function.names == [f"{MODEL}/conv1+layer1.2/unit@drawn"]
    doubled = jax.tree.map(lambda w: 2 * w, relevance)
    twice = read_out(backbone, "conv1+layer1.2", relevance=doubled)
    np.testing.assert_allclose(twice(*pair), 2 * metric(*pair), rtol=1e-6)
    assert (metric(pair[0], pair[0]) == 0).all()


@pytest.mark.parametrize(
    ("layers", "readout", "complaint"),
    [
        ("conv9", "unit", "has no layer conv9; it has: "),
        ("conv1+conv1", "unit", "expected different layers"),
        ([], "unit", "expected different layers"),
        ("conv1", "l3", "there is no read-out 'l3'; there are: l2, "),
        ("conv1", "unit@drawn", "there is no read-out 'unit@drawn'"),
        ("conv1", "balanced", "compares with the mean over a dataset"),
    ],
)
def test_refuses_what_does_not_fit(backbone, layers, readout, complaint):
    with pytest.raises(InputError, match=complaint):
        read_out(backbone, layers, readout)


def test_refuses_a_relevance_of_other_layers(backbone, relevance):
    with pytest.raises(InputError, match="the relevance drawn weighs the layers"):
        read_out(backbone, "layer2", relevance=relevance)
    with pytest.raises(InputError, match="takes 2 weight"):
        read_out(backbone, "conv1", "structure_texture", relevance=relevance)
