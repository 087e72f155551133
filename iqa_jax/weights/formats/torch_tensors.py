"""Vocabulary of PyTorch files: tensors as views of storages, which are bytes of the file."""

import math
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.formats.budget import Contents, check_shape
from iqa_jax.weights.formats.numpy_pickle import ARRAYS
from iqa_jax.weights.formats.pickle_machine import Constructors, StandIn

_BYTES = np.dtype("u1")
_STORAGES = {
    "BFloat16Storage": np.dtype(ml_dtypes.bfloat16),
    "BoolStorage": np.dtype("?"),
    "ByteStorage": _BYTES,
    "CharStorage": np.dtype("i1"),
    "DoubleStorage": np.dtype("<f8"),
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "IntStorage": np.dtype("<i4"),
    "LongStorage": np.dtype("<i8"),
    "ShortStorage": np.dtype("<i2"),
}
_UNSIGNED = tuple(np.dtype(code) for code in ("<u2", "<u4", "<u8"))


class Storage:
    """Bytes shared by tensors; ``data`` is None until the file has been read that far."""

    def __init__(self, dtype: np.dtype, length: int):
        self.dtype = dtype
        self.length = length
        self.data: memoryview | None = None


class Storages:
    """The storages that a pickle refers to, by key."""

    def __init__(self, contents: Contents):
        self._contents = contents
        self.found: dict[str, Storage] = {}

    def load(self, reference: Any) -> "_Elements":
        """Elements of the storage that a persistent id in the pickle refers to."""
        match reference:
            case ("storage", _Dtype() as kind, str() as key, _, int() as length, *view) if (
                length >= 0
            ):
                storage = self.found.setdefault(key, Storage(kind.dtype, length))
                return _Elements(self._contents, storage, kind.dtype, *_range(length, *view))
        raise CheckpointError("refers to something outside the pickle that is not a storage")


def _range(length: int, view: Any = None) -> tuple[int, int]:
    """First element and number of elements; very old files have storages within storages."""
    match view:
        case None:
            return 0, length
        case (_, int() as start, int() as part) if 0 <= start <= start + part <= length:
            return start, part
    raise CheckpointError("holds a view that does not fit its storage")


class _Dtype(StandIn):
    """An element type: one of PyTorch's storage classes or dtypes."""

    def __init__(self, dtype: np.dtype):
        self.dtype = dtype

    def value(self) -> str:
        return str(self.dtype)


class _TensorClass(StandIn):
    """Class of a tensor; it makes no difference here."""


