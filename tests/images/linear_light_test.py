import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.images.linear_light import mixtures, srgb_to_linear


def test_the_curve_of_srgb_joins_its_parts():
    codes = np.arange(256) / 255
    expected = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in codes]
    found = srgb_to_linear(jnp.asarray(codes, jnp.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found[0] == 0
    assert found[255] == 1
    assert (jnp.diff(found) > 0).all()


def test_slopes_are_those_of_the_curve():
    values = jnp.asarray([0.0, 0.02, 0.5, 1.0])
    expected = [
        1 / 12.92,
        1 / 12.92,
        *(2.4 / 1.055 * ((v + 0.055) / 1.055) ** 1.4 for v in (0.5, 1)),
    ]
    np.testing.assert_allclose(jax.vmap(jax.grad(srgb_to_linear))(values), expected, rtol=1e-5)
    assert jnp.isnan(srgb_to_linear(jnp.float32(jnp.nan)))


def test_mixtures_are_a_matrix_product(rng):
    planes, weights = rng.random((3, 4, 5)), rng.normal(size=(2, 3))
    found = mixtures(jnp.asarray(planes, jnp.float32), weights)
    np.testing.assert_allclose(
        found, np.einsum("dc,chw->dhw", weights, planes), rtol=1e-5, atol=1e-6
    )
