import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.engine.buffers import Buffers

_SHAPE = 5, 7, 3


def _address(array):
    return array.__array_interface__["data"][0]


def test_memory_is_used_again_once_nothing_refers_to_it():
    buffers = Buffers()
    array = buffers.array(_SHAPE)
    assert (array.shape, array.dtype, array.flags.writeable) == (_SHAPE, np.uint8, True)
    address = _address(array)
    assert address % 64 == 0
    view = array[2:, ::2]
    del array
    other = buffers.array(_SHAPE)
    assert _address(other) != address
    del view
    again = buffers.array(_SHAPE[::-1])
    assert _address(again) == address


def test_arrays_in_use_share_no_memory():
    buffers = Buffers()
    arrays = [buffers.array(_SHAPE) for _ in range(4)]
    for value, array in enumerate(arrays):
        array[...] = value
    assert [set(array.flat) for array in arrays] == [{0}, {1}, {2}, {3}]


def test_an_array_may_outlive_its_buffers():
    array = Buffers().array(_SHAPE)
    array[...] = 7
    assert (array == 7).all()


def test_memory_that_a_device_reads_is_not_used_again():
    buffers = Buffers()
    array = buffers.array(_SHAPE)
    array[...] = 1
    address = _address(array)
    on_device = jax.device_put(array)
    shares_memory = jax.default_backend() == "cpu"
    assert (on_device.unsafe_buffer_pointer() == address) == shares_memory
    del array
    others = [buffers.array(_SHAPE) for _ in range(3)]
    for other in others:
        other[...] = 2
    assert (np.asarray(on_device) == 1).all()


def test_memory_that_a_started_computation_reads_is_not_used_again():
    """Its arguments are deleted, and memory requested and overwritten, while it runs."""

    @jax.jit
    def slow(image, factor):
        product = jax.lax.fori_loop(0, 20, lambda _, x: jnp.tanh(x @ factor), factor)
        return image + (0 * product[0, 0]).astype(np.uint8)

    buffers, factor = Buffers(), jnp.eye(200)
    jax.block_until_ready(slow(jnp.zeros(_SHAPE, np.uint8), factor))
    results = []
    for value in range(8):
        array = buffers.array(_SHAPE)
        array[...] = value
        results.append(slow(jax.device_put(array), factor))
    del array
    for value, result in enumerate(results):
        assert (np.asarray(result) == value).all()
