import jax
import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.images.tables import look_up, looked_up, looked_up_by_product


@pytest.mark.parametrize("length", [1, 2, 3, 255, 256, 2042])
@pytest.mark.parametrize("look", [looked_up, looked_up_by_product])
def test_entries_are_those_of_the_table(look, length, rng):
    table = rng.integers(-(2**24) + 1, 2**24, length)
    places = rng.permutation(np.arange(2 * length) % length).reshape(2, length)
    found = jax.jit(lambda places: look(table, places))(places)
    assert found.dtype == jnp.int32
    np.testing.assert_array_equal(found, table[places])


def test_places_outside_have_the_ends():
    found = look_up(np.array([5, 6, 7]), jnp.array([-(2**31), -1, 0, 2, 3, 2**31 - 1]))
    assert found.tolist() == [5, 5, 5, 7, 7, 7]


def test_only_a_tpu_gathers_nothing():
    traced = jax.jit(lambda places: look_up(np.arange(256), places)).trace(jnp.arange(12))
    for platform in ("cpu", "cuda", "tpu"):
        text = traced.lower(lowering_platforms=(platform,)).as_text()
        assert ("gather" in text) == (platform != "tpu"), platform
