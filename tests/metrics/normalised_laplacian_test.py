import jax
import jax.numpy as jnp
import numpy as np
import pytest
from metrics.pixel_checks import PixelChecks, compiled, golden_pairs, image

from iqa_jax.metrics import normalised_laplacian


class TestNlpd(PixelChecks):
    name = "nlpd"

    @pytest.mark.parametrize("pair", golden_pairs("nlpd"))
    def test_golden(self, pair):
        self.check_golden(pair)


def test_is_symmetric():
    pair = image(1), image(2)
    np.testing.assert_allclose(compiled("nlpd")(*pair), compiled("nlpd")(*pair[::-1]), rtol=1e-6)


def test_bands_of_a_flat_image_are_empty():
    *bands, low = jax.jit(normalised_laplacian.prepare)(jnp.full((33, 20, 3), 0.5))
    assert [band.shape for band in (*bands, low)] == [
        *((33, 20), (17, 10), (9, 5), (5, 3), (3, 2), (2, 1))
    ]
    for band in bands:
        np.testing.assert_allclose(band, 0, atol=1e-5)
    inner = 0.5 / 0.2782
    assert low[0, 0] == pytest.approx(inner, rel=1e-6)


def test_bound():
    assert abs(normalised_laplacian.HIGHEST_SCORE - 83.28) < 0.01
