import jax
import jax.numpy as jnp
import numpy as np
import pytest
from metrics.pixel_checks import PixelChecks, compiled, golden_pairs, image

from iqa_jax.metrics import haar_similarity


class TestHaarPsi(PixelChecks):
    name = "haarpsi"

    @pytest.mark.parametrize("pair", golden_pairs("haarpsi"))
    def test_golden(self, pair):
        self.check_golden(pair)


def test_is_symmetric():
    pair = image(1), image(2)
    np.testing.assert_allclose(
        compiled("haarpsi")(*pair), compiled("haarpsi")(*pair[::-1]), rtol=1e-6
    )


def test_coefficients_of_an_edge():
    luma = jnp.zeros((16, 16)).at[8:].set(1)
    across_rows, across_columns = jax.jit(haar_similarity._haar, static_argnums=1)(luma, 8)
    assert across_rows[7, 7] == 8 * 4 / 8
    assert across_columns[7, 7] == 0


def test_colour_counts():
    reference = image(1)
    turned = reference + 0.1 * jnp.asarray([[[0.587 / 0.299, -1, 0]]])  # the same luma
    assert compiled("haarpsi")(reference, turned) < 0.99
