import jax
import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.metrics.local_similarity import (
    dissimilarity,
    plane_variance,
    power_losses,
    weighted_plane_mean,
)


@pytest.mark.parametrize("masking", [0.0, 0.5])
def test_dissimilarity_is_one_minus_the_published_form(rng, masking):
    a, b = rng.uniform(0, 50, (2, 100))
    products = masking * a * b
    similarity = (2 * a * b - products + 30) / (a**2 + b**2 - products + 30)
    found = dissimilarity(*map(jnp.float32, (a, b)), 30, masking=masking)
    np.testing.assert_allclose(found, 1 - similarity, rtol=1e-5, atol=1e-6)


def test_variance(rng):
    planes = rng.random((2, 5, 7)).astype(np.float32)
    for lost in (0, 1):
        expected = planes.reshape(2, -1).var(axis=1, ddof=lost)
        np.testing.assert_allclose(plane_variance(jnp.asarray(planes), lost=lost), expected, 1e-5)


@pytest.mark.parametrize("exponent", [0.25, 0.03])
def test_powers(exponent):
    numbers = jnp.asarray([-0.5, 0, 1e-9, 0.5, 1.5, 1.9], jnp.float32)
    real, imaginary = power_losses(numbers, exponent)
    expected = 1 - (1 - np.asarray(numbers, np.float64)).astype(complex) ** exponent
    np.testing.assert_allclose(real, expected.real, rtol=1e-6)
    np.testing.assert_allclose(imaginary, expected.imag, rtol=1e-6, atol=1e-12)
    slopes = jax.grad(lambda x: sum(map(jnp.sum, power_losses(x, exponent))))(numbers)
    assert np.isfinite(slopes).all()


def test_rounding_to_zero_matters_as_little_as_other_rounding():
    one = np.float32(1)
    around = jnp.asarray([np.nextafter(one, np.float32(0)), one, np.nextafter(one, np.float32(2))])
    real, _ = power_losses(around, 0.02)
    assert np.abs(np.diff(real)).max() < 0.03  # from 1e-7 to 0 it would be 0.7
    slope = jax.grad(lambda x: power_losses(x, 0.02)[0])(jnp.float32(1))
    assert slope == 0


def test_weighted_mean(rng):
    plane, weights = (jnp.asarray(rng.random((5, 7)), jnp.float32) for _ in range(2))
    expected = np.average(plane, weights=weights)
    np.testing.assert_allclose(weighted_plane_mean(plane, weights), expected, rtol=1e-6)
    np.testing.assert_allclose(weighted_plane_mean(plane, 0 * weights), plane.mean(), rtol=1e-6)
    slope = jax.grad(lambda w: weighted_plane_mean(plane, w))(0 * weights)
    assert np.isfinite(slope).all()
