import jax.numpy as jnp
import pytest
from metrics.pixel_checks import PixelChecks, compiled, golden_pairs, image

from iqa_jax.metrics.pixels import PIXEL_METRICS


class TestVif(PixelChecks):
    name = "vif"

    @pytest.mark.parametrize("pair", golden_pairs("vif"))
    def test_golden(self, pair):
        self.check_golden(pair)


def test_more_contrast_is_more_than_the_reference_has():
    reference = 0.3 + 0.4 * image(1)
    assert compiled("vif")(reference, 1.2 * reference - 0.1) > 1
    assert PIXEL_METRICS["vif"].score_range == (0, float("inf"))


def test_a_negative_conveys_nothing():
    reference = image(1)
    assert compiled("vif")(reference, 1 - reference) == 0


def test_a_flat_reference_has_nothing_to_lose():
    reference = image(1)
    for level in (0, 0.3, 1):
        flat = jnp.full_like(reference, level)
        assert compiled("vif")(flat, reference) == 1
        assert compiled("vif")(reference, flat) == 0
