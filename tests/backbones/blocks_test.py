import itertools

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from flax import nnx

from iqa_jax.backbones.blocks import conv, l2_pool, local_response_norm, max_pool
from iqa_jax.backbones.convnext import convnext_tiny


@pytest.mark.parametrize("groups", [1, 2, 12])
@pytest.mark.parametrize(
    ("size", "stride", "padding"), [(3, 1, 1), (5, 2, 2), (7, 1, 3), (4, 4, 0)]
)
def test_convolutions_with_groups_are_those_of_jax(groups, size, stride, padding, rng):
    layer = conv(12, 12, size, stride=stride, padding=padding, groups=groups, rngs=nnx.Rngs(0))
    kernel = jnp.asarray(rng.normal(size=layer.kernel.shape), jnp.float32)
    layer.kernel.set_value(kernel)
    x = jnp.asarray(rng.normal(size=(2, 17, 22, 12)), jnp.float32)
    expected = jax.lax.conv_general_dilated(
        x,
        kernel,
        (stride, stride),
        [(padding, padding)] * 2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("image", "window", "groups"),
    [
        *[((2, 2), (3, 1, 1), 1), ((1, 1), (3, 1, 1), 1), ((2, 4), (3, 2, 1), 1)],
        *[((1, 7), (3, 1, 1), 1), ((3, 3), (5, 1, 2), 2), ((9, 12), (11, 4, 2), 1)],
        *[((1, 2), (2, 1, 1), 1), ((1, 2), (3, 1, 1), 4)],
        *[((1, 1), (11, 4, 2), 1), ((2, 9), (11, 4, 2), 1), ((1, 1), (7, 1, 1), 4)],
    ],
)
def test_convolutions_of_images_smaller_than_the_kernel_are_those_of_jax(
    image, window, groups, rng
):
    size, stride, padding = window
    layer = conv(8, 12, size, stride=stride, padding=padding, groups=groups, rngs=nnx.Rngs(0))
    kernel = jnp.asarray(rng.normal(size=layer.kernel.shape), jnp.float32)
    layer.kernel.set_value(kernel)
    x = jnp.asarray(rng.normal(size=(3, *image, 8)), jnp.float32)
    expected = jax.lax.conv_general_dilated(
        x,
        kernel,
        (stride, stride),
        [(padding, padding)] * 2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("side", "on_cpu"), [(2, "dot_general"), (3, "convolution")])
def test_only_cpus_multiply_matrices_where_the_kernel_is_larger(side, on_cpu):
    layer = conv(8, 8, 3, padding=1, rngs=nnx.Rngs(0))
    traced = jax.jit(layer).trace(jax.ShapeDtypeStruct((1, side, side, 8), jnp.float32))
    for platform, operation in (("cpu", on_cpu), ("cuda", "convolution"), ("tpu", "convolution")):
        text = traced.lower(lowering_platforms=(platform,)).as_text()
        assert f"stablehlo.{operation}" in text


def test_accelerators_get_their_own_depthwise_convolution():
    layer = conv(8, 8, 3, padding=1, groups=8, rngs=nnx.Rngs(0))
    traced = jax.jit(layer).trace(jax.ShapeDtypeStruct((1, 9, 9, 8), jnp.float32))
    for platform, has_convolution in (("cpu", False), ("cuda", True), ("tpu", True)):
        text = traced.lower(lowering_platforms=(platform,)).as_text()
        assert ("feature_group_count = 8" in text) == has_convolution


@pytest.mark.parametrize(("height", "width"), [*itertools.product(range(3, 9), repeat=2)])
def test_pooling_counts_an_incomplete_window_only_if_asked(height, width, rng):
    x = rng.normal(size=(height, width)).astype(np.float32)
    for ceil in (False, True):
        rows, columns = (
            range(0, length - 2 + (1 if ceil and length % 2 == 0 else 0), 2)
            for length in (height, width)
        )
        expected = [[x[i : i + 3, j : j + 3].max() for j in columns] for i in rows]
        found = max_pool(3, 2, ceil=ceil)(jnp.asarray(x)[None, :, :, None])[0, :, :, 0]
        np.testing.assert_array_equal(found, expected)


def test_the_margin_of_a_pooling_is_never_the_maximum():
    pooled = max_pool(3, 2, padding=1)(-jnp.ones((1, 5, 5, 1)))
    np.testing.assert_array_equal(pooled, -np.ones((1, 3, 3, 1)))


@pytest.mark.parametrize(("height", "width"), [*itertools.product(range(1, 5), repeat=2), (9, 14)])
def test_l2_pool_is_its_formula(height, width, rng):
    x = rng.normal(size=(height, width, 3)).astype(np.float32)
    found = l2_pool(jnp.asarray(x)[None])[0]
    np.testing.assert_allclose(found, oracle.l2_pool(x), rtol=1e-6)


def test_l2_pool_of_zeros():
    zeros = jnp.zeros((1, 6, 5, 2))
    np.testing.assert_allclose(l2_pool(zeros), 1e-6, rtol=1e-6)
    assert not jax.grad(lambda x: l2_pool(x).sum())(zeros).any()
    assert l2_pool(zeros.astype(jnp.bfloat16)).dtype == jnp.bfloat16


def test_local_response_norm_is_its_formula(rng):
    x = rng.normal(0, 100, (3, 4, 9)).astype(np.float32)
    expected = np.empty_like(x)
    for channel in range(9):
        near = x[..., max(0, channel - 2) : channel + 3]
        expected[..., channel] = x[..., channel] / (1 + 1e-4 / 5 * (near**2).sum(-1)) ** 0.75
    found = local_response_norm(jnp.asarray(x)[None])[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_blocks_are_skipped_where_they_are_not_asked_for():
    network = nnx.eval_shape(lambda: convnext_tiny(rngs=nnx.Rngs(0)))
    graph, state = nnx.split(network)
    x = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)
    compiled = jax.jit(lambda state, x: nnx.merge(graph, state)(x)["stem"]).lower(state, x)
    assert compiled.as_text().count("dot_general") == 0
