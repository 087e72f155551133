"""What holds for every metric of pixels; the golden numbers of all of them."""

import functools
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from etils import epath
from golden import draws, pixel_pairs

from iqa_jax.images.decode import decode_image
from iqa_jax.images.preprocess import unit_range
from iqa_jax.images.sources import ImageFolder
from iqa_jax.metrics.pixels import PIXEL_METRICS, PixelScores

FILE = Path(__file__).parents[1] / "golden" / "pixel_metrics.json"
GOLDEN = json.loads(FILE.read_text())["scores"]
PRESETS = [name for name in PIXEL_METRICS if name == "psnr" or ":" in name]
"""Each metric once."""

# Published by the metrics' own implementations for three pairs of TID2013; the tolerance is half a
# unit of the last printed digit and float32. Implementations of MS-SSIM differ by more.
OFFICIAL = {
    "psnr": ({"I03": 21.11, "I04": 20.99, "I06": 27.01}, 0.5e-2 + 1e-4),
    "ssim": ({"I03": 0.6993, "I04": 0.9978, "I06": 0.9989}, 0.5e-4 + 1e-6),
    "ms-ssim": ({"I03": 0.6733, "I04": 0.9996, "I06": 0.9998}, 5e-3),
}


def load(images):
    return unit_range(jnp.asarray(images))


# Compiled once for all tests, which is what takes time: images are of one size.
@functools.cache
def compiled(name):
    return jax.jit(PIXEL_METRICS[name].__call__)


@functools.cache
def compiled_gradients(name):
    return jax.jit(jax.value_and_grad(PIXEL_METRICS[name].__call__, (0, 1)))


@jax.jit
def every_score(reference, distorted):
    shorter = min(reference.shape[:2])
    names = [name for name in PRESETS if PIXEL_METRICS[name].least_size <= shorter]
    return {name: PIXEL_METRICS[name](reference, distorted) for name in names}


@pytest.fixture(params=PRESETS)
def name(request):
    return request.param


@pytest.fixture
def metric(name):
    return PIXEL_METRICS[name]


