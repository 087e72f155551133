"""Every read-out compared with plain NumPy on whole activations."""

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest

from iqa_jax.errors import InputError
from iqa_jax.readouts import READOUTS, LayerStatistics
from iqa_jax.readouts.statistics import STATISTICS

CHANNELS = (4, 7)
OF_A_DATASET = [name for name, readout in READOUTS.items() if readout.normalised_by]
OF_A_PAIR = [name for name in READOUTS if name not in OF_A_DATASET]
WEIGHED = [name for name, readout in READOUTS.items() if readout.terms == 1]


@pytest.fixture
def activations(rng):
    """Reference and distorted activations of two layers of different, odd size."""
    shapes = ((13, 11, CHANNELS[0]), (7, 5, CHANNELS[1]))
    return [[rng.normal(0.5, 1, shape).astype(np.float32) for shape in shapes] for _ in range(2)]


def layers_of(readout, reference, distorted):
    """The statistics of each layer, and its positions."""
    return [
        (
            {
                name: STATISTICS[name](jnp.asarray(r), jnp.asarray(d))
                for name in READOUTS[readout].statistics
            },
            r.shape[0] * r.shape[1],
        )
        for r, d in zip(reference, distorted, strict=True)
    ]


def distance(readout, reference, distorted, weights=(None, None)):
    formula = READOUTS[readout]
    layers = layers_of(readout, reference, distorted)
    return formula.combine(
        formula.summands(values, positions, relevance=None if w is None else jnp.asarray(w))
        for (values, positions), w in zip(layers, weights, strict=True)
    )


@pytest.mark.parametrize(
    "layers", [slice(0, 1), slice(1, 2), slice(0, 2)], ids="first last both".split()
)
@pytest.mark.parametrize("readout", OF_A_PAIR)
def test_by_definition(readout, layers, activations):
    reference, distorted = (each[layers] for each in activations)
    expected = oracle.READOUTS[readout](reference, distorted)
    found = distance(readout, reference, distorted, [None] * len(reference))
    assert found.dtype == jnp.float32
    assert found.shape == ()
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("readout", OF_A_DATASET)
def test_of_a_dataset_by_definition(readout, activations):
    first, second = activations
    pairs = [(first, second), (first, [x + np.float32(0.1) for x in first]), (second, second)]
    formula = READOUTS[readout]
    values = [[LayerStatistics(*layer) for layer in layers_of(readout, *pair)] for pair in pairs]
    means = [
        sum(formula.normalised_by(layer) for layer in layers) / len(pairs)
        for layers in zip(*values, strict=True)
    ]
    found = [
        formula.combine(
            formula.summands(layer.values, layer.positions, normaliser=mean)
            for layer, mean in zip(layers, means, strict=True)
        )
        for layers in values
    ]
    expected = oracle.READOUTS_OF_DATASETS[readout](pairs)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("readout", OF_A_PAIR)
def test_compiled_is_eager(readout, activations):
    compiled = jax.jit(lambda r, d: distance(readout, r, d))(*activations)
    np.testing.assert_allclose(compiled, distance(readout, *activations), rtol=1e-5)


@pytest.mark.parametrize("readout", OF_A_PAIR)
def test_zero_for_identical_and_finite_gradient(readout, activations):
    reference, distorted = activations
    zeros = [np.zeros_like(x) for x in reference]
    compute = jax.jit(lambda r, d: distance(readout, r, d))
    gradient = jax.jit(jax.grad(lambda r, d: distance(readout, r, d), (0, 1)))
    assert compute(reference, distorted) > 0
    for one in (reference, zeros):
        assert compute(one, one) == distance(readout, one, one) == 0
        for other in (reference, distorted, zeros):
            found = jax.tree.leaves(gradient(one, other))
            assert all(np.isfinite(values).all() for values in found)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("readout", READOUTS)
def test_non_finite_input_never_gives_a_number(readout, value, activations):
    """In any statistic of one channel of one layer, or in the mean over a dataset."""
    formula = READOUTS[readout]

    @jax.jit
    def compute(values, normaliser):
        of_pair = {name: each[None] for name, each in values.items()}
        return formula.combine([formula.summands(of_pair, 35.0, normaliser=normaliser)])

    (values, positions), _ = layers_of(readout, *activations)
    normaliser = None
    if formula.normalised_by:
        normaliser = jnp.ones_like(formula.normalised_by(LayerStatistics(values, positions)))
        assert not np.isfinite(compute(values, jnp.full_like(normaliser, value)))
    assert np.isfinite(compute(values, normaliser))
    for name, each in values.items():
        spoiled = {**values, name: each.at[0].set(value)}
        found = compute(spoiled, normaliser)
        assert np.isnan(found) if np.isnan(value) else not np.isfinite(found), name


@pytest.mark.parametrize("readout", OF_A_PAIR)
def test_grows_with_the_difference(readout, activations):
    reference, _ = activations
    found = [
        distance(readout, reference, [r + s * (d - r) for r, d in zip(*activations, strict=True)])
        for s in np.float32([0.01, 0.1, 0.5])
    ]
    assert 0 < found[0] < found[1] < found[2]


