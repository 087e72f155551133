import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.metrics import local_information
from iqa_jax.metrics.local_information import Band, information


def test_neighbours_keep_length_and_variance(rng):
    plane = rng.random((6, 7)).astype(np.float32)
    found = local_information._neighbours(jnp.asarray(plane))
    windows = np.lib.stride_tricks.sliding_window_view(plane, (3, 3))
    np.testing.assert_allclose(found[0] / 3, windows.mean((2, 3)), rtol=1e-5)
    variances = jnp.sum(found[1:] ** 2, axis=0) / 9
    np.testing.assert_allclose(variances, windows.var((2, 3)), rtol=1e-4)


def test_whitening(rng):
    vectors = rng.normal(size=(4, 50)) * [[1], [5], [0], [100]]
    covariance = jnp.asarray(np.cov(vectors, bias=True), jnp.float32)
    whitening = local_information._whitening(covariance)
    white = np.asarray(whitening @ covariance @ whitening.T)
    np.testing.assert_allclose(white, np.diag([1.0, 1, 0, 1]), atol=1e-5)


def test_scales_are_mahalanobis_distances(rng):
    plane = jnp.asarray(rng.normal(size=(20, 23)), jnp.float32)
    band = jax.jit(lambda x: local_information.prepare(x, None))(plane)
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(plane, np.float64), (3, 3))
    vectors = windows.reshape(-1, 9)
    covariance = vectors.T @ vectors / len(vectors)
    expected = np.einsum("ni,ij,nj->n", vectors, np.linalg.inv(covariance), vectors) / 9
    np.testing.assert_allclose(band.scales.ravel(), expected, rtol=1e-4)
    np.testing.assert_allclose(band.eigenvalues, np.linalg.eigvalsh(covariance), rtol=1e-4)


def test_nothing_is_gained_where_both_are_flat():
    flat = Band(jnp.zeros((9, 2, 3)), jnp.zeros((2, 3)), jnp.zeros(9))
    assert (information(flat, flat) == 0).all()
    noisy = flat._replace(neighbours=jnp.ones((9, 2, 3)))
    assert (information(flat, noisy) > 0).all()


def test_a_coarser_band_of_a_ramp_is_a_ramp():
    weights = local_information._enlarging(10, 19)
    assert weights.shape == (19, 10)
    found = weights @ np.arange(10.0)
    np.testing.assert_allclose(np.diff(found[2:-2]), 2 * 10 / (4 * 10 - 3), rtol=1e-5)
