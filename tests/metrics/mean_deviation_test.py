import jax.numpy as jnp
import pytest
from metrics.pixel_checks import PixelChecks, compiled, golden_pairs, image

from iqa_jax.metrics import mean_deviation
from iqa_jax.metrics.local_similarity import power_losses


class TestMdsi(PixelChecks):
    name = "mdsi"

    @pytest.mark.parametrize("pair", golden_pairs("mdsi"))
    def test_golden(self, pair):
        self.check_golden(pair)


def test_is_not_symmetric():
    reference, smooth = image(1), 0.3 * image(1) + 0.35
    assert compiled("mdsi")(reference, smooth) != compiled("mdsi")(smooth, reference)


def test_nothing_exceeds_the_bound():
    """Similarities at the ends of their range, half of the positions each."""
    for ends in ((-0.6, 1), (1, 2), (-0.6, 2)):
        plane = jnp.asarray([ends, ends], jnp.float32)
        spread = mean_deviation._deviations(*power_losses(plane, 0.25))
        assert float(jnp.mean(spread)) ** 0.25 < mean_deviation.HIGHEST_SCORE
