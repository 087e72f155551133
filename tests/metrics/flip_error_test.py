"""FLIP against NVIDIA's evaluator (see golden/make_flip.py) and on the edges of its formulas."""

import functools
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from golden import draws, pixel_pairs

import iqa_jax
from iqa_jax.errors import InputError
from iqa_jax.images.preprocess import unit_range
from iqa_jax.metrics import flip_error
from iqa_jax.metrics.pixels import PIXEL_METRICS, pixel_metric

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "flip.json").read_text())["scores"]
DEFAULT = str(flip_error.PIXELS_PER_DEGREE)
SLOW = ("blur 256x256", "contrast 385x401", "noise 647x640")
CASES = [
    pytest.param(name, degree, marks=pytest.mark.slow if name in SLOW else ())
    for name, scores in GOLDEN.items()
    for degree in scores
    if name in pixel_pairs.PAIRS
]
METRIC = PIXEL_METRICS["flip"]
SIZE = (17, 33)


@functools.cache
def compiled(degree=DEFAULT):
    metric = METRIC if degree == DEFAULT else pixel_metric(f"flip:ppd={degree}")
    assert metric is not None
    return jax.jit(metric.__call__)


@jax.jit
def score_and_slopes(reference, distorted):
    return jax.value_and_grad(METRIC.__call__, (0, 1))(reference, distorted)


def load(images):
    return unit_range(jnp.asarray(images))


