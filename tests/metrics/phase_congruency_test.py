import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.metrics import phase_congruency

congruency = jax.jit(phase_congruency.congruency)


def test_is_high_at_an_edge_whatever_its_contrast():
    column = np.arange(64) // 32
    for contrast in (20.0, 200.0):
        plane = jnp.asarray(np.tile(100 + contrast * column, (48, 1)), jnp.float32)
        found = np.asarray(congruency(plane))
        assert found[24, 31:33].min() > 0.75
        assert found[24, 31:33].min() > 2 * found[24, 24:28].max()


def test_of_a_flat_image_is_zero_and_so_is_its_derivative():
    plane = jnp.full((9, 12), 100.0)
    assert (congruency(plane) == 0).all()
    assert (jax.grad(lambda x: congruency(x).sum())(plane) == 0).all()


def test_range(rng):
    found = congruency(jnp.asarray(rng.random((31, 40)) * 255, jnp.float32))
    assert found.min() >= 0
    assert found.max() <= 1


def test_filters_are_symmetric_in_frequency():
    radial, angular, thresholds = phase_congruency._filters(31, 40)
    assert radial.shape == (4, 31, 40)
    np.testing.assert_allclose(radial[:, 1:], radial[:, :0:-1], rtol=1e-6)
    np.testing.assert_allclose(angular[0, 1:], angular[0, :0:-1], rtol=1e-5, atol=1e-9)
    assert (thresholds > 0).all()
