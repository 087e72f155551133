import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from iqa_jax.metrics.filters import (
    box_downsample,
    gaussian,
    local_covariance,
    local_moments,
    weighted_deviation,
    weighted_mean,
)

WEIGHTS = gaussian(11, 1.5)
WINDOW = np.outer(WEIGHTS, WEIGHTS)


def windows(planes, size):
    """Every window [size, size] of planes [C, H, W]."""
    return np.lib.stride_tricks.sliding_window_view(planes.astype(np.float64), (size, size), (1, 2))


@pytest.fixture
def planes(rng):
    return rng.integers(0, 256, (2, 23, 31)).astype(np.float32)


def test_gaussian_by_definition():
    assert sum(WEIGHTS) == pytest.approx(1, abs=1e-15)
    np.testing.assert_allclose(WEIGHTS, WEIGHTS[::-1], rtol=1e-15)
    np.testing.assert_allclose(WEIGHTS[5] / WEIGHTS[2], np.exp(9 / (2 * 1.5**2)), rtol=1e-12)


@pytest.mark.parametrize("axis", [-1, -2])
def test_mean_along_one_axis(planes, axis):
    weights = (0.5, 0.25, 0.25)
    x = np.moveaxis(planes, axis, -1)
    expected = np.moveaxis(x[..., :-2] / 2 + x[..., 1:-1] / 4 + x[..., 2:] / 4, -1, axis)
    np.testing.assert_array_equal(weighted_mean(jnp.asarray(planes), weights, axis), expected)


def test_moments_by_definition(planes):
    means, variances = local_moments(jnp.asarray(planes), WEIGHTS)
    expected = (windows(planes, 11) * WINDOW).sum((-2, -1))
    np.testing.assert_allclose(means, expected, rtol=1e-6)
    deviations = windows(planes, 11) - expected[..., None, None]
    np.testing.assert_allclose(variances, (deviations**2 * WINDOW).sum((-2, -1)), rtol=1e-5)


def test_variance_does_not_cancel(rng):
    """The difference of the means of squares and the squared mean would be wrong by 0.01."""
    planes = (250 + rng.uniform(-1e-2, 1e-2, (1, 40, 40))).astype(np.float32)
    _, variances = local_moments(jnp.asarray(planes), WEIGHTS)
    means = (windows(planes, 11) * WINDOW).sum((-2, -1), keepdims=True)
    expected = ((windows(planes, 11) - means) ** 2 * WINDOW).sum((-2, -1))
    np.testing.assert_allclose(variances, expected, rtol=0.02)
    assert expected.max() < 1e-4


def test_moments_of_a_constant():
    means, variances = local_moments(jnp.zeros((1, 11, 11)), WEIGHTS)
    assert means.shape == variances.shape == (1, 1, 1)
    assert means == 0
    assert variances == 0


def test_derivative_of_moments(rng):
    planes = jnp.asarray(rng.normal(size=(1, 14, 17)), jnp.float32)
    weights = gaussian(5, 1.0)
    # JAX's own check compares with a difference of values, in float32.
    moments = jax.jit(lambda x: local_moments(x, weights))
    check_grads(moments, (planes,), 1, modes="rev", atol=0.02)
    probes = jnp.asarray(rng.normal(size=(2, 1, 10, 13)), jnp.float32)

    def slope(moments):
        def total(x):
            return sum(jnp.sum(p * m) for p, m in zip(probes, moments(x), strict=True))

        return jax.jit(jax.grad(total))(planes)

    def plainly(x):
        def mean(x):
            return weighted_mean(weighted_mean(x, weights, -1), weights, -2)

        return mean(x), mean(x * x) - mean(x) ** 2

    np.testing.assert_allclose(slope(moments), slope(plainly), atol=1e-5)


