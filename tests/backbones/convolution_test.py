import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from iqa_jax.backbones.convolution import by_blocks
from iqa_jax.backbones.layers import conv


def check(shape, channels, window, groups, rng):
    """Checks that a layer with random weights agrees with JAX on a random input."""
    size, stride, padding = window
    layer = conv(
        *(shape[-1], channels, size),
        stride=stride,
        padding=padding,
        groups=groups,
        rngs=nnx.Rngs(0),
    )
    kernel = rng.normal(size=layer.kernel.shape).astype(np.float32)
    layer.kernel.set_value(jnp.asarray(kernel))
    x = rng.normal(size=shape).astype(np.float32)
    expected = jax.lax.conv_general_dilated(
        x,
        kernel,
        (stride, stride),
        [(padding, padding)] * 2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )
    np.testing.assert_allclose(jax.jit(layer)(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("groups", [1, 2, 12])
@pytest.mark.parametrize(
    ("size", "stride", "padding"), [(3, 1, 1), (5, 2, 2), (7, 1, 3), (4, 4, 0)]
)
def test_convolutions_with_groups_are_those_of_jax(groups, size, stride, padding, rng):
    check((2, 17, 22, 12), 12, (size, stride, padding), groups, rng)


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
    check((3, *image, 8), 12, window, groups, rng)


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


@pytest.mark.parametrize(
    ("size", "strides", "padding"),
    [
        ((11, 11), (4, 4), ((2, 2), (2, 2))),  # AlexNet
        ((7, 7), (2, 2), ((3, 3), (3, 3))),  # ResNet
        ((4, 4), (4, 4), ((0, 0), (0, 0))),  # ConvNeXt
        ((3, 5), (2, 3), ((0, 1), (2, 0))),
        ((1, 2), (4, 2), ((5, 1), (3, 4))),
    ],
)
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_convolutions_by_blocks_are_those_of_jax(size, strides, padding, dtype, rng):
    options = {"dimension_numbers": ("NHWC", "HWIO", "NHWC"), "precision": "highest"}

    def with_slopes(convolution, x, kernel):
        found, slopes = jax.vjp(convolution, x, kernel)
        return found, slopes(jnp.ones_like(found))

    @jax.jit
    def both(x, kernel):
        xla = functools.partial(
            jax.lax.conv_general_dilated, window_strides=strides, padding=padding, **options
        )
        ours = functools.partial(by_blocks, strides=strides, padding=padding, **options)
        return with_slopes(xla, x, kernel), with_slopes(ours, x, kernel)

    # Whole numbers, so that all sums are exact in both types and in any order.
    for height, width, channels in [(16, 24, 3), (17, 15, 1), (7, 22, 3)]:
        x = jnp.asarray(rng.integers(-1, 2, (2, height, width, channels)), dtype)
        kernel = jnp.asarray(rng.integers(-1, 2, (*size, channels, 4)), dtype)
        jax.tree.map(np.testing.assert_array_equal, *both(x, kernel))


def test_convolutions_by_blocks_of_images_without_positions():
    options = {"dimension_numbers": ("NHWC", "HWIO", "NHWC")}
    for height, dtype in itertools.product([5, 6], [jnp.float32, jnp.bfloat16]):
        x, kernel = jnp.ones((1, height, 20, 3), dtype), jnp.ones((11, 11, 3, 4), dtype)
        found = by_blocks(x, kernel, strides=(4, 4), padding=[(2, 2)] * 2, **options)
        assert found.shape == (1, 0, 4, 4)


@pytest.mark.parametrize(("channels", "stride"), [(3, 4), (8, 4), (3, 1)])
def test_only_tpus_take_few_channels_by_blocks(channels, stride):
    layer = conv(channels, 8, 4, stride=stride, rngs=nnx.Rngs(0))
    traced = jax.jit(layer).trace(jax.ShapeDtypeStruct((1, 16, 16, channels), jnp.float32))
    for platform in ("cpu", "cuda", "tpu"):
        text = traced.lower(lowering_platforms=(platform,)).as_text()
        is_blockwise = platform == "tpu" and (channels, stride) == (3, 4)
        assert ("x48xf32>" in text) == is_blockwise
