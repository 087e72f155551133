import jax
import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.metrics.binomial_pyramid import laplacian_pyramid

pyramid = jax.jit(laplacian_pyramid, static_argnums=1)


def test_levels_of_a_flat_plane():
    *bands, rest = pyramid(jnp.full((33, 20), 93.0), 3)
    assert [band.shape for band in bands] == [(33, 20), (17, 10)]
    assert all((band == 0).all() for band in bands)
    assert rest.shape == (9, 5)
    assert (rest == 4 * 93).all()


@pytest.mark.parametrize("size", [12, 13])
def test_is_a_convolution_of_the_reflected_plane(rng, size):
    row = rng.random(size)
    weights = np.asarray([1, 4, 6, 4, 1]) / 16

    def blurred(values):
        return np.convolve(np.pad(values, 2, mode="reflect"), weights, mode="valid")

    low = blurred(row)[::2]
    spread = np.zeros(size)
    spread[::2] = low
    band, rest = pyramid(jnp.asarray(np.tile(row, (5, 1)), jnp.float32), 2)
    np.testing.assert_allclose(rest[1], 2 * low, rtol=1e-6)
    np.testing.assert_allclose(band[2], row - 2 * blurred(spread), rtol=1e-5, atol=1e-6)