def test_moments_under_vmap(planes):
    batch = jnp.asarray(planes)[:, None]
    mapped = jax.vmap(lambda x: local_moments(x, WEIGHTS))(batch)
    for found, expected in zip(mapped, local_moments(batch, WEIGHTS), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_box_of_an_even_factor_looks_forwards():
    plane = jnp.arange(5.0)[None, None] * jnp.ones((1, 3, 1))
    expected = [0.5, 2.5, 4.0]  # the last pixel and its mirror image
    np.testing.assert_array_equal(box_downsample(plane, 2), [[expected, expected]])


def test_box_of_an_odd_factor_is_centred():
    plane = jnp.arange(5.0)[None, None] * jnp.ones((1, 3, 1))
    found = box_downsample(plane, 3)
    np.testing.assert_allclose(found, [[[1 / 3, 3.0]]], rtol=1e-6)  # 0 0 1 and 2 3 4


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("size", [(11, 16), (12, 13), (7, 30)])
def test_box_by_definition(factor, size, rng):
    plane = rng.integers(0, 256, (1, *size)).astype(np.float32)
    before, after = (factor - 1) // 2, factor // 2
    padded = np.pad(plane, ((0, 0), (before, after), (before, after)), mode="symmetric")
    expected = windows(padded, factor).mean((-2, -1))[:, ::factor, ::factor]
    np.testing.assert_allclose(box_downsample(jnp.asarray(plane), factor), expected, rtol=1e-6)


def test_covariance_by_definition(planes, rng):
    other = planes[:, ::-1] + rng.normal(0, 5, planes.shape).astype(np.float32)
    found = local_covariance(jnp.asarray(planes), jnp.asarray(other), WEIGHTS)
    pair = [windows(x, 11) for x in (planes, other)]
    first, second = (x - (x * WINDOW).sum((-2, -1), keepdims=True) for x in pair)
    np.testing.assert_allclose(found, (first * second * WINDOW).sum((-2, -1)), rtol=1e-4, atol=1e-3)
    _, variances = local_moments(jnp.asarray(planes), WEIGHTS)
    same = local_covariance(jnp.asarray(planes), jnp.asarray(planes), WEIGHTS)
    np.testing.assert_allclose(same, variances, rtol=1e-6)


def test_derivative_of_covariance(rng):
    pair = jnp.asarray(rng.normal(size=(2, 1, 9, 8)), jnp.float32)
    weights = gaussian(5, 1.0)

    def plainly(first, second):
        def mean(x):
            return weighted_mean(weighted_mean(x, weights, -1), weights, -2)

        return mean(first * second) - mean(first) * mean(second)

    probe = jnp.asarray(rng.normal(size=(1, 5, 4)), jnp.float32)
    found, expected = (
        jax.grad(lambda a, b, f=f: jnp.sum(probe * f(a, b)), (0, 1))(*pair)
        for f in (lambda a, b: local_covariance(a, b, weights), plainly)
    )
    np.testing.assert_allclose(found[0], expected[0], atol=1e-5)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-5)


def test_boxes_with_zeros_outside():
    plane = jnp.asarray([[[1.0, 2, 3], [4, 5, 6], [7, 8, 9]]])
    expected = [[[3, 2.25], [3.75, 2.25]]]
    np.testing.assert_array_equal(box_downsample(plane, 2, outside="zero"), expected)
    thirds = box_downsample(plane, 3, outside="zero")
    np.testing.assert_allclose(thirds, [[[12 / 9]]], rtol=1e-6)


def test_deviations_are_the_weighted_sums_of_weights_that_sum_to_zero(rng):
    planes = rng.random((2, 9, 11)).astype(np.float32)
    weights = (0.5, -1.25, 1.0, 0.25, -0.5)
    for axis in (-2, -1):
        found = weighted_deviation(jnp.asarray(planes), weights, axis)
        expected = weighted_mean(jnp.asarray(planes), weights, axis)
        np.testing.assert_allclose(found, expected, atol=1e-6)
        flat = weighted_deviation(jnp.full((9, 11), 0.3), (0.1, 0.2, -0.6, 0.1, 0.2), axis)
        assert (flat == 0).all()
