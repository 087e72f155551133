import pytest
from metrics.pixel_checks import PixelChecks, golden_pairs

from iqa_jax.metrics import multi_scale_gradients


class TestMultiScaleGmsd(PixelChecks):
    name = "ms-gmsd"

    @pytest.mark.parametrize("pair", golden_pairs("ms-gmsd"))
    def test_golden(self, pair):
        self.check_golden(pair)


def test_weights_sum_to_one():
    assert sum(multi_scale_gradients.WEIGHTS) == pytest.approx(1)
