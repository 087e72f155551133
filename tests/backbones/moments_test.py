"""Measured moments against those of the first convolution, computed without this package."""

import jax
import numpy as np

from iqa_jax.backbones import build
from iqa_jax.backbones.moments import measured_moments
from iqa_jax.zoo.random_weights import initial_parameters


def test_moments_are_those_of_the_activations(rng):
    parameters = initial_parameters(build("resnet20").parameters, seed=0)
    x = rng.normal(0, 1, (4, 20, 24, 3)).astype(np.float32)
    moments = measured_moments("resnet20", parameters, x)
    assert set(moments) == {each for each in parameters if each.endswith((".mean", ".var"))}
    convolved = jax.lax.conv_general_dilated(
        x,
        parameters["conv1.kernel"],
        (1, 1),
        ((1, 1), (1, 1)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        precision="highest",
    )
    spread = np.asarray(convolved).std((0, 1, 2))
    mean = np.asarray(convolved).mean((0, 1, 2))
    rounding = 2**-8
    np.testing.assert_allclose(np.sqrt(moments["bn1.var"]), spread, rtol=rounding)
    np.testing.assert_allclose(moments["bn1.mean"], mean, atol=1e-5, rtol=rounding)
    # The next ones see what the first has normalised: about a unit variance at any depth.
    activations = build("resnet20").apply({**parameters, **moments}, x)
    assert 0.5 < float(activations["conv1"].std()) < 0.7  # of a rectified normal variable: 0.58
    for name in ("layer1.2", "layer3.2"):
        assert 0.5 < float(activations[name].std()) < 3
