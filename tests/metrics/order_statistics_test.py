import jax
import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.metrics.order_statistics import median


@pytest.mark.parametrize("count", [1, 2, 7, 50, 1001])
def test_is_the_median(rng, count):
    shape = (3, count)
    for numbers in (rng.random(shape), rng.integers(0, 4, shape), np.zeros(shape)):
        values = jnp.asarray(numbers, jnp.float32)
        np.testing.assert_array_equal(jax.jit(median)(values), jnp.median(values, axis=-1))


def test_derivative_belongs_to_the_middle():
    slope = jax.grad(median)(jnp.asarray([3.0, 0.0, 1.0, 9.0]))
    np.testing.assert_array_equal(slope, [0.5, 0, 0.5, 0])
    slope = jax.grad(median)(jnp.asarray([2.0, 0.0, 2.0, 2.0, 9.0]))
    np.testing.assert_allclose(slope, [1 / 3, 0, 1 / 3, 1 / 3, 0], rtol=1e-6)
