import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.backbones.layers import l2_pool, max_pool
from iqa_jax.backbones.paired import l2_pool_of_pairs, max_pool_of_pairs, paired_convolutions
from iqa_jax.backbones.registry import build_folded

CHANNELS = (3, 5, 5)


def convolutions(rng):
    return [
        (
            jnp.asarray(rng.normal(size=(3, 3, *each)) / 3, jnp.float32),
            jnp.asarray(rng.normal(size=each[1:]), jnp.float32),
        )
        for each in itertools.pairwise(CHANNELS)
    ]


def one_by_one(x, parameters, pool):
    activations = []
    for kernel, bias in parameters:
        x = jax.lax.conv_general_dilated(
            x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        x = jax.nn.relu(x + bias.reshape(1, 1, 1, -1))
        activations.append(x)
    return *activations, pool(x)


POOLS = {max_pool(2, 2): max_pool_of_pairs, l2_pool: l2_pool_of_pairs}


@pytest.mark.parametrize(("height", "width"), [(8, 10), (7, 6), (9, 2), (2, 2)])
@pytest.mark.parametrize(("pool", "pool_of_pairs"), POOLS.items(), ids=["max", "l2"])
def test_pairs_are_single_pixels(pool, pool_of_pairs, height, width, rng):
    x = jnp.asarray(rng.normal(size=(2, height, width, CHANNELS[0])), jnp.float32)
    parameters = convolutions(rng)
    expected = one_by_one(x, parameters, pool)
    found = paired_convolutions(x, parameters, pool_of_pairs)
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("pool", "pool_of_pairs"), POOLS.items(), ids=["max", "l2"])
def test_half_precision_stays_half(pool, pool_of_pairs, rng):
    x = jnp.asarray(rng.normal(size=(1, 6, 8, 4)), jnp.bfloat16)
    found = pool_of_pairs(x.reshape(1, 6, 4, 8))
    assert found.dtype == jnp.bfloat16
    np.testing.assert_allclose(
        np.float32(found), np.float32(pool(x)), rtol=2**-7, err_msg="one unit in the last place"
    )


@pytest.mark.parametrize("trunk", ["vgg16", "vgg16_l2pool", "vgg11", "vgg16_bn"])
def test_only_a_tpu_pairs_pixels_and_only_in_even_widths(trunk):
    network = build_folded(trunk)
    for width in (32, 33):
        image = jax.ShapeDtypeStruct((1, 32, width, 3), jnp.float32)
        traced = jax.jit(network.apply).trace(network.parameters, image)
        for platform in ("cpu", "cuda", "tpu"):
            text = traced.lower(lowering_platforms=(platform,)).as_text()
            assert ("tensor<3x3x6x128xf32>" in text) == (platform == "tpu" and width % 2 == 0)