class _Elements(StandIn):
    """Elements of a storage; on their own, a one-dimensional array."""

    def __init__(
        self, contents: Contents, storage: Storage, dtype: np.dtype, start: int, length: int
    ):
        self.contents, self.storage, self.dtype = contents, storage, dtype
        self.start, self.length = start, length

    def as_type(self, dtype: np.dtype) -> "_Elements":
        """The same bytes as elements of another type; the current elements must be bytes."""
        if self.dtype != _BYTES or self.start:
            raise CheckpointError(f"uses elements of type {self.dtype} as {dtype}")
        return _Elements(self.contents, self.storage, dtype, 0, self.length // dtype.itemsize)

    def value(self) -> np.ndarray:
        return self.array(0, (self.length,), (1,))

    def array(self, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> np.ndarray:
        """A read-only view of the elements."""
        size = self.dtype.itemsize
        data = self.storage.data
        if data is None or (self.start + self.length) * size > len(data):
            raise CheckpointError(
                f"a storage claims {self.length} elements of type {self.dtype}, but has "
                f"{len(data or ())} bytes"
            )
        elements = math.prod(shape)
        last = offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
        if elements and last >= self.length:
            raise CheckpointError(
                f"a tensor of shape {shape}, strides {strides} and offset {offset} extends beyond "
                f"its {self.length} elements"
            )
        if elements > self.length:
            self.contents.spend(elements * size, f"an expanded tensor of shape {shape}")
        if not elements:
            offset, strides = 0, (0,) * len(shape)
        return np.ndarray(
            shape, self.dtype, data, (self.start + offset) * size, [size * n for n in strides]
        )


class Tensor(StandIn):
    """A tensor: elements of a storage with a shape."""

    def __init__(self, elements: _Elements, offset: int, shape: Any, strides: Any):
        self._elements, self._offset = elements, offset
        self._shape, self._strides = check_shape(shape), check_shape(strides)

    def value(self) -> np.ndarray:
        """A read-only view of the elements."""
        return self._elements.array(self._offset, self._shape, self._strides)


def _tensor(elements: Any, offset: Any, shape: Any, strides: Any) -> Tensor:
    if not (isinstance(elements, _Elements) and isinstance(offset, int) and offset >= 0):
        raise CheckpointError("holds a tensor that is not part of a storage")
    return Tensor(elements, offset, shape, strides)


def _tensor_v2(elements: Any, offset: Any, shape: Any, strides: Any, *rest: Any) -> Tensor:
    _gradient, _hooks, *metadata = rest
    if any(metadata):
        raise CheckpointError("holds a tensor that is stored conjugated or negated")
    return _tensor(elements, offset, shape, strides)


def _tensor_v3(elements: Any, offset: Any, shape: Any, strides: Any, *rest: Any) -> Tensor:
    _gradient, _hooks, kind, *metadata = rest
    if not (isinstance(elements, _Elements) and isinstance(kind, _Dtype)):
        raise CheckpointError("holds a tensor of an unknown type")
    return _tensor_v2(elements.as_type(kind.dtype), offset, shape, strides, None, None, *metadata)


class _OldParameter(StandIn):
    """A parameter from before PyTorch 0.4, given its tensor at construction or afterwards."""

    def __init__(self, tensor: Any = None, *_):
        self._tensor = None if tensor is None else _parameter(tensor)

    def set_state(self, state: Any) -> None:
        if self._tensor is None:
            if not (isinstance(state, tuple) and state):
                raise CheckpointError("holds a parameter that is not a tensor")
            self._tensor = _parameter(state[0])

    def value(self) -> np.ndarray:
        if self._tensor is None:
            raise CheckpointError("holds a parameter without a tensor")
        return self._tensor.value()


def _parameter(tensor: Any, *_) -> Tensor:
    if not isinstance(tensor, Tensor):
        raise CheckpointError("holds a parameter that is not a tensor")
    return tensor


def _with_attributes(build: Callable[..., Any], _class: Any, args: Any, _attributes: Any) -> Tensor:
    if not isinstance(args, tuple):
        raise CheckpointError("holds a tensor that is built from nothing")
    return _parameter(build(*args))


def _device(kind: Any, index: Any = None) -> str:
    if not (isinstance(kind, str) and isinstance(index, int | None)):
        raise CheckpointError("holds an unknown device")
    return kind if index is None else f"{kind}:{index}"


TENSORS: Constructors = {
    **ARRAYS,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor_v2,
    ("torch._utils", "_rebuild_tensor_v3"): _tensor_v3,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): _with_attributes,
    ("torch.nn.parameter", "Parameter"): _OldParameter,
    ("torch", "Tensor"): _TensorClass(),
    ("torch", "Size"): check_shape,
    ("torch", "device"): _device,
    ("torch.storage", "UntypedStorage"): _Dtype(_BYTES),
    **{("torch", name): _Dtype(dtype) for name, dtype in _STORAGES.items()},
    **{("torch.cuda", name): _Dtype(dtype) for name, dtype in _STORAGES.items()},
    **{("torch", str(dtype)): _Dtype(dtype) for dtype in (*_STORAGES.values(), *_UNSIGNED)},
}
"""Names that a PyTorch file may use, NumPy's arrays included."""
