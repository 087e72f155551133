import jax.numpy as jnp
import numpy as np
import pytest
from metrics.pixel_checks import PixelChecks, compiled, image, made_up

FAST = ("noise 11x11", "shift 12x90", "negative 178x161", "contrast 385x401")
"""Pairs that cover small, long, medium and downsampled images."""


class TestVsi(PixelChecks):
    name = "vsi"

    @pytest.mark.parametrize("pair", FAST)
    def test_golden(self, pair):
        self.check_golden(pair)

    @pytest.mark.slow
    @pytest.mark.parametrize("pair", [pair for pair in made_up("vsi") if pair not in FAST])
    def test_golden_of_the_others(self, pair):
        self.check_golden(pair)


def test_is_symmetric():
    pair = image(1), image(2)
    np.testing.assert_allclose(compiled("vsi")(*pair), compiled("vsi")(*pair[::-1]), rtol=1e-6)


def test_a_flat_image_has_a_score():
    reference = image(1)
    assert 0 < compiled("vsi")(reference, 0 * reference + 0.4) < 1
    assert compiled("vsi")(0 * reference, 0 * reference + 1) < 1


def test_colour_counts():
    reference = image(1)
    turned = reference + 0.1 * jnp.asarray([[[0.63 / 0.06, -1, 0]]])  # the same lightness
    assert compiled("vsi")(reference, turned) < 0.99
