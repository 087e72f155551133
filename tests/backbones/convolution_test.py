import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

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
