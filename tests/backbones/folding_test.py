import jax
import numpy as np
import pytest
from golden import draws
from golden.configurations import read_trunk

from iqa_jax.backbones import build, build_folded, fold
from iqa_jax.weights.conversion import convert


@pytest.mark.parametrize(
    ("trunk", "left"),
    [
        ("resnet20", 0),
        ("vgg11_bn", 0),
        ("alexnet_jigsaw", 0),
        ("efficientnet_b0", 0),
        ("densenet121", 2 + 3 + sum((6, 12, 24, 16)) - 1),
    ],
)
def test_folding_changes_nothing_beyond_rounding(trunk, left, rng):
    network = build(trunk)
    parameters = convert(draws.draw(read_trunk(trunk).parameters, seed=3), network.parameters)
    folded, folded_parameters = build_folded(trunk), fold(trunk, parameters)
    assert set(folded_parameters) == set(folded.parameters)
    assert sum(name.endswith(".var") for name in folded_parameters) == left
    x = rng.normal(size=(1, 67, 73, 3)).astype(np.float32)
    expected, found = jax.jit(
        lambda p, q, x: (network.apply(p, x), folded.apply(q, x)),
    )(parameters, folded_parameters, x)
    assert folded.layers == network.layers
    for layer in network.layers:
        error = np.abs(found[layer] - expected[layer]).max() / np.abs(expected[layer]).max()
        assert error < 1e-5, layer


def test_given_parameters_are_left_alone():
    parameters = {
        name: np.ones(s.shape, np.float32) for name, s in build("resnet20").parameters.items()
    }
    fold("resnet20", parameters)
    assert all((array == 1).all() for array in parameters.values())
