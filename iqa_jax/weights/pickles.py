"""A pickle reader that builds arrays and containers of arrays, and nothing else.

A pickle is a program. This reader runs it with a vocabulary in which nothing harmful can be said:
every constructor that a file names is looked up in a short table of our own stand-ins, which check
what they are given, and any other name is refused before it is touched.
"""

import io
import math
import pickle
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from iqa_jax.errors import CheckpointError

_NUMERIC = re.compile(r"b1|[iuf][1248]")
_BYTE_ORDERS = ("<", ">", "|", "=")
_PLAIN = (bool, int, float, str, bytes, type(None), np.ndarray, np.number, np.bool_)


def read_pickle(data: bytes, name: str) -> Any:
    """Reads a pickle of NumPy arrays in nested dicts, lists and tuples.

    Args:
      data: The whole pickle, of any protocol.
      name: What error messages call it.

    Returns:
      The containers with read-only NumPy arrays, numbers and strings in them.

    Raises:
      CheckpointError: If the pickle names anything else, or is damaged.
    """
    try:
        return _resolve(_ArrayUnpickler(io.BytesIO(data)).load(), {})
    except CheckpointError as error:
        raise CheckpointError(f"{name}: {error}") from None
    except Exception as error:  # a damaged pickle can fail in any way
        raise CheckpointError(f"{name}: is not a whole pickle of arrays ({error!r})") from error


class _Constructor:
    """A callable that a pickle may call but, having no attributes, cannot change."""

    __slots__ = ("_build",)

    def __init__(self, build: Callable[..., Any]):
        self._build = build

    def __call__(self, *args):
        return self._build(*args)


class _Dtype:
    """Stands in for ``numpy.dtype``: numbers only, no objects and no records."""

    def __init__(self, code: str, *_):
        if not (isinstance(code, str) and _NUMERIC.fullmatch(code)):
            raise CheckpointError(f"holds an array of type {code!r}; only numbers are allowed")
        self._code, self._order = code, "="

    def __setstate__(self, state: tuple):
        if state[1] not in _BYTE_ORDERS:
            raise CheckpointError(f"holds an array of byte order {state[1]!r}")
        self._order = state[1]

    def numpy(self) -> np.dtype:
        return np.dtype(self._order + self._code)


class _Array:
    """Stands in for ``numpy.ndarray``: takes no more memory than the file has bytes for it."""

    def __init__(self, *_):
        self.values = np.zeros(0)

    def __setstate__(self, state: tuple):
        _, shape, dtype, fortran_order, data = state
        self.values = _from_bytes(data, dtype, shape, "F" if fortran_order else "C")


def _from_bytes(data: Any, dtype: Any, shape: tuple[int, ...], order: Any = "C") -> np.ndarray:
    data = data.encode("latin1") if isinstance(data, str) else data
    if not (isinstance(data, bytes | bytearray) and isinstance(dtype, _Dtype)):
        raise CheckpointError("holds an array that is not made of numbers")
    if math.prod(shape) * dtype.numpy().itemsize != len(data):
        raise CheckpointError(
            f"holds an array whose shape {shape} does not fit its {len(data)} bytes"
        )
    array = np.frombuffer(data, dtype.numpy()).reshape(shape, order=order)
    array.flags.writeable = False
    return array


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise CheckpointError(f"asks for the text encoding {encoding!r}")
    return text.encode("latin1")


_CONSTRUCTORS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy.core.multiarray", "scalar"): lambda dtype, data: _from_bytes(data, dtype, ())[()],
    ("numpy.core.numeric", "_frombuffer"): _from_bytes,
    ("collections", "OrderedDict"): dict,
    ("_codecs", "encode"): _encode,
    ("__builtin__", "bytes"): lambda: b"",
}
"""What a pickle may ask for; NumPy's names of before 2.0 stand for both."""


# The pickle module's reader in Python, not the one in C: a few bytes that claim an entry far up
# in the memo make the latter allocate everything below it.
class _ArrayUnpickler(pickle._Unpickler):  # pyright: ignore[reportAttributeAccessIssue]
    def find_class(self, module: str, name: str) -> _Constructor:
        build = _CONSTRUCTORS.get((module.replace("numpy._core.", "numpy.core."), name))
        if build is None:
            raise CheckpointError(
                f"asks to build {module}.{name}; only arrays and containers are allowed"
            )
        return _Constructor(build)

    def persistent_load(self, pid: Any) -> Any:
        raise CheckpointError(f"refers to something outside of the file ({pid!r})")


def _resolve(value: Any, resolved: dict[int, Any]) -> Any:
    """Puts the arrays in the place of their stand-ins; shared containers are visited once."""
    if id(value) not in resolved:
        resolved[id(value)] = _resolve_once(value, resolved)
    return resolved[id(value)]


def _resolve_once(value: Any, resolved: dict[int, Any]) -> Any:
    if isinstance(value, _Array):
        return value.values
    if isinstance(value, dict):
        return {_resolve(k, resolved): _resolve(v, resolved) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_resolve(item, resolved) for item in value)
    if isinstance(value, _PLAIN):
        return value
    raise CheckpointError(f"holds a {type(value).__name__}; only arrays and containers are allowed")
