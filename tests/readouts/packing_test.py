import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.readouts.packing import LANES, Packed, mean_over_positions

SHAPES = [
    ((4, 256, 3), (4, 256, 3)),
    ((4, 100, 8), (4, 25, 32)),
    ((5, 6, 64), (5, 3, 128)),
    ((5, 7, 64), (5, 7, 64)),
    ((2, 8, 96), (2, 2, 384)),
    ((3, 4, 128), (3, 4, 128)),
    ((3, 4, 192), (3, 4, 192)),
    ((0, 0, 64), (0, 0, 128)),
]


@pytest.mark.parametrize(("shape", "packed_shape"), SHAPES)
def test_positions_side_by_side(shape, packed_shape, rng):
    activations = rng.normal(size=shape).astype(np.float32)
    packed = Packed.of(jnp.asarray(activations))
    assert packed.values.shape == packed_shape
    assert packed.together * shape[-1] == packed_shape[-1]
    np.testing.assert_array_equal(packed.unpacked(), activations)
    np.testing.assert_array_equal(packed.values.reshape(-1), activations.reshape(-1))


@pytest.mark.parametrize("shape", [shape for shape, _ in SHAPES if all(shape)])
def test_means_over_positions(shape, rng):
    activations = rng.normal(size=shape).astype(np.float32)
    images = [Packed.of(jnp.asarray(activations)), Packed.of(jnp.asarray(activations**2))]
    mean = activations.mean((0, 1))
    found = mean_over_positions(lambda x, y, mean: x * (y - mean), images, [jnp.asarray(mean)])
    expected = (activations * (activations**2 - mean)).mean((0, 1), np.float64)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_common_channels_fill_the_lanes():
    for channels in (8, 16, 32, 64, 96):
        packed = Packed.of(jnp.zeros((1, 128, channels)))
        assert packed.values.shape[-1] % LANES == 0
