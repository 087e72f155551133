import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from flax import nnx

from iqa_jax.backbones.convnext import VARIANTS
from iqa_jax.backbones.layers import l2_pool, local_response_norm, max_pool


@pytest.mark.parametrize(("height", "width"), [*itertools.product(range(3, 9), repeat=2)])
def test_pooling_keeps_an_incomplete_window_only_on_request(height, width, rng):
    x = rng.normal(size=(height, width)).astype(np.float32)
    for ceil in (False, True):
        rows, columns = (
            range(0, length - 2 + (1 if ceil and length % 2 == 0 else 0), 2)
            for length in (height, width)
        )
        expected = [[x[i : i + 3, j : j + 3].max() for j in columns] for i in rows]
        found = jax.jit(max_pool(3, 2, ceil=ceil))(x[None, :, :, None])
        np.testing.assert_array_equal(np.asarray(found)[0, :, :, 0], expected)


def test_the_margin_of_a_pooling_is_never_the_maximum():
    pooled = max_pool(3, 2, padding=1)(-jnp.ones((1, 5, 5, 1)))
    np.testing.assert_array_equal(pooled, -np.ones((1, 3, 3, 1)))


@pytest.mark.parametrize(("size", "stride", "margin"), [(2, 2, 0), (3, 2, 0), (3, 2, 1), (3, 1, 1)])
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_pooling_and_its_derivative_are_those_of_windows(size, stride, margin, dtype, rng):
    def by_window(x):
        margins = ((0, 0), (margin, margin), (margin, margin), (0, 0))
        window, strides = (1, size, size, 1), (1, stride, stride, 1)
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, strides, margins)

    def with_slopes(pool, x, change):
        found, slopes = jax.vjp(pool, x)
        results = found, *slopes(change), *jax.jvp(pool, (x,), (jnp.flip(x, 1),))
        return [each.astype(jnp.float32) for each in results]

    # Whole numbers, many of them equal: the first of a window has the derivative.
    x = jnp.asarray(rng.integers(-2, 3, (2, 9, 12, 5)), dtype).at[0, 3, 4].set(jnp.nan)
    change = jnp.asarray(rng.integers(1, 9, by_window(x).shape), dtype)
    pools = by_window, max_pool(size, stride, padding=margin)
    expected, found = (jax.jit(functools.partial(with_slopes, pool))(x, change) for pool in pools)
    jax.tree.map(np.testing.assert_array_equal, found, expected)


def test_only_a_cpu_compares_shifted_images():
    traced = jax.jit(max_pool(3, 2, padding=1)).trace(jnp.ones((1, 9, 12, 5)))
    for platform in ("cpu", "cuda", "tpu"):
        text = traced.lower(lowering_platforms=(platform,)).as_text()
        assert ("reduce_window" in text) == (platform != "cpu"), platform


@pytest.mark.parametrize(("height", "width"), [*itertools.product(range(1, 5), repeat=2), (9, 14)])
def test_l2_pool_is_its_formula(height, width, rng):
    x = rng.normal(size=(height, width, 3)).astype(np.float32)
    found = np.asarray(jax.jit(l2_pool)(x[None]))[0]
    np.testing.assert_allclose(found, oracle.l2_pool(x), rtol=1e-6)


def test_l2_pool_of_zeros():
    zeros = jnp.zeros((1, 6, 5, 2))
    np.testing.assert_allclose(jax.jit(l2_pool)(zeros), 1e-6, rtol=1e-6)
    assert not jax.jit(jax.grad(lambda x: l2_pool(x).sum()))(zeros).any()
    assert jax.jit(l2_pool)(zeros.astype(jnp.bfloat16)).dtype == jnp.bfloat16


def test_local_response_norm_is_its_formula(rng):
    x = rng.normal(0, 100, (3, 4, 9)).astype(np.float32)
    expected = np.empty_like(x)
    for channel in range(9):
        near = x[..., max(0, channel - 2) : channel + 3]
        expected[..., channel] = x[..., channel] / (1 + 1e-4 / 5 * (near**2).sum(-1)) ** 0.75
    found = np.asarray(jax.jit(local_response_norm)(x[None]))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_blocks_that_are_not_requested_are_skipped():
    network = nnx.eval_shape(lambda: VARIANTS["convnext_tiny"](rngs=nnx.Rngs(0)))
    graph, state = nnx.split(network)
    x = jax.ShapeDtypeStruct((1, 64, 64, 3), jnp.float32)
    compiled = jax.jit(lambda state, x: nnx.merge(graph, state)(x)["stem"]).lower(state, x)
    assert compiled.as_text().count("dot_general") == 0
