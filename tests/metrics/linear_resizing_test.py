import jax.numpy as jnp
import numpy as np

from iqa_jax.metrics.linear_resizing import product, resized, resizing


def test_numbers_of_matlab():
    """``imresize((1:8).^2, [1 4], 'bilinear')`` and, computed by hand, a threefold enlargement."""
    squares = jnp.arange(1.0, 9.0)[None] ** 2
    np.testing.assert_allclose(resized(squares, 1, 4)[0], [3.125, 13, 31, 54.875], rtol=1e-6)
    found = resized(jnp.asarray([[3.0, 6.0]]), 1, 6)
    np.testing.assert_allclose(found[0], [3, 3, 4, 5, 6, 6], rtol=1e-6)


def test_weights_sum_to_one():
    for sizes in ((7, 5), (1, 4), (256, 11), (45, 256)):
        np.testing.assert_allclose(resizing(*sizes).sum(axis=1), 1, rtol=1e-12)


def test_flat_planes_stay_flat():
    found = resized(jnp.full((2, 45, 58), 0.3), 64, 33)
    assert (found == jnp.float32(0.3)).all()


def test_product(rng):
    first, second = rng.random((3, 4)), rng.random((4, 2))
    np.testing.assert_allclose(product(*map(jnp.float32, (first, second))), first @ second, 1e-6)
