"""The bytes of a third-party file, mapped rather than read, and a budget for expanding them."""

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
    """A file read from its start; a read never returns more than what is left."""

    def read(self, n: int = ..., /) -> bytes:
        """The next ``n`` bytes."""
        ...

    def readline(self) -> bytes:
        """The bytes up to and including the next line end."""
        ...

    def tell(self) -> int:
        """Number of bytes read so far."""
        ...


class Contents:
    """The bytes of a file.

    A few bytes can expand to any number: compressed entries, expanded tensors, a string used over
    and over. A reader declares memory beyond the file's own bytes with :meth:`spend`, which refuses
    a file that would grow to many times its size.

    Attributes:
      data: The file, mapped into memory if possible.
    """

    def __init__(self, data: bytes | mmap.mmap):
        self.data = data
        self._left = max(_GROWTH * len(data), _LEAST)

    def stream(self) -> Stream:
        """A new stream of the bytes; only one may be in use at a time."""
        if isinstance(self.data, bytes):
            return io.BytesIO(self.data)
        self.data.seek(0)
        return self.data

    def view(self, start: int, length: int, what: str) -> memoryview:
        """A part of the file, without copying.

        Raises:
          CheckpointError: If the file ends too early; the message names the part as ``what``.
        """
        if not 0 <= start <= start + length <= len(self.data):
            raise CheckpointError(
                f"is cut short: {what} should end at byte {start + length} of {len(self.data)}"
            )
        return memoryview(self.data)[start : start + length]

    def spend(self, amount: int, what: str) -> None:
        """Declares that far fewer bytes are expanded to ``amount`` bytes.

        Raises:
          CheckpointError: If the file would grow to too many times its size.
        """
        self._left -= amount
        if self._left < 0:
            raise CheckpointError(
                f"{what} takes {amount} bytes in memory, too much for a file of {len(self.data)}"
            )


def open_contents(path: epath.Path) -> Contents:
    """Opens a file: a local file is mapped, one in a bucket is read.

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
            return b""  # an empty file cannot be mapped
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def check_shape(shape: object) -> tuple[int, ...]:
    """Returns ``shape`` if it is valid for an array.

    Raises:
      CheckpointError: If it is not a short tuple of lengths.
    """
    if not isinstance(shape, tuple) or len(shape) > _MOST_AXES:
        raise CheckpointError("holds an array whose shape is not a short tuple")
    if not all(type(length) is int and 0 <= length < _LONGEST_AXIS for length in shape):
        raise CheckpointError("holds an array whose shape is not made of lengths")
    return shape


def check_number(dtype: np.dtype) -> np.dtype:
    """Returns ``dtype`` if it is a real number type.

    Raises:
      CheckpointError: If it is a type of objects, text, records or complex numbers.
    """
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise CheckpointError(f"holds an array of type {dtype}; only numbers are allowed")
    return dtype


def describe(error: Exception) -> str:
    """A short description of an error raised by a damaged file."""
    return f"{type(error).__name__}: {error}"[:200]
