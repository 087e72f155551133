import jax.numpy as jnp
import numpy as np
import pytest
from metrics.pixel_checks import PixelChecks, compiled, golden_pairs, image

from iqa_jax.metrics import gradient_similarity


class TestGmsd(PixelChecks):
    name = "gmsd"

    @pytest.mark.parametrize("pair", golden_pairs("gmsd"))
    def test_golden(self, pair):
        self.check_golden(pair)


def test_is_symmetric():
    pair = image(1), image(2)
    np.testing.assert_allclose(compiled("gmsd")(*pair), compiled("gmsd")(*pair[::-1]), rtol=1e-6)


def test_deviation_is_that_of_a_sample():
    maps = jnp.zeros((2, 2)), jnp.asarray([[0, 0], [0, 170**0.5]])
    found = gradient_similarity.compare(*maps)  # one dissimilarity of 1/2
    assert found == pytest.approx(np.std([0, 0, 0, 0.5], ddof=1), rel=1e-6)
