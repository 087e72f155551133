import jax
import jax.numpy as jnp
import numpy as np
import pytest
from golden import draws

from iqa_jax.images.preprocess import unit_range
from iqa_jax.metrics.pixels import PIXEL_METRICS
from iqa_jax.metrics.structural_similarity import viewed_gray_levels

C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def image(height, width, seed=1):
    return unit_range(jnp.asarray(draws.image(height, width, seed)))


def test_of_flat_images_is_their_luminance():
    dark, bright = (jnp.full((20, 30, 3), level / 255) for level in (100, 120))
    expected = (2 * 100 * 120 + C1) / (100**2 + 120**2 + C1)
    for name in ("ssim", "ssim:matlab", "ssim:rgb"):
        np.testing.assert_allclose(PIXEL_METRICS[name](dark, bright), expected, rtol=1e-6)


def test_can_be_negative():
    reference = image(64, 80)
    for name in ("ssim", "ssim:rgb"):
        assert PIXEL_METRICS[name](reference, 1 - reference) < 0


def test_of_nearly_identical_images_keeps_its_digits():
    """One pixel of a bright image differs by one level."""
    reference = np.full((64, 64), 250.0)
    distorted = reference.copy()
    distorted[30, 30] += 1
    offsets = np.arange(-5, 6)
    weights = np.exp(-(offsets**2) / 4.5)
    weights = np.outer(weights, weights) / weights.sum() ** 2
    mean = 250 + weights
    luminance = weights**2 / (250**2 + mean**2 + C1)
    variance = weights - weights**2
    contrast_structure = variance / (variance + C2)
    joined = luminance + contrast_structure - luminance * contrast_structure
    expected = joined.sum() / 54**2
    pair = [
        jnp.asarray(np.repeat(x[..., None], 3, -1) / 255, jnp.float32)
        for x in (reference, distorted)
    ]
    found = PIXEL_METRICS["ssim"](*pair)
    assert abs((1 - float(found)) - expected) < 1e-7  # float32 near 1
    maps = PIXEL_METRICS["ssim"].compare_maps(*map(PIXEL_METRICS["ssim"].prepare, pair))
    assert maps[0, 0] == 1


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((64, 900), (64, 900)),
        ((383, 400), (383, 400)),
        ((384, 401), (192, 201)),
        ((639, 650), (320, 325)),
        ((640, 700), (214, 234)),  # 2.5 is rounded to 3
    ],
)
def test_matlab_downsamples_by_the_shorter_side(size, expected):
    assert viewed_gray_levels(jnp.zeros((*size, 3))).shape == (1, *expected)
    assert viewed_gray_levels(jnp.zeros((*size[::-1], 3))).shape == (1, *expected[::-1])


def test_matlab_is_the_default_for_small_images():
    pair = image(200, 383), image(200, 383, seed=2)
    assert PIXEL_METRICS["ssim:matlab"](*pair) == PIXEL_METRICS["ssim"](*pair)


def test_rgb_sees_what_gray_does_not():
    """Two colours of one gray level."""
    red, green = (
        jnp.broadcast_to(jnp.asarray(colour, jnp.float32) / 255.0, (32, 32, 3))
        for colour in ([200, 0, 0], [0, 102, 0])
    )
    assert PIXEL_METRICS["ssim"](red, green) == 1
    assert PIXEL_METRICS["ssim:rgb"](red, green) < 0.5


def test_rgb_is_the_channel_mean():
    pair = image(40, 50), image(40, 50, seed=2)
    metric = PIXEL_METRICS["ssim:rgb"]
    of_channels = [metric(*(jnp.tile(x[..., c : c + 1], 3) for x in pair)) for c in range(3)]
    np.testing.assert_allclose(metric(*pair), np.mean(of_channels), atol=1e-6)


def test_rgb_is_not_rounded():
    reference = image(32, 32)
    assert PIXEL_METRICS["ssim:rgb"](reference, reference + 0.3 / 255) < 1
    assert PIXEL_METRICS["ssim"](reference, reference + 0.3 / 255) == 1


def test_second_derivatives():
    """Of the derivative that is written out by hand."""
    reference, distorted = image(11, 12), image(11, 12, seed=2)
    metric = PIXEL_METRICS["ssim:rgb"]
    slope = jax.jit(jax.grad(lambda d: metric(reference, d)))
    _, change = jax.jvp(slope, (distorted,), (reference - distorted,))
    assert np.isfinite(change).all()
    step = (reference - distorted) * 1e-2
    expected = (slope(distorted + step) - slope(distorted - step)) / 2e-2
    np.testing.assert_allclose(change, expected, atol=0.02 * float(jnp.abs(expected).max()))
