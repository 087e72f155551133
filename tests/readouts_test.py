import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest

from iqa_jax.errors import InputError
from iqa_jax.readouts import READOUTS, LayerStatistics, ReadoutName, parse_readout
from iqa_jax.statistics import STATISTICS


@pytest.fixture
def activations(rng):
    """Reference and distorted activations of two layers of different size."""
    shapes = ((12, 10, 4), (6, 5, 7))
    return [[rng.normal(size=shape).astype(np.float32) for shape in shapes] for _ in range(2)]


@pytest.fixture
def weights(rng):
    return [rng.uniform(size=count).astype(np.float32) for count in (4, 7)]


def distance(readout, reference, distorted, weights=(None, None)):
    layers = [
        LayerStatistics(
            values={
                name: STATISTICS[name](jnp.asarray(r), jnp.asarray(d))
                for name in READOUTS[readout].statistics
            },
            positions=r.shape[0] * r.shape[1],
            relevance=w,
        )
        for r, d, w in zip(reference, distorted, weights, strict=True)
    ]
    return READOUTS[readout].combine(layers)


def test_l2_and_rmse_are_euclidean(activations):
    expected = oracle.l2(*activations)
    np.testing.assert_allclose(distance("l2", *activations), expected, rtol=1e-5)
    numbers = sum(x.size for x in activations[0])
    np.testing.assert_allclose(distance("rmse", *activations), expected / numbers**0.5, rtol=1e-5)


def test_unit_and_its_root_are_those_of_lpips(activations, weights):
    for w in ((None, None), weights):
        expected = oracle.unit(*activations, None if w[0] is None else w)
        np.testing.assert_allclose(distance("unit", *activations, w), expected, rtol=1e-5)
        np.testing.assert_allclose(distance("unit_root", *activations, w), expected**0.5, rtol=1e-5)


def test_structure_and_texture_are_those_of_dists(activations, rng):
    found = distance("structure_texture", *activations)
    np.testing.assert_allclose(found, oracle.structure_texture(*activations), rtol=1e-5)
    weights = [rng.uniform(size=(2, count)).astype(np.float32) for count in (4, 7)]
    expected = oracle.structure_texture(*activations, weights)
    for scale in (1, 3):  # they are scaled to a sum of 1
        scaled = [np.float32(scale) * w for w in weights]
        found = distance("structure_texture", *activations, scaled)
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_texture_stands_first(activations):
    reference, _ = activations
    brighter = [x + 1 for x in reference]
    texture, structure = (
        [np.float32([[on] * count, [not on] * count]) for count in (4, 7)] for on in (1, 0)
    )
    assert distance("structure_texture", reference, brighter, texture) > 0.5
    assert distance("structure_texture", reference, brighter, structure) < 1e-6


def test_relevance_weighs_the_squares(activations, weights):
    scaled = [
        [x * np.sqrt(w) for x, w in zip(layers, weights, strict=True)] for layers in activations
    ]
    np.testing.assert_allclose(distance("l2", *activations, weights), oracle.l2(*scaled), rtol=1e-5)


@pytest.mark.parametrize("readout", READOUTS)
def test_zero_for_identical_and_finite_gradient(readout, activations):
    reference, distorted = activations
    assert distance(readout, reference, reference) == 0
    assert distance(readout, reference, distorted) > 0
    gradient = jax.grad(lambda x: distance(readout, reference, x))([*map(jnp.asarray, reference)])
    assert all(np.isfinite(values).all() for values in gradient)


def test_one_channel_has_no_direction(rng):
    one = [rng.normal(size=(3, 3, 1)).astype(np.float32)]
    other = [one[0] + 1]
    assert np.isnan(distance("unit", one, other, [None]))
    assert distance("l2", one, other, [None]) == pytest.approx(3)


@pytest.mark.parametrize(
    "text",
    [
        "vgg16/relu3_3/l2",
        "alexnet/relu2+relu5/unit",
        "vgg16/relu1_2+relu5_3/unit@my-relevance",
        "folder/mine.py:features/last/rmse",
    ],
)
def test_names_survive_parsing(text):
    assert str(ReadoutName.parse(text)) == text


def test_parts_of_a_name():
    name = ReadoutName.parse("vgg16/relu1_2+relu5_3/unit@my-relevance")
    assert name == ReadoutName("vgg16", ("relu1_2", "relu5_3"), "unit", "my-relevance")
    assert name.layer == "relu1_2+relu5_3"
    assert name.weighted_readout == "unit@my-relevance"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("lpips", "expected MODEL/LAYER"),
        ("vgg16/l2", "expected MODEL/LAYER"),
        ("vgg16//l2", "expected MODEL/LAYER"),
        ("vgg16/relu1_1/l3", "no read-out 'l3'; there are: l2, rmse, unit, unit_root"),
        ("vgg16/relu1_1/unit@", "after the @"),
        ("vgg16/relu1_1++pool1/l2", "different layers"),
        ("vgg16/relu1_1+relu1_1/l2", "different layers"),
    ],
)
def test_refuses_other_names(text, complaint):
    with pytest.raises(InputError, match=complaint):
        ReadoutName.parse(text)


def test_parse_readout():
    assert parse_readout("unit") == ("unit", None)
    assert parse_readout("unit@a@b") == ("unit", "a@b")
