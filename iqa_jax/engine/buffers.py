"""Memory of batches, which is used again as soon as nothing refers to a batch any more.

The operating system clears fresh memory page by page, which would take about a sixth of the
processor time of feeding stored pixels.
"""

import math
from collections.abc import Sequence

import numpy as np

_ALIGNMENT = 64
"""Bytes to a multiple of which XLA aligns arrays."""


class Buffers:
    """Arrays whose memory is used again.

    An array's memory is free once the array, its views and everything else that refers to them are
    gone. JAX refers to an array for as long as a device reads it, which on a CPU may be for the
    life of a ``jax.Array``. Threads may take arrays at the same time.
    """

    def __init__(self) -> None:
        self._free: dict[int, list[np.ndarray]] = {}

    def array(self, shape: Sequence[int]) -> np.ndarray:
        """An array with arbitrary values, which JAX can use on a CPU without a copy.

        Args:
          shape: Its shape.

        Returns:
          ``uint8`` of this shape.
        """
        length = math.prod(shape)
        free = self._free.setdefault(length, [])
        try:
            memory = free.pop()
        except IndexError:
            memory = _aligned(length)
        return np.asarray(_Loan(memory, free)).reshape(shape)


class _Loan:
    """Memory that is in use until this object ends; arrays made of it refer to it.

    Args:
      memory: The memory.
      free: List to which it returns.
    """

    def __init__(self, memory: np.ndarray, free: list[np.ndarray]):
        self._memory = memory
        self._free = free
        self.__array_interface__ = memory.__array_interface__

    def __del__(self) -> None:
        self._free.append(self._memory)


def _aligned(length: int) -> np.ndarray:
    memory = np.empty(length + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + length]
