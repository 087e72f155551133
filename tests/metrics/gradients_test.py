import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.metrics.gradients import magnitudes, prewitt, scharr


def test_gradients_of_a_ramp():
    plane = jnp.arange(5.0)[None, :] + 10 * jnp.arange(4.0)[:, None]
    across_columns, across_rows = prewitt(plane)
    np.testing.assert_allclose(across_columns[1:-1, 1:-1], 2, rtol=1e-6)
    np.testing.assert_allclose(across_rows[1:-1, 1:-1], 20, rtol=1e-6)


def test_outside_is_zero():
    gradients = prewitt(jnp.ones((3, 3)))
    expected = np.asarray([[2, 3, 2], [0, 0, 0], [-2, -3, -2]]) / 3
    np.testing.assert_allclose(gradients[1], expected, rtol=1e-6)
    np.testing.assert_allclose(gradients[0], expected.T, rtol=1e-6)


def test_weights_of_neighbours():
    gradients = scharr(jnp.zeros((3, 3)).at[1, 1].set(16))
    expected = np.asarray([[3, 10, 3], [0, 0, 0], [-3, -10, -3]])
    np.testing.assert_array_equal(gradients[1], expected)
    np.testing.assert_array_equal(gradients[0], expected.T)


def test_derivative_of_no_length_is_zero():
    slope = jax.grad(lambda x: magnitudes(x).sum())(jnp.zeros((2, 3, 3)))
    assert (slope == 0).all()