@pytest.fixture
def pair():
    return load(draws.image(*SIZE, 1)), load(draws.image(*SIZE, 2) // 2)


@pytest.mark.parametrize(("name", "degree"), CASES)
def test_golden(name, degree):
    found = float(compiled(degree)(*map(load, pixel_pairs.pair(name))))
    # The definition was computed in float64, the evaluator's errors in float32 like ours.
    assert abs(found - GOLDEN[name][degree]["definition"]) < 3e-7
    assert abs(found - GOLDEN[name][degree]["evaluator"]) < 3e-7


@pytest.mark.parametrize("name", pixel_pairs.REAL)
def test_real_images(name, test_data):
    images = pixel_pairs.real(name, test_data)
    expected = GOLDEN[name][DEFAULT]
    assert abs(float(compiled()(*map(load, images))) - expected["evaluator"]) < 3e-7


def test_identical_images_have_no_error_and_no_slope(pair):
    flat = jnp.full_like(pair[0], 0.3)
    for image in (*pair, flat, jnp.zeros_like(flat), jnp.ones_like(flat)):
        score, slopes = score_and_slopes(image, jnp.array(image))
        assert score == compiled()(image, jnp.array(image)) == 0
        assert all((slope == 0).all() for slope in slopes)


def of_gray(*levels):
    """FLIP of two flat gray images, in closed form."""
    dark, bright = (116 * np.cbrt(((level / 255 + 0.055) / 1.055) ** 2.4) - 16 for level in levels)
    return 0.95 / (0.4 * flip_error._GREATEST) * (bright - dark) ** 0.7


def test_flat_images_differ_in_colour_alone():
    """Rounding makes no edges."""
    levels = [load(np.full((*SIZE, 3), level, np.uint8)) for level in (50, 52)]
    score, slopes = score_and_slopes(*levels)
    np.testing.assert_allclose(score, of_gray(50, 52), rtol=1e-5)
    assert np.isfinite(slopes).all()


def test_green_and_blue_differ_most():
    green, blue = (jnp.broadcast_to(jnp.eye(3)[i], (*SIZE, 3)) for i in (1, 2))
    np.testing.assert_allclose(compiled()(green, blue), 1, rtol=1e-6)


def test_gradients_are_finite_and_right(pair):
    black, white = jnp.zeros_like(pair[0]), jnp.ones_like(pair[0])
    for images in (
        pair,
        (pair[0], 1 - pair[0]),
        (black, white),
        (white, pair[1]),
        (pair[0], black),
    ):
        score, slopes = score_and_slopes(*images)
        assert np.isfinite(score)
        assert all(np.isfinite(slope).all() for slope in slopes)
    _, (_, slope) = score_and_slopes(*pair)
    step = 5e-4 * jnp.sign(slope)
    higher, lower = (compiled()(pair[0], pair[1] + each) for each in (step, -step))
    np.testing.assert_allclose(2 * jnp.sum(slope * step), higher - lower, rtol=0.02)


def test_tiny_contrast(pair):
    dim = 0.5 + (pair[0] - 0.5) * 1e-4
    score, slopes = score_and_slopes(dim, 0.5 + (pair[1] - 0.5) * 1e-4)
    assert 0 < score < 0.01
    assert all(np.isfinite(slope).all() for slope in slopes)


def test_symmetry_and_range(pair):
    score = compiled()(*pair)
    assert score.shape == ()
    assert score.dtype == jnp.float32
    np.testing.assert_allclose(score, compiled()(*pair[::-1]), rtol=1e-6)
    assert 0 < score < 1
    assert METRIC.score_range == (0, 1)
    assert not METRIC.higher_is_better


def test_one_unreadable_pixel_has_no_score(pair):
    for value in (jnp.nan, jnp.inf):
        assert jnp.isnan(compiled()(pair[0], pair[1].at[3, 4, 1].set(value)))


def test_jit_vmap_and_eager_agree(pair):
    batch = [jnp.stack([image, image[::-1], 0.5 * image]) for image in pair]
    alone = [float(compiled()(*images)) for images in zip(*batch, strict=True)]
    mapped = jax.jit(jax.vmap(METRIC))
    np.testing.assert_allclose(mapped(*batch), alone, rtol=2e-6)
    np.testing.assert_allclose(METRIC(*pair), alone[0], rtol=2e-6)
    neighbours = jnp.zeros_like(batch[0]).at[1].set(batch[0][1])
    np.testing.assert_array_equal(mapped(neighbours, batch[1])[1], mapped(*batch)[1])


def test_the_map_has_a_pixel_for_each_and_its_mean_is_the_score(pair):
    metric = iqa_jax.load_metric("flip")
    errors = metric.map(*(image[None] for image in pair))
    assert errors.shape == (1, *SIZE)
    np.testing.assert_allclose(np.mean(errors), compiled()(*pair), rtol=1e-6)


def test_one_pixel_has_a_score():
    images = [load(np.full((1, 1, 3), level, np.uint8)) for level in (50, 52)]
    np.testing.assert_allclose(compiled()(*images), of_gray(50, 52), rtol=1e-5)


def test_pixels_per_degree_are_part_of_the_name():
    images = [image[None] for image in pixel_pairs.pair("noise 65x97")]
    expected = GOLDEN["noise 65x97"]["20.0"]["evaluator"]
    np.testing.assert_allclose(iqa_jax.flip(*images, pixels_per_degree=20)[0], expected, rtol=1e-6)
    metric = iqa_jax.load_metric("flip:ppd=20")
    assert metric.name == "flip:ppd=20"
    assert metric.function.signature["revisions"]["metric/flip"] == 1


@pytest.mark.parametrize("degree", ["", "far", "0", "0.9", "1001", "inf", "nan"])
def test_other_pixels_per_degree_are_refused(degree):
    expected = f"flip: expected a number of pixels per degree from 1 to 1000.*got '{degree}'"
    with pytest.raises(InputError, match=expected):
        iqa_jax.load_metric(f"flip:ppd={degree}")


@pytest.mark.parametrize("degree", ["1", "1000"])
def test_extreme_pixels_per_degree_have_scores(degree):
    images = [load(np.full((5, 7, 3), level, np.uint8)) for level in (50, 52)]
    np.testing.assert_allclose(compiled(degree)(*images), of_gray(50, 52), rtol=1e-5)
