"""SSIMULACRA 2 against the author's program (see golden/make_ssimulacra2.py)."""

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
from iqa_jax.metrics import compression_artifacts
from iqa_jax.metrics.pixels import PIXEL_METRICS

FILE = Path(__file__).parents[1] / "golden" / "ssimulacra2.json"
GOLDEN = json.loads(FILE.read_text())["scores"]
SLOW = ("blur 256x256", "contrast 385x401", "noise 647x640")
CASES = [
    pytest.param(name, marks=pytest.mark.slow if name in SLOW else ())
    for name in GOLDEN
    if name in pixel_pairs.PAIRS
]
METRIC = PIXEL_METRICS["ssimulacra2"]
SIZE = (17, 13)


@functools.cache
def compiled():
    return jax.jit(METRIC.__call__)


@jax.jit
def score_and_slopes(reference, distorted):
    return jax.value_and_grad(METRIC.__call__, (0, 1))(reference, distorted)


def load(images):
    return unit_range(jnp.asarray(images))


@pytest.fixture
def pair():
    reference = draws.image(*SIZE, 1)
    return load(reference), load(reference // 2 + draws.image(*SIZE, 2) // 4)


def check(found, expected):
    # In float32, the score of a good image is right to a millionth, that of a bad one relatively.
    plain = expected["definition"]
    np.testing.assert_allclose(found, plain, rtol=1e-6, atol=3e-5)
    # The program rounds more: its filter is recursive, and it subtracts large moments.
    np.testing.assert_allclose(plain, expected["program"], rtol=1e-3, atol=0.3)


@pytest.mark.parametrize("name", CASES)
def test_golden(name):
    check(compiled()(*map(load, pixel_pairs.pair(name))), GOLDEN[name])


@pytest.mark.parametrize("name", pixel_pairs.REAL)
def test_real_images(name, test_data):
    images = pixel_pairs.real(name, test_data)
    check(compiled()(*map(load, images)), GOLDEN[name])


def test_identical_images_have_the_highest_score_and_no_slope(pair):
    flat = jnp.full_like(pair[0], 0.3)
    for image in (*pair, flat, jnp.zeros_like(flat), jnp.ones_like(flat)):
        score, slopes = score_and_slopes(image, jnp.array(image))
        assert score == compiled()(image, jnp.array(image)) == 100
        assert all((slope == 0).all() for slope in slopes)
    assert METRIC.score_range == (-np.inf, 100)
    assert METRIC.higher_is_better


def test_the_window_has_the_sum_and_variance_of_a_gaussian():
    weights = np.array(compression_artifacts._WINDOW)
    assert weights.shape == (9,)
    np.testing.assert_allclose(weights.sum(), 1, rtol=1e-14)
    np.testing.assert_allclose(weights @ np.arange(-4, 5) ** 2, 1.5**2, rtol=1e-13)
    np.testing.assert_allclose(weights, weights[::-1], rtol=1e-14)
    assert (weights > 0).all()


def test_gradients_are_finite_and_right(pair):
    black, white = jnp.zeros_like(pair[0]), jnp.ones_like(pair[0])
    others = ((pair[0], 1 - pair[0]), (black, white), (white, pair[1]), (pair[0], black))
    for images in (pair, *others):
        score, slopes = score_and_slopes(*images)
        assert np.isfinite(score)
        assert all(np.isfinite(slope).all() for slope in slopes)
    _, (_, slope) = score_and_slopes(*pair)
    step = 2e-3 * jnp.sign(slope)
    higher, lower = (compiled()(pair[0], pair[1] + each) for each in (step, -step))
    np.testing.assert_allclose(2 * jnp.sum(slope * step), higher - lower, rtol=0.02)


def test_tiny_contrast(pair):
    dim, other = (0.5 + (image - 0.5) * 1e-3 for image in pair)
    score, slopes = score_and_slopes(dim, other)
    assert 99 < score < 100
    assert all(np.isfinite(slope).all() for slope in slopes)


def test_lost_and_gained_edges_are_weighted_apart(pair):
    assert abs(compiled()(*pair) - compiled()(*pair[::-1])) > 0.1


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


@pytest.mark.parametrize(("shorter", "scales"), [(8, 2), (14, 2), (15, 3), (112, 5), (113, 6)])
def test_scales_end_after_the_first_that_is_too_small(shorter, scales):
    found = jax.eval_shape(compression_artifacts.prepare, jnp.zeros((shorter, 200, 3)))
    assert len(found) == scales
    sizes = [scale.edges.shape[1] for scale in found]
    assert sizes == [-(-shorter // 2**number) for number in range(scales)]


def test_has_no_maps_and_refuses_small_images():
    images = np.zeros((1, 7, 90, 3), np.uint8)
    expected = "ssimulacra2: expected images of at least 8x8 pixels, got 90x7"
    with pytest.raises(InputError, match=expected):
        iqa_jax.ssimulacra2(images, images)
    with pytest.raises(InputError, match="ssimulacra2 has no maps"):
        iqa_jax.load_metric("ssimulacra2").map(images.repeat(2, 1), images.repeat(2, 1))
