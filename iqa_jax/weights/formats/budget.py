"""The bytes of a foreign file, mapped rather than read, and how much may be made of them."""

import io
import mmap
import os
from typing import Protocol

import numpy as np
from etils import epath

from iqa_jax.errors import CheckpointError
from iqa_jax.files import is_local

_GROWTH = 16  # times the file's size, or at least
_LEAST = 1 << 24  # bytes

_MOST_AXES = 64  # NumPy's own limit
_LONGEST_AXIS = 1 << 48


class Stream(Protocol):
    """A file that is read from its start; a read never gives more than what is left."""

    def read(self, n: int = ..., /) -> bytes:
        """The next ``n`` bytes."""
        ...

    def readline(self) -> bytes:
        """The bytes up to and with the next end of a line."""
        ...

    def tell(self) -> int:
        """How many bytes have been read."""
        ...


class Contents:
    """The bytes of a file.

    A few bytes can claim to stand for any number: compressed entries, expanded tensors, one string
    that is used over and over. What a reader makes of them beyond the file's own bytes it declares
    by :meth:`spend`, which refuses a file that would grow to many times its size.

    Attributes:
      data: The file, mapped into memory where that is possible.
    """

    def __init__(self, data: bytes | mmap.mmap):
        self.data = data
        self._left = max(_GROWTH * len(data), _LEAST)

    def stream(self) -> Stream:
        """A new file to read the bytes from; only one at a time."""
        if isinstance(self.data, bytes):
            return io.BytesIO(self.data)
        self.data.seek(0)
        return self.data

    def view(self, start: int, length: int, what: str) -> memoryview:
        """A part of the file, not copied.

        Raises:
          CheckpointError: If the file ends before it; ``what`` tells which part it is.
        """
        if not 0 <= start <= start + length <= len(self.data):
            raise CheckpointError(
                f"is cut short: {what} should end at byte {start + length} of {len(self.data)}"
            )
        return memoryview(self.data)[start : start + length]

    def spend(self, amount: int, what: str) -> None:
        """Declares that ``amount`` bytes are made of far fewer.

        Raises:
          CheckpointError: If the file has grown to too many times its size.
        """
        self._left -= amount
        if self._left < 0:
            raise CheckpointError(
                f"{what} takes {amount} bytes in memory, too much for a file of {len(self.data)}"
            )


def open_contents(path: epath.Path) -> Contents:
    """Opens a file: maps a local one, reads one in a bucket.

    Raises:
      CheckpointError: If it cannot be read.
    """
    try:
        return Contents(_map(path) if is_local(path) else path.read_bytes())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: cannot be read ({error})") from error


def _map(path: epath.Path) -> bytes | mmap.mmap:
    with open(path, "rb") as file:  # noqa: PTH123  (epath's own open has no file descriptor)
        if not os.fstat(file.fileno()).st_size:
            return b""  # nothing cannot be mapped
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def check_shape(shape: object) -> tuple[int, ...]:
    """Returns ``shape`` if an array can have it.

    Raises:
      CheckpointError: If it is not a short tuple of lengths.
    """
    if not isinstance(shape, tuple) or len(shape) > _MOST_AXES:
        raise CheckpointError("holds an array whose shape is not a short tuple")
    if not all(type(length) is int and 0 <= length < _LONGEST_AXIS for length in shape):
        raise CheckpointError("holds an array whose shape is not made of lengths")
    return shape


def check_number(dtype: np.dtype) -> np.dtype:
    """Returns ``dtype`` if it is one of numbers.

    Raises:
      CheckpointError: If it is one of objects, text, records or complex numbers.
    """
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise CheckpointError(f"holds an array of type {dtype}; only numbers are allowed")
    return dtype


def describe(error: Exception) -> str:
    """A short account of an error raised by a damaged file."""
    return f"{type(error).__name__}: {error}"[:200]
