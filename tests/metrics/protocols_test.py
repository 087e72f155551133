"""Protocols of published metrics."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.images.resize import Resize, resize_pixels
from iqa_jax.metrics.protocols import DeepWSD, Protocol
from iqa_jax.revisions import REVISIONS

DEEPWSD = DeepWSD()


@pytest.mark.parametrize(
    ("size", "shrunk", "readout", "is_squared"),
    [
        ((100, 120), (100, 120), "wasserstein", False),
        ((384, 200), (192, 100), "wasserstein", True),  # 1.5 is rounded to the even number
        ((384, 512), (192, 256), "wasserstein", True),
        ((385, 401), (192, 200), "wasserstein", True),
        ((513, 300), (256, 256), "wasserstein", False),
        ((768, 999), (256, 256), "wasserstein", False),
        ((768, 1000), (192, 250), "wasserstein", True),
        ((1152, 1000), (288, 250), "wasserstein", True),
        ((720, 1280), (144, 256), "wasserstein_16", True),
        ((700, 1153), (140, 230), "wasserstein_16", True),
    ],
)
def test_deepwsd_depends_on_the_size(size, shrunk, readout, is_squared):
    assert DEEPWSD.size(*size) == shrunk
    image = jax.ShapeDtypeStruct((*size, 3), jnp.uint8)
    assert jax.eval_shape(DEEPWSD.shrink, image).shape == (*shrunk, 3)
    assert DEEPWSD.readout("wasserstein", *size) == readout
    power = 2 if is_squared else 1
    np.testing.assert_allclose(DEEPWSD.score(jnp.float32(2.0), *size), np.log(3) ** power, 1e-6)


def test_deepwsd_averages_blocks_and_leaves_the_rest_out(rng):
    image = rng.integers(0, 256, (385, 401, 3)).astype(np.uint8)
    whole = image[:384, :400].astype(np.float64) / 255
    expected = (whole[::2, ::2] + whole[1::2, ::2] + whole[::2, 1::2] + whole[1::2, 1::2]) / 4
    np.testing.assert_allclose(DEEPWSD.shrink(jnp.asarray(image)), expected, atol=1e-6)


def test_deepwsd_resizes_images_of_medium_size(rng):
    image = jnp.asarray(rng.integers(0, 256, (90, 600, 3)).astype(np.uint8))
    expected = resize_pixels(image.astype(jnp.float32) / 255.0, Resize("exact:256x256"))
    np.testing.assert_array_equal(DEEPWSD.shrink(image), expected)


@pytest.mark.parametrize("protocol", [DEEPWSD, Protocol(Resize("short:224", only_larger=True))])
def test_formulas_have_revisions(protocol):
    assert set(protocol.formulas) <= set(REVISIONS)
    assert protocol.signature
