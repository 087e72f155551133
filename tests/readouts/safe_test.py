import jax
import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.readouts.safe import (
    LPIPS_EPSILON,
    finite_or_nan,
    guarded_sqrt,
    inverse_norms,
    known_where,
    positive_power,
    ratio,
)


def unit_vectors(features):
    return features * inverse_norms(features)


@pytest.mark.parametrize("value", [0.0, 1e-38, 1e-20, 1.0, 2.0, 1e20, 3e38])
def test_the_root_is_exact_and_its_slope_finite(value):
    value = jnp.float32(value)
    assert guarded_sqrt(value) == jnp.sqrt(value)
    slope = jax.grad(guarded_sqrt)(value)
    assert jnp.isfinite(slope)
    if value > 0:
        np.testing.assert_allclose(slope, 0.5 / np.sqrt(np.float64(value)), rtol=1e-6)
    else:
        assert slope == 0


def test_powers_of_what_is_not_positive_are_zero_and_so_is_their_slope():
    bases = jnp.asarray([-0.5, -0.0, 0.0, 6e-8, 0.25, 1.0])
    np.testing.assert_allclose(positive_power(bases, 0.5), [0, 0, 0, 6e-8**0.5, 0.5, 1], rtol=1e-6)
    slopes = jax.grad(lambda x: positive_power(x, 0.5).sum())(bases)
    np.testing.assert_allclose(slopes, [0, 0, 0, 0.5 * 6e-8**-0.5, 1, 0.5], rtol=1e-5)
    assert jnp.isnan(positive_power(jnp.float32(jnp.nan), 0.5))


def test_unit_vectors_are_those_of_lpips(rng):
    features = rng.normal(size=(5, 7, 16)).astype(np.float32)
    norm = np.sqrt(np.sum(features.astype(np.float64) ** 2, -1, keepdims=True))
    expected = features / (norm + LPIPS_EPSILON)
    np.testing.assert_allclose(unit_vectors(jnp.asarray(features)), expected, rtol=1e-6)


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e-12, 1e-6, 1.0, 1e15])
def test_unit_vectors_have_finite_gradients(scale, rng):
    features = jnp.asarray(scale * rng.normal(size=(4, 8)), jnp.float32)
    weights = jnp.asarray(rng.normal(size=(4, 8)), jnp.float32)
    gradient = jax.grad(lambda x: jnp.sum(weights * unit_vectors(x)))(features)
    assert np.isfinite(gradient).all()


def test_zero_vector_stays_zero_and_takes_no_gradient():
    features = jnp.zeros((2, 3))
    assert (unit_vectors(features) == 0).all()
    assert (jax.jacobian(unit_vectors)(features) == 0).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_vectors_without_a_length_have_no_direction(value):
    """Scaled to nothing, any two of them would be alike."""
    features = jnp.asarray([[value, 1.0, 2.0], [3.0, 4.0, 0.0]], jnp.float32)
    found = inverse_norms(features)
    assert np.isnan(found[0, 0])
    np.testing.assert_allclose(found[1, 0], 0.2, rtol=1e-6)


def test_non_finite_values_become_nan():
    values = jnp.asarray([np.nan, np.inf, -np.inf, 3e38, -3e38, 0.0], jnp.float32)
    np.testing.assert_array_equal(finite_or_nan(values), [np.nan] * 3 + [*np.float32(values[3:])])


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [
        *((1, 2, 0.5), (-1, 2, -0.5), (0, 0, 0), (1, 0, 0), (np.inf, 1, np.inf)),
        *((np.nan, 1, np.nan), (1, np.nan, np.nan), (np.nan, 0, np.nan), (np.nan, np.nan, np.nan)),
        *((1, np.inf, np.nan), (0, np.inf, np.nan), (np.inf, np.inf, np.nan), (np.inf, 0, np.inf)),
    ],
)
def test_ratio(numerator, denominator, expected):
    numbers = jnp.float32(numerator), jnp.float32(denominator)
    np.testing.assert_array_equal(ratio(*numbers), np.float32(expected))
    if np.isfinite(numbers).all():
        assert np.isfinite(jax.grad(ratio, (0, 1))(*numbers)).all()


def test_roots_of_nan_and_infinity():
    assert np.isnan(guarded_sqrt(jnp.float32(np.nan)))
    assert guarded_sqrt(jnp.float32(np.inf)) == np.inf


@pytest.mark.parametrize("condition", [True, False])
def test_known_values_have_the_derivatives_of_computed_ones(condition):
    def value(x):
        computed = x**2 + jnp.float32(1e-7)
        return known_where(jnp.asarray(condition), jnp.zeros_like(x), computed)

    x = jnp.float32(3)
    assert value(x) == (0 if condition else x**2 + jnp.float32(1e-7))
    assert jax.grad(value)(x) == 6
    assert jax.grad(jax.grad(value))(x) == 2
    assert jnp.isnan(value(jnp.float32(np.nan)))


def test_vectors_are_independent():
    small = jnp.array([[3e-4, 4e-4]])
    beside_a_giant = unit_vectors(jnp.concatenate([small, jnp.array([[1e18, 0.0]])]))[:1]
    np.testing.assert_array_equal(unit_vectors(small), beside_a_giant)
