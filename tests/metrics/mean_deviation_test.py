import jax
import jax.numpy as jnp
import numpy as np
import pytest
from metrics.pixel_checks import PixelChecks, compiled, image, made_up

from iqa_jax.metrics import mean_deviation


class TestMdsi(PixelChecks):
    name = "mdsi"

    @pytest.mark.parametrize("pair", made_up("mdsi"))
    def test_golden(self, pair):
        self.check_golden(pair)


def test_is_not_symmetric():
    reference, smooth = image(1), 0.3 * image(1) + 0.35
    assert compiled("mdsi")(reference, smooth) != compiled("mdsi")(smooth, reference)


def test_fourth_roots():
    numbers = jnp.asarray([-0.5, 0, 1e-9, 0.5, 1, 1.5, 1.9], jnp.float32)
    real, imaginary = mean_deviation._root_losses(numbers)
    expected = 1 - (1 - np.asarray(numbers, np.float64)).astype(complex) ** 0.25
    np.testing.assert_allclose(real, expected.real, rtol=1e-6)
    np.testing.assert_allclose(imaginary, expected.imag, rtol=1e-6, atol=1e-12)
    slopes = jax.grad(lambda x: sum(map(jnp.sum, mean_deviation._root_losses(x))))(numbers)
    assert np.isfinite(slopes).all()


def test_nothing_exceeds_the_bound():
    """Similarities at the ends of their range, half of the positions each."""
    for ends in ((-0.6, 1), (1, 2), (-0.6, 2)):
        plane = jnp.asarray([ends, ends], jnp.float32)
        spread = mean_deviation._deviations(*mean_deviation._root_losses(plane))
        assert float(jnp.mean(spread)) ** 0.25 < mean_deviation.HIGHEST_SCORE
