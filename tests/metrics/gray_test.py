import jax
import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.images.preprocess import unit_range
from iqa_jax.metrics.gray import gray_levels, mixed_levels, rgb_levels

# MATLAB's rgb2gray: the first row of the inverse of the matrix from YIQ to RGB.
LUMA = np.linalg.inv([[1.0, 0.956, 0.621], [1.0, -0.272, -0.647], [1.0, -1.106, 1.703]])[0]


@pytest.mark.parametrize("to_unit_range", [unit_range, lambda x: np.float32(np.asarray(x) / 255)])
def test_gray_of_all_colours(to_unit_range):
    levels = np.arange(256)
    green, blue = np.meshgrid(levels, levels, indexing="ij")
    for red in levels:
        colours = np.stack([np.full_like(green, red), green, blue], axis=-1)
        weighted = colours @ [589399, 1157447, 224810]
        expected, remainder = np.divmod(weighted + 1971656 // 2, 1971656)
        found = gray_levels(jnp.asarray(to_unit_range(jnp.asarray(colours, jnp.uint8))))[0]
        np.testing.assert_array_equal(found, expected)
        # No colour lies on a half: how it would be rounded does not matter.
        assert (remainder > 0).all()


def test_gray_is_that_of_matlab(rng):
    colours = rng.integers(0, 256, (500, 400, 3)).astype(np.uint8)
    found = gray_levels(unit_range(jnp.asarray(colours)))[0]
    np.testing.assert_array_equal(found, np.round(colours @ LUMA))
    np.testing.assert_allclose(LUMA, [0.2989, 0.5870, 0.1140], atol=5e-5)


def test_grays_stay_what_they_are():
    grays = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=-1)
    images = unit_range(jnp.asarray(grays))
    np.testing.assert_array_equal(gray_levels(images)[0, 0], np.arange(256))
    np.testing.assert_allclose(rgb_levels(images)[:, 0], [np.arange(256)] * 3, rtol=2e-7)


def test_gray_passes_the_gradient_of_the_unrounded_sum(rng):
    image = jnp.asarray(rng.uniform(size=(4, 5, 3)), jnp.float32)
    gradient = jax.grad(lambda x: gray_levels(x).sum())(image)
    np.testing.assert_allclose(gradient, np.broadcast_to(255 * LUMA, (4, 5, 3)), rtol=1e-6)


def test_a_little_outside_of_the_range():
    image = jnp.asarray([[[-1e-5] * 3, [1 + 1e-5] * 3]], jnp.float32)
    np.testing.assert_array_equal(gray_levels(image), [[[0, 255]]])


def test_mixed_levels_are_weighted_sums(rng):
    image = rng.random((5, 7, 3)).astype(np.float32)
    weights = ((0.299, 0.587, 0.114), (0.5, -0.5, 0.0))
    found = mixed_levels(jnp.asarray(image), weights)
    expected = np.moveaxis(255 * image.astype(np.float64) @ np.transpose(weights), -1, 0)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-4)
    np.testing.assert_array_equal(mixed_levels(jnp.asarray(image)), found[:1])
    assert jnp.isnan(mixed_levels(jnp.asarray(image).at[0, 0, 0].set(jnp.inf))[:, 0, 0]).all()
