"""DeepWSD's distance of activations, against its definition by quantiles."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest

from iqa_jax.readouts.wasserstein import in_windows, window_distance

SIZES = [(13, 10, 16), (7, 9, 3), (1, 1, 2)]


@functools.partial(jax.jit, static_argnums=2)
def distance(reference, distorted, side=4):
    return window_distance(in_windows(reference, side), in_windows(distorted, side))


@pytest.fixture
def draw(rng):
    return lambda *size: jnp.asarray(np.maximum(rng.normal(1, 3, size), 0), jnp.float32)


CASES = [(size, 4) for size in SIZES] + [
    pytest.param(size, 16, marks=[pytest.mark.slow] if size != SIZES[0] else []) for size in SIZES
]


@pytest.mark.parametrize(("size", "side"), CASES)
def test_by_definition(size, side, draw):
    reference, distorted = draw(*size), draw(*size)
    found = distance(reference, distorted, side)
    assert found.shape == (1,)
    np.testing.assert_allclose(found, [oracle.wasserstein(reference, distorted, side)], rtol=1e-5)


@pytest.mark.parametrize("side", [4, 16])
def test_of_nearly_equal_activations(side, draw):
    reference = draw(13, 10, 16)
    distorted = reference * jnp.asarray(1 + 1e-5 * np.cos(np.arange(reference.size))).reshape(
        reference.shape
    )
    expected = oracle.wasserstein(reference, distorted, side)
    np.testing.assert_allclose(distance(reference, distorted, side), [expected], rtol=1e-5)


def test_of_black_and_other_images(draw):
    reference = 100 * draw(13, 10, 16)
    black = jnp.zeros_like(reference)
    for pair in ((reference, black), (black, reference), (reference, 1e-4 * reference)):
        np.testing.assert_allclose(distance(*pair), [oracle.wasserstein(*pair, 4)], rtol=1e-5)


def test_of_negative_activations(rng):
    reference, distorted = (jnp.asarray(rng.normal(size=(8, 8, 16)), jnp.float32) for _ in "rd")
    expected = oracle.wasserstein(reference, distorted, 4)
    np.testing.assert_allclose(distance(reference, distorted), [expected], rtol=1e-5)


def test_symmetry_and_identity(draw):
    reference, distorted = draw(9, 12, 16), draw(9, 12, 16)
    swapped = distance(distorted, reference)
    np.testing.assert_allclose(distance(reference, distorted), swapped, rtol=1e-6)
    for each in (reference, jnp.zeros_like(reference)):
        assert (distance(each, each) == 0).all()
        gradient = jax.grad(lambda x, each=each: distance(each, x)[0])(each)
        assert (gradient == 0).all()


def test_slopes_are_those_of_differences(draw):
    with jax.enable_x64(True):
        reference, distorted, direction = (
            jnp.asarray(np.asarray(draw(8, 8, 16), np.float64) + 0.1) for _ in range(3)
        )

        def along(step):
            return distance(reference, distorted + step * direction)[0]

        slope = jax.grad(along)(jnp.float64(0.0))
        expected = (along(jnp.float64(1e-6)) - along(jnp.float64(-1e-6))) / 2e-6
        np.testing.assert_allclose(slope, expected, rtol=1e-4)
