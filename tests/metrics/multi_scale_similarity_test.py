import jax
import jax.numpy as jnp
import numpy as np
import pytest
from golden import draws

from iqa_jax.images.preprocess import unit_range
from iqa_jax.metrics import multi_scale_similarity as ms_ssim
from iqa_jax.metrics.pixels import PIXEL_METRICS

SIZE = (178, 161)


@pytest.fixture(scope="module", params=["ms-ssim:wang2003", "ms-ssim:rgb"])
def score_and_slope(request):
    # Of both images, as in pixels_test: the compiled program is kept.
    return jax.jit(jax.value_and_grad(PIXEL_METRICS[request.param].__call__, (0, 1)))


@pytest.fixture
def images():
    return [unit_range(jnp.asarray(draws.image(*SIZE, seed))) for seed in (1, 2)]


def test_of_flat_images_is_their_luminance_at_the_coarsest_scale(score_and_slope):
    dark, bright = (jnp.full((*SIZE, 3), level / 255) for level in (100, 120))
    c1 = (0.01 * 255) ** 2
    luminance = (2 * 100 * 120 + c1) / (100**2 + 120**2 + c1)
    score, _ = score_and_slope(dark, bright)
    np.testing.assert_allclose(score, luminance**0.1333, rtol=1e-6)


def test_negative_contrast_counts_as_zero(score_and_slope, images):
    score, (_, slope) = score_and_slope(images[0], 1 - images[0])
    assert score == 0
    assert (slope == 0).all()


def test_gradient_is_finite_where_scales_turn_negative(score_and_slope, images):
    reference, noise = images
    scores = []
    for share in np.linspace(0, 1, 17):
        mixture = (1 - share) * (1 - reference) + share * noise
        score, (_, slope) = score_and_slope(reference, mixture)
        assert 0 <= score < 1
        assert np.isfinite(slope).all()
        scores.append(float(score))
    assert min(scores) == 0 < max(scores)


def test_least_size_leaves_one_window():
    for size, positions in ((161, 1), (176, 1), (177, 2)):
        coarsest = jax.eval_shape(ms_ssim.prepare, jnp.zeros((1, size, size)))[-1]
        assert coarsest.means.shape == (1, positions, positions)
    assert ms_ssim.LEAST_SIZE == 161


def test_weights_are_those_published():
    assert sum(ms_ssim.WEIGHTS) == pytest.approx(1.0001)
