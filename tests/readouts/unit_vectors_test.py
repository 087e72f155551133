import jax
import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.readouts.packing import Packed
from iqa_jax.readouts.unit_vectors import scaled_by_channels, scaled_by_product, to_unit_length


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
@pytest.mark.parametrize("channels", [3, 64, 128, 192])
def test_unit_length_in_both_forms(channels, dtype, rng):
    activations = jnp.asarray(rng.normal(size=(3, 8, channels)), dtype).at[1, 2].set(0)
    exact = np.asarray(activations, np.float64)
    norms = np.linalg.norm(exact, axis=-1, keepdims=True)
    expected = exact / np.where(norms == 0, 1, norms)
    packed = Packed.of(activations)
    for scale in (scaled_by_channels, scaled_by_product):
        found = Packed(jax.jit(scale, static_argnums=1)(packed.values, channels), channels)
        np.testing.assert_allclose(found.unpacked(), expected, rtol=1e-6)
    found = to_unit_length(activations)
    assert found.values.dtype == jnp.float32
    np.testing.assert_allclose(found.unpacked(), expected, rtol=1e-6)


@pytest.mark.parametrize("scale", [scaled_by_channels, scaled_by_product])
def test_infinity_spoils_its_vector_and_in_a_product_those_packed_with_it(scale):
    values = jnp.ones((1, 2, 128)).at[0, 1, 3].set(jnp.inf)
    is_number = jnp.isfinite(scale(values, 64)).reshape(4, 64).all(-1)
    # A product adds zeros times the other vector, and zero times infinity is not a number.
    assert is_number.tolist() == [True, True, False, scale is scaled_by_channels]


def test_a_tpu_sums_in_its_matrix_unit_where_vectors_are_short():
    for channels, has_product in ((64, True), (128, True), (256, False)):
        traced = jax.jit(lambda x: to_unit_length(x).values).trace(jnp.zeros((4, 4, channels)))
        for platform in ("cpu", "cuda", "tpu"):
            text = traced.lower(lowering_platforms=(platform,)).as_text()
            assert ("dot_general" in text) == (has_product and platform == "tpu"), platform
