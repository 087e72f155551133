import jax
import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.numerics import LPIPS_EPSILON, guarded_sqrt, inverse_norms


def unit_vectors(features):
    return features * inverse_norms(features)


@pytest.mark.parametrize("value", [0.0, 1e-38, 1e-20, 1.0, 2.0, 1e20, 3e38])
def test_root_is_exact_and_its_slope_finite(value):
    value = jnp.float32(value)
    assert guarded_sqrt(value) == jnp.sqrt(value)
    slope = jax.grad(guarded_sqrt)(value)
    assert jnp.isfinite(slope)
    if value > 0:
        np.testing.assert_allclose(slope, 0.5 / np.sqrt(np.float64(value)), rtol=1e-6)
    else:
        assert slope == 0


def test_unit_vectors_are_lpips_own(rng):
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


def test_no_vector_touches_another():
    small = jnp.array([[3e-4, 4e-4]])
    beside_a_giant = unit_vectors(jnp.concatenate([small, jnp.array([[1e18, 0.0]])]))[:1]
    np.testing.assert_array_equal(unit_vectors(small), beside_a_giant)
