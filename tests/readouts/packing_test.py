import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.readouts.packing import LANES, Packed

SHAPES = [
    ((4, 256, 3), (4, 2, 384)),
    ((4, 100, 3), (4, 25, 12)),
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
def test_means_and_repeated_channels(shape, rng):
    activations = rng.normal(size=shape).astype(np.float32)
    packed = Packed.of(jnp.asarray(activations))
    means = packed.mean()
    np.testing.assert_allclose(means, activations.mean((0, 1), np.float64), rtol=1e-5, atol=1e-7)
    centred = Packed(packed.values - packed.along(means), packed.channels).unpacked()
    np.testing.assert_array_equal(centred, activations - np.asarray(means))


def test_common_channels_fill_the_lanes():
    for channels in (3, 16, 32, 64, 96):
        packed = Packed.of(jnp.zeros((1, 128, channels)))
        assert packed.values.shape[-1] % LANES == 0
