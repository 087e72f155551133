"""Pickles of NumPy arrays; the reader builds arrays and containers of arrays, nothing else."""

import math
import re
import reprlib
from typing import Any

import numpy as np

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.formats.budget import Contents, check_shape, describe
from iqa_jax.weights.formats.pickle_machine import (
    Constructors,
    StandIn,
    checked_dict,
    resolve,
    unpickle,
)

_NUMERIC = re.compile(r"b1|[iuf][1248]")
_OBJECT = re.compile(r"O[48]?")
_BYTE_ORDERS = ("<", ">", "|", "=")


def read_pickle(data: bytes, name: str) -> Any:
    """Reads a pickle of NumPy arrays in nested dicts, lists and tuples.

    Args:
      data: The whole pickle, of any protocol.
      name: Name for error messages.

    Returns:
      The containers, holding read-only NumPy arrays, numbers and strings.

    Raises:
      CheckpointError: If the pickle refers to anything else, or is damaged.
    """
    try:
        contents = Contents(data)
        return resolve(unpickle(contents.stream(), contents, ARRAYS))
    except CheckpointError as error:
        raise CheckpointError(f"{name}: {error}") from None
    except Exception as error:  # a damaged pickle can fail in any way
        raise CheckpointError(
            f"{name}: is not a complete pickle of arrays ({describe(error)})"
        ) from error


class _Dtype(StandIn):
    """Replaces ``numpy.dtype``: only numbers, no objects or records."""

    def __init__(self, code: Any, *_):
        if not (isinstance(code, str) and _NUMERIC.fullmatch(code)):
            raise CheckpointError(
                f"holds an array of type {reprlib.repr(code)}; only numbers are allowed"
            )
        self._code, self._order = code, "="

    def set_state(self, state: Any) -> None:
        if not (isinstance(state[1], str) and state[1] in _BYTE_ORDERS):
            raise CheckpointError(f"holds an array of byte order {reprlib.repr(state[1])}")
        self._order = state[1]

    def value(self) -> str:
        return str(self.numpy())

    def numpy(self) -> np.dtype:
        return np.dtype(self._order + self._code)


class _ObjectDtype(StandIn):
    """The dtype of Python objects."""

    def set_state(self, state: Any) -> None:
        pass


class _Array(StandIn):
    """Replaces ``numpy.ndarray``; takes no more memory than its bytes in the file."""

    def __init__(self, *_):
        self._values: Any = np.zeros(0)

    def set_state(self, state: Any) -> None:
        _, shape, dtype, fortran_order, data = state
        if isinstance(dtype, _ObjectDtype):
            self._values = _from_objects(data, shape)
        else:
            self._values = _from_bytes(data, dtype, shape, "F" if fortran_order else "C")

    def value(self) -> Any:
        return self._values


def _from_bytes(data: Any, dtype: Any, shape: Any, order: Any = "C") -> np.ndarray:
    data = data.encode("latin1") if isinstance(data, str) else data
    if not (isinstance(data, bytes | bytearray) and isinstance(dtype, _Dtype)):
        raise CheckpointError("holds an array that is not made of numbers")
    if math.prod(check_shape(shape)) * dtype.numpy().itemsize != len(data):
        raise CheckpointError(
            f"holds an array whose shape {shape} does not match its {len(data)} bytes"
        )
    array = np.frombuffer(data, dtype.numpy()).reshape(shape, order=order)
    array.flags.writeable = False
    return array


def _from_objects(items: Any, shape: Any) -> Any:
    """Unwraps objects: NumPy stores an object that is not an array in an array without axes."""
    if isinstance(items, list) and shape == () and len(items) == 1:
        return items[0]
    if isinstance(items, list) and isinstance(shape, tuple) and len(shape) == 1:
        return items
    raise CheckpointError("holds an array of objects with several axes")


def _any_dtype(code: Any, *_) -> StandIn:
    return _ObjectDtype() if isinstance(code, str) and _OBJECT.fullmatch(code) else _Dtype(code)


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise CheckpointError(f"asks for the text encoding {reprlib.repr(encoding)}")
    return text.encode("latin1")


ARRAYS: Constructors = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy.core.multiarray", "scalar"): lambda dtype, data: _from_bytes(data, dtype, ())[()],
    ("numpy.core.numeric", "_frombuffer"): _from_bytes,
    ("collections", "OrderedDict"): checked_dict,
    ("collections", "Counter"): checked_dict,
    ("_codecs", "encode"): _encode,
    ("__builtin__", "bytes"): lambda: b"",
}
"""NumPy arrays and containers of arrays. Names from before NumPy 2.0 also cover the newer ones."""

OBJECT_ARRAYS: Constructors = {**ARRAYS, ("numpy", "dtype"): _any_dtype}
"""The same, but arrays may also hold containers of arrays."""
