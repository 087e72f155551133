import jax.numpy as jnp
import numpy as np
import pytest
from golden import pixel_pairs
from metrics.pixel_checks import (
    PixelChecks,
    compiled,
    compiled_gradients,
    golden,
    golden_pairs,
    image,
    made_up,
)

from iqa_jax.images.preprocess import unit_range

AT_A_JUMP = "negative 178x161"
"""I and Q of an image and its negative are opposite, and where one is exactly 10 and the other is
small, the product of similarities is 0 but for rounding. Its power 0.03 is 0.38 in float64."""


class TestFsim(PixelChecks):
    name = "fsim"

    @pytest.mark.parametrize("pair", golden_pairs("fsim"))
    def test_golden(self, pair):
        self.check_golden(pair)


class TestFsimc:
    """What differs from FSIM, with which it shares all but the chroma."""

    @pytest.mark.parametrize("pair", ["shift 12x90", "dark 178x161", "contrast 385x401"])
    def test_golden(self, pair):
        PixelChecksOfFsimc().check_golden(pair)

    @pytest.mark.slow
    @pytest.mark.parametrize("pair", [pair for pair in made_up("fsimc") if pair != AT_A_JUMP])
    def test_golden_of_all(self, pair):
        PixelChecksOfFsimc().check_golden(pair)

    def test_identical_images(self):
        reference = image(1)
        for same in (reference, 0 * reference + 0.3):
            score, slopes = compiled_gradients("fsimc")(same, jnp.array(same))
            assert score == 1
            assert all(np.isfinite(slope).all() for slope in slopes)

    def test_gradients_are_finite(self):
        reference = image(1)
        for other in (1 - reference, 0 * reference, image(2)):
            _, slopes = compiled_gradients("fsimc")(reference, other)
            assert all(np.isfinite(slope).all() for slope in slopes)

    def test_colour_counts(self):
        reference = image(1)
        turned = reference + 0.1 * jnp.asarray([[[0.587 / 0.299, -1, 0]]])  # the same luma
        assert compiled("fsim")(reference, turned) > 0.9999
        assert compiled("fsimc")(reference, turned) < 0.999


class PixelChecksOfFsimc(PixelChecks):
    """Without its tests."""

    __test__ = False
    name = "fsimc"


def test_the_authors_score_at_the_jump_is_near():
    images = map(unit_range, map(jnp.asarray, pixel_pairs.pair(AT_A_JUMP)))
    assert abs(float(compiled("fsimc")(*images)) - golden("fsimc")[AT_A_JUMP]) < 1e-4


def test_is_symmetric():
    pair = image(1), image(2)
    np.testing.assert_allclose(compiled("fsim")(*pair), compiled("fsim")(*pair[::-1]), rtol=1e-6)
