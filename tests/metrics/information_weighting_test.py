import jax.numpy as jnp
import numpy as np
import pytest
from metrics.pixel_checks import PixelChecks, compiled, compiled_gradients, image, made_up

from iqa_jax.metrics.information_weighting import LEAST_SIZE
from iqa_jax.metrics.pixels import PixelScores

SIZE = (LEAST_SIZE, LEAST_SIZE + 16)
NAME = "iw-ssim"


class Checks(PixelChecks):
    """Without its tests, of which most have smaller images."""

    __test__ = False
    name = NAME


def test_golden():
    Checks().check_golden("blur 256x256")


@pytest.mark.slow
@pytest.mark.parametrize("pair", made_up(NAME))
def test_golden_of_all(pair):
    Checks().check_golden(pair)


@pytest.mark.slow
@pytest.mark.parametrize("pair", ["I03", "I04", "I06"])
def test_golden_real(pair, test_data):
    Checks().test_golden_real(pair, test_data)


def test_identical_and_flat_images():
    reference = image(1, SIZE)
    for same in (reference, 0 * reference, 0 * reference + 0.3, 0 * reference + 1):
        assert compiled(NAME)(same, jnp.array(same)) == 1
    flat = 0 * reference + 0.3
    assert 0 <= compiled(NAME)(reference, flat) < 1
    assert 0 <= compiled(NAME)(flat, reference) < 1
    assert 0 < compiled(NAME)(flat, flat + 0.3) < 1


def test_periodic_images_have_scores():
    stripes = jnp.zeros((*SIZE, 3)).at[::2].set(1)
    assert 0 <= compiled(NAME)(stripes, 0.5 * stripes) < 1


def test_worse_images_have_worse_scores():
    reference, noise = image(1, SIZE), image(2, SIZE)
    scores = [
        float(compiled(NAME)(reference, (1 - share) * reference + share * noise))
        for share in (0, 0.02, 0.1, 0.5)
    ]
    assert scores == sorted(set(scores), reverse=True)


def test_a_pixel_that_is_not_finite_has_no_score():
    reference = image(1, SIZE)
    broken = reference.at[20, 30, 1].set(jnp.nan)
    assert np.isnan(compiled(NAME)(reference, broken))
    assert np.isnan(compiled(NAME)(broken, reference))


@pytest.mark.slow
def test_gradients():
    reference = image(1, SIZE)
    flat, stripes = 0 * reference + 0.3, jnp.zeros((*SIZE, 3)).at[::2].set(1)
    for first in (reference, flat, stripes):
        for second in (reference, flat, stripes, 0.8 * reference):
            _, slopes = compiled_gradients(NAME)(first, second)
            assert all(np.isfinite(slope).all() for slope in slopes)
    assert all(np.abs(slope).max() > 0 for slope in slopes)


def test_least_size():
    reason = f"at least {LEAST_SIZE}x{LEAST_SIZE} pixels, got 999x{LEAST_SIZE - 1}"
    assert reason in PixelScores((NAME,)).refusals(LEAST_SIZE - 1, 999)[NAME]
