import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from iqa_jax.backbones.layers import conv
from iqa_jax.backbones.registry import build_folded
from iqa_jax.backbones.stem import STEM_POOL, rectify_and_pool_pairs


def first_convolution(rng, channels=3, features=5):
    module = conv(channels, features, 7, stride=2, padding=3, rngs=nnx.Rngs(0))
    module.kernel[...] = jnp.asarray(rng.normal(size=(7, 7, channels, features)) / 7, jnp.float32)
    module.bias[...] = jnp.asarray(rng.normal(size=features), jnp.float32)
    return module


@pytest.mark.parametrize(
    ("height", "width", "channels"), [(16, 20, 3), (15, 19, 3), (33, 23, 1), (1, 3, 3)]
)
def test_pairs_are_single_pixels(height, width, channels, rng):
    x = jnp.asarray(rng.normal(size=(2, height, width, channels)), jnp.float32)
    module = first_convolution(rng, channels)
    expected = nnx.relu(module(x))
    assert expected.shape[2] % 2 == 0
    found = rectify_and_pool_pairs(module, x)
    for one, other in zip(found, (expected, STEM_POOL(expected)), strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_half_precision_stays_half(rng):
    x = jnp.asarray(rng.normal(size=(1, 12, 16, 3)), jnp.bfloat16)
    module = first_convolution(rng)
    nnx.update(module, jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), nnx.state(module)))
    for each in rectify_and_pool_pairs(module, x):
        assert each.dtype == jnp.bfloat16


@pytest.mark.parametrize("trunk", ["resnet18", "resnet50_colorization", "densenet121"])
def test_only_a_tpu_pairs_pixels_and_only_in_even_widths(trunk):
    network = build_folded(trunk)
    channels = 1 if "color" in trunk else 3
    for width in (64, 66):
        image = jax.ShapeDtypeStruct((1, 32, width, channels), jnp.float32)
        traced = jax.jit(network.apply).trace(network.parameters, image)
        for platform in ("cpu", "cuda", "tpu"):
            text = traced.lower(lowering_platforms=(platform,)).as_text()
            is_paired = f"tensor<4x3x{8 * channels}x128xf32>" in text
            assert is_paired == (platform == "tpu" and width == 64)
