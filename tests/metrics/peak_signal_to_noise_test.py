import jax
import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.metrics.pixels import PIXEL_METRICS

METRIC = PIXEL_METRICS["psnr"]


@pytest.mark.parametrize("levels", [1, 2, 16, 255])
def test_by_definition(levels):
    black = jnp.zeros((7, 9, 3))
    error = (levels / 255) ** 2
    found = METRIC(black, jnp.full_like(black, levels / 255))
    np.testing.assert_allclose(found, -10 * np.log10(error), atol=1e-5)


@pytest.mark.parametrize("error", [0.0, 1e-30, 0.9e-10, 1.1e-10, 1e-8])
def test_is_capped(error):
    black = jnp.zeros((4, 5, 3))
    other = jnp.full_like(black, error**0.5)
    score, slope = jax.value_and_grad(METRIC.__call__, 1)(black, other)
    expected = 100 if error < 1e-10 else -10 * np.log10(error)
    np.testing.assert_allclose(score, expected, atol=1e-4)
    assert score <= 100
    assert np.isfinite(slope).all()
    assert ((slope == 0) if error < 1e-10 else (slope < 0)).all()


def test_one_pixel():
    assert METRIC(jnp.zeros((1, 1, 3)), jnp.ones((1, 1, 3))) == 0