@pytest.fixture(scope="module")
def batch():
    """Three pairs, [3, H, W, 3], of the least width and neither square nor even."""
    reference = [draws.image(178, 161, seed) for seed in (1, 2, 3)]
    distorted = [x // (i + 2) for i, x in enumerate(reference)]
    return load(np.stack(reference)), load(np.stack(distorted))


@pytest.fixture(scope="module")
def pair(batch):
    return [images[0] for images in batch]


@pytest.mark.parametrize("metric_name", OFFICIAL)
@pytest.mark.parametrize("image", ["I03", "I04", "I06"])
def test_official_values(metric_name, image, test_data):
    folder = ImageFolder(epath.Path(test_data / "tid2013_pairs"))
    images = [
        load(decode_image(folder.read(f"{kind}/{image}.bmp"), image)) for kind in ("ref", "dist")
    ]
    values, tolerance = OFFICIAL[metric_name]
    assert abs(float(compiled(metric_name)(*images)) - values[image]) < tolerance


@pytest.mark.parametrize("pair_name", pixel_pairs.PAIRS)
def test_golden(pair_name):
    found = every_score(*map(load, pixel_pairs.pair(pair_name)))
    assert set(found) == set(GOLDEN[pair_name])
    for metric_name, expected in GOLDEN[pair_name].items():
        # The golden numbers were computed in float64; decibels of one level that was divided by 255
        # in float32 are right to four digits behind the point.
        tolerance = 2e-4 if metric_name == "psnr" else 2e-6
        assert abs(float(found[metric_name]) - expected) < tolerance, metric_name


def test_there_are_golden_numbers_of_every_metric():
    assert set().union(*GOLDEN.values()) == set(PRESETS)


def test_a_plain_name_is_the_preset_published_first():
    assert PIXEL_METRICS["ssim"] is PIXEL_METRICS["ssim:wang2004"]
    assert PIXEL_METRICS["ms-ssim"] is PIXEL_METRICS["ms-ssim:wang2003"]


def test_identical_images_have_the_highest_score(name, metric, batch):
    best = 100 if name == "psnr" else 1
    gray, black = jnp.full_like(batch[0][0], 0.3), jnp.zeros_like(batch[0][0])
    for image in (*batch[0], gray, black, jnp.ones_like(black)):
        score, slopes = compiled_gradients(name)(image, jnp.array(image))
        assert score == best
        assert compiled(name)(image, jnp.array(image)) == best
        assert all(np.isfinite(slope).all() for slope in slopes)
    assert metric.higher_is_better


def test_scores_are_float32_scalars(name, pair):
    score = compiled(name)(*pair)
    assert score.shape == ()
    assert score.dtype == jnp.float32


def test_symmetry(name, pair):
    np.testing.assert_allclose(compiled(name)(*pair), compiled(name)(*pair[::-1]), rtol=1e-6)


def test_jit_equals_eager(name, metric, pair):
    with jax.disable_jit():
        eager = metric(*pair)
    np.testing.assert_allclose(compiled(name)(*pair), eager, rtol=2e-6)


def test_vmap_equals_one_by_one(name, metric, batch):
    """Whatever the neighbours are: no range is taken from a batch."""
    mapped = jax.jit(jax.vmap(metric))
    reference, distorted = batch
    alone = [compiled(name)(r, d) for r, d in zip(reference, distorted, strict=True)]
    np.testing.assert_allclose(mapped(reference, distorted), alone, rtol=2e-6)
    for neighbours in (jnp.zeros_like(reference), jnp.ones_like(reference)):
        together = mapped(neighbours.at[1].set(reference[1]), distorted)
        np.testing.assert_array_equal(together[1], mapped(reference, distorted)[1])


def test_a_reference_is_prepared_once_for_its_versions(name, metric, batch):
    def versions(reference, distorted):
        prepared = metric.prepare(reference)
        return jax.lax.map(lambda d: metric.compare(prepared, metric.prepare(d)), distorted)

    reference = batch[0][0]
    expected = [compiled(name)(reference, d) for d in batch[1]]
    np.testing.assert_allclose(jax.jit(versions)(reference, batch[1]), expected, rtol=2e-6)


def test_the_range_is_not_that_of_the_images(name, pair):
    """If it were, halving all levels would change nothing."""
    reference, distorted = pair
    halved = compiled(name)(reference / 2, distorted / 2)
    assert abs(halved - compiled(name)(*pair)) > 1e-3


def test_gradients_are_finite(name, pair):
    reference, distorted = pair
    black, white = jnp.zeros_like(reference), jnp.ones_like(reference)
    for other in (distorted, black, white, 1 - reference, 1 - distorted):
        for images in ((reference, other), (other, reference), (black, white)):
            score, slopes = compiled_gradients(name)(*images)
            assert np.isfinite(score)
            assert all(np.isfinite(slope).all() for slope in slopes)


def test_gradient_leads_towards_the_reference(name, pair):
    reference, distorted = pair
    score, (_, slope) = compiled_gradients(name)(reference, distorted)
    # More than a level, which rounding to levels would hide.
    step = distorted + 0.02 * slope / jnp.abs(slope).max() + 0.005 * jnp.sign(slope)
    assert compiled(name)(reference, step) > score


@pytest.mark.parametrize("name", ["psnr", "ssim:rgb", "ms-ssim:rgb"])
def test_gradient_of_what_is_not_rounded(name, pair):
    reference, distorted = pair
    _, (_, slope) = compiled_gradients(name)(reference, distorted)
    direction = 2e-3 * jnp.sign(slope)
    higher, lower = (compiled(name)(reference, distorted + d) for d in (direction, -direction))
    np.testing.assert_allclose(2 * jnp.sum(slope * direction), higher - lower, rtol=0.05)


@pytest.mark.parametrize("name", PRESETS)
def test_maps(name, metric, pair):
    if not name.startswith("ssim"):
        assert metric.compare_maps is None
        return
    found = jax.jit(lambda r, d: metric.compare_maps(metric.prepare(r), metric.prepare(d)))(*pair)
    assert found.shape == (168, 151)
    assert found.dtype == jnp.float32
    mean = np.mean(np.asarray(found, np.float64))
    np.testing.assert_allclose(mean, compiled(name)(*pair), atol=1e-6)


def test_images_that_are_too_small_are_refused(name, metric):
    least, scores = metric.least_size, PixelScores((name,))
    assert scores.refusals(least, least) == {}
    for height, width in ((least - 1, 1920), (1920, least - 1)):
        reason = f"at least {least}x{least} pixels, got {width}x{height}"
        assert reason in scores.refusals(height, width)[name]