@pytest.mark.parametrize("readout", [name for name in WEIGHED if name in OF_A_PAIR])
def test_relevance_weights_the_channels(readout, activations):
    """A weight of 2 is equivalent to having a channel twice."""
    whole = [np.array([1, 2, 0, 3], np.float32), np.array([2, 0, 1, 1, 0, 4, 1], np.float32)]
    if readout.startswith("unit"):
        expected = oracle.unit(*activations, whole)
        expected = expected**0.5 if readout == "unit_root" else expected
    else:
        copies = [
            [np.repeat(x, w.astype(int), -1) for x, w in zip(layers, whole, strict=True)]
            for layers in activations
        ]
        expected = oracle.READOUTS[readout](*copies)
        if readout == "rmse":  # divided by the number of channels without copies
            expected *= (oracle.flat(copies[0]).size / oracle.flat(activations[0]).size) ** 0.5
    np.testing.assert_allclose(distance(readout, *activations, whole), expected, rtol=1e-5)


def test_structure_and_texture_are_weighted_separately(activations, rng):
    weights = [rng.uniform(size=(2, count)).astype(np.float32) for count in CHANNELS]
    expected = oracle.structure_texture(*activations, weights)
    for scale in (1, 3):  # they are scaled to a sum of 1
        scaled = [np.float32(scale) * w for w in weights]
        found = distance("structure_texture", *activations, scaled)
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_texture_comes_first(activations):
    reference, _ = activations
    brighter = [x + 5 for x in reference]
    texture, structure = (
        [np.float32([[on] * count, [not on] * count]) for count in CHANNELS] for on in (1, 0)
    )
    assert distance("structure_texture", reference, brighter, texture) > 0.5
    assert distance("structure_texture", reference, brighter, structure) < 1e-6


def test_cosine_of_special_pairs(activations):
    reference, _ = activations
    zeros = [np.zeros_like(x) for x in reference]
    assert distance("cosine", zeros, reference) == distance("cosine", reference, zeros) == 1
    opposite = [-x for x in reference]
    np.testing.assert_allclose(distance("cosine", reference, opposite), 2, rtol=1e-6)
    doubled = [2 * x for x in reference]
    assert 0 <= distance("cosine", reference, doubled) < 1e-7


@pytest.mark.parametrize("share", [1e-2, 1e-4, 1e-6])
def test_cosine_of_similar_images_keeps_its_digits(share, rng):
    """Unlike 1 - <r, d> / (|r| |d|) in float32, which would leave none."""
    reference = np.float32(100 + rng.normal(size=(13, 11, 4)))
    distorted = np.float32(reference * (1 + share * rng.normal(size=reference.shape)))
    r, d = oracle.flat([reference]), oracle.flat([distorted])
    expected = np.sum((r / np.linalg.norm(r) - d / np.linalg.norm(d)) ** 2) / 2
    found = distance("cosine", [reference], [distorted], [None])
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_deviations_of_similar_images_keep_their_digits(rng):
    reference = np.float32(1000 + rng.normal(size=(13, 11, 4)))
    distorted = np.float32(reference + 0.001 * rng.normal(size=reference.shape))
    for readout, moment in (("mean", oracle.mean), ("std", oracle.std)):
        expected = oracle.euclidean(moment, [reference], [distorted])
        found = distance(readout, [reference], [distorted], [None])
        np.testing.assert_allclose(found, expected, rtol=1e-3, err_msg=readout)


def test_one_channel_has_no_direction(rng):
    one = [rng.normal(size=(3, 3, 1)).astype(np.float32)]
    other = [one[0] + 1]
    assert np.isnan(distance("unit", one, other, [None]))
    assert distance("l2", one, other, [None]) == pytest.approx(3)


@pytest.mark.parametrize("readout", OF_A_DATASET)
def test_a_single_pair_has_no_dataset_mean(readout, activations):
    with pytest.raises(InputError, match="compares with the mean over a dataset"):
        distance(readout, *activations)


def test_cosine_has_its_second_derivative_at_identical_images(rng):
    reference, direction = (
        jnp.asarray(rng.uniform(0.5, 1.5, (5, 7, 4)).astype(np.float32)) for _ in range(2)
    )

    def distance(distorted):
        cosine = READOUTS["cosine"]
        values = {name: STATISTICS[name](reference, distorted) for name in cosine.statistics}
        return cosine.combine([cosine.summands(values, 35)])

    def slope(step):
        gradient = jax.grad(distance)(reference + jnp.float32(step) * direction)
        return float(jnp.vdot(gradient, direction))

    _, along = jax.jvp(jax.grad(distance), (reference,), (direction,))
    curvature = float(jnp.vdot(along, direction))
    assert curvature > 0
    assert curvature == pytest.approx(slope(1e-3) / 1e-3, rel=1e-2)
