from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.images.luminance import lightness

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "luminance.npz")
"""8-bit L from OpenCV's COLOR_RGB2LAB, made by tests/golden/make_backbones.py."""


gradient = jax.jit(jax.grad(lambda x: lightness(x).sum()))


def test_equals_opencv_bit_for_bit():
    colours = jnp.asarray(GOLDEN["colours"]).astype(jnp.float32) / 255.0
    found = np.asarray(jax.jit(lightness)(colours))[..., 0] * 255
    np.testing.assert_allclose(found, GOLDEN["colours_luminance"], atol=1e-4)


def test_gradient_follows_the_unrounded_formula(rng):
    image = rng.uniform(0.1, 0.9, (4, 5, 3)).astype(np.float32)
    slope = np.asarray(gradient(image))
    step = 0.05
    for channel in range(3):
        moved = np.zeros(image.shape, np.float32)
        moved[..., channel] = step
        upper, lower = (np.asarray(jax.jit(lightness)(x)) for x in (image + moved, image - moved))
        change = (upper - lower)[..., 0] / (2 * step)
        np.testing.assert_allclose(slope[..., channel], change, atol=0.06)


@pytest.mark.parametrize("level", [0.0, 0.04045, 1.0])
def test_gradient_is_finite_everywhere(level):
    slope = np.asarray(gradient(np.full((2, 2, 3), level, np.float32)))
    assert np.isfinite(slope).all()
    assert (slope > 0).all()
