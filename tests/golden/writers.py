"""Writers of PyTorch, Caffe2 and Keras checkpoint files that need none of these packages.

A tree consists of nested dicts and lists of NumPy arrays, numbers and strings. Arrays become
tensors in PyTorch's files, whose layout is described in PyTorch's ``torch/serialization.py``.
"""

import io
import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar

import h5py
import numpy as np
import safetensors.numpy

_STORAGES = {
    "float64": "torch.DoubleStorage",
    "float32": "torch.FloatStorage",
    "float16": "torch.HalfStorage",
    "int64": "torch.LongStorage",
    "int32": "torch.IntStorage",
    "uint8": "torch.ByteStorage",
    "bool": "torch.BoolStorage",
}
_MAGIC_NUMBER, _LEGACY_PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_ALIGNMENT = 64


class _Global:
    """A class or function that the file refers to by name; it need not be installed."""

    def __init__(self, name: str):
        self.name = name

    def __call__(self):
        raise NotImplementedError(self.name)


class _Storage:
    """The numbers of a tensor, stored outside the pickle."""

    def __init__(self, array: np.ndarray):
        self.array = array


class _Parameter:
    """An array stored as ``torch.nn.Parameter``, in one of the two ways used before PyTorch 0.4."""

    def __init__(self, array: np.ndarray, is_built_empty: bool):
        self.array, self.is_built_empty = array, is_built_empty


# The pickle module's Python implementation, because the one in C cannot write arbitrary names.
class _Pickler(pickle._Pickler):
    """A pickler that can refer to names that are not installed."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def __init__(self, file: IO[bytes]):
        super().__init__(file, protocol=2)
        self._globals: dict[str, _Global] = {}

    def named(self, name: str) -> _Global:
        return self._globals.setdefault(name, _Global(name))

    def save_named(self, value: _Global) -> None:
        module, _, name = value.name.rpartition(".")
        self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
        self.memoize(value)

    dispatch[_Global] = save_named


class _Python2Pickler(_Pickler):
    """Writes text, ordered dicts and arrays (NumPy before 2.0) as Python 2 did."""

    dispatch: ClassVar = dict(_Pickler.dispatch)

    def save_string(self, value: str | bytes) -> None:
        data = value.encode("latin1") if isinstance(value, str) else value
        if len(data) < 256:
            self.write(pickle.SHORT_BINSTRING + bytes([len(data)]) + data)
        else:
            self.write(pickle.BINSTRING + len(data).to_bytes(4, "little") + data)
        self.memoize(value)

    def save_ordered(self, value: OrderedDict) -> None:
        items = [[key, item] for key, item in value.items()]
        attributes = (vars(value),) if vars(value) else ()
        self.save_reduce(self.named("collections.OrderedDict"), (items,), *attributes, obj=value)

    def save_array(self, array: np.ndarray) -> None:
        data = array.ravel().tolist() if array.dtype.hasobject else array.tobytes()
        reconstruct = self.named("numpy.core.multiarray._reconstruct")
        arguments = (self.named("numpy.ndarray"), (0,), "b")
        state = (1, array.shape, array.dtype, False, data)
        self.save_reduce(reconstruct, arguments, state, obj=array)

    def save_dtype(self, dtype: np.dtype) -> None:
        order, flags = ("|", 63) if dtype.hasobject else ("<", 0)
        arguments = (f"{dtype.kind}{dtype.itemsize}", 0, 1)
        state = (3, order, None, None, None, -1, -1, flags)
        self.save_reduce(self.named("numpy.dtype"), arguments, state, obj=dtype)

    dispatch[str] = dispatch[bytes] = save_string
    dispatch[OrderedDict] = save_ordered
    dispatch[np.ndarray] = save_array
    for _code in ("f4", "f8", "i4", "i8", "O"):
        dispatch[type(np.dtype(_code))] = save_dtype


class _TensorPickler(_Pickler):
    """Writes arrays as tensors and collects their numbers separately."""

    dispatch: ClassVar = dict(_Pickler.dispatch)
    location = "cpu"

    def __init__(self, file: IO[bytes], *, is_legacy: bool):
        super().__init__(file)
        self.storages: list[np.ndarray] = []
        self._ending = (None,) if is_legacy else ()  # no view of the storage

    def persistent_id(self, obj: Any) -> tuple | None:
        if not isinstance(obj, _Storage):
            return None
        self.storages.append(np.ascontiguousarray(obj.array))
        key = str(len(self.storages) - 1)
        storage = self.named(_STORAGES[obj.array.dtype.name])
        return ("storage", storage, key, self.location, obj.array.size, *self._ending)

    def save_tensor(self, array: np.ndarray) -> None:
        strides = tuple(math.prod(array.shape[axis + 1 :]) for axis in range(array.ndim))
        view = (_Storage(array), 0, array.shape, strides)
        self.save_reduce(*self.rebuilt(view), obj=array)

    def rebuilt(self, view: tuple) -> tuple[_Global, tuple]:
        return self.named("torch._utils._rebuild_tensor_v2"), (*view, False, OrderedDict())

    dispatch[np.ndarray] = save_tensor


class _OldTensorPickler(_TensorPickler, _Python2Pickler):
    """Writes tensors as PyTorch before 0.4 did under Python 2 on a machine with a GPU."""

    dispatch: ClassVar = {**_Python2Pickler.dispatch, **{np.ndarray: _TensorPickler.save_tensor}}
    location = "cuda:0"

    def rebuilt(self, view: tuple) -> tuple[_Global, tuple]:
        return self.named("torch._utils._rebuild_tensor"), view

    def save_parameter(self, value: _Parameter) -> None:
        parameter, hooks = self.named("torch.nn.parameter.Parameter"), OrderedDict()
        if not value.is_built_empty:
            self.save_reduce(parameter, (value.array,), (True, False, hooks), obj=value)
            return
        self.save(parameter)
        self.save(())
        self.write(pickle.NEWOBJ)
        self.memoize(value)
        self.save((value.array, None, hooks, True, False))
        self.write(pickle.BUILD)

    dispatch[_Parameter] = save_parameter


class _ProgramPickler(_TensorPickler):
    """Writes dicts as instances of classes of a TorchScript program."""

    dispatch: ClassVar = dict(_TensorPickler.dispatch)

    def save_instance(self, value: dict) -> None:
        number = len(self.memo)  # a class of its own, as tracing makes them
        self.save(self.named(f"__torch__.torch.nn.modules.___torch_mangle_{number}.Module"))
        self.write(pickle.EMPTY_TUPLE + pickle.NEWOBJ + pickle.EMPTY_DICT + pickle.MARK)
        for key, item in {**value, "training": False, "_is_full_backward_hook": None}.items():
            self.save(key)
            self.save(item)
        self.write(pickle.SETITEMS + pickle.BUILD)
        self.memoize(value)

    dispatch[dict] = save_instance


def _write_zip(tree: Any, file: IO[bytes]) -> None:
    _write_archive(tree, file, _TensorPickler, {})


def _write_torchscript(tree: Any, file: IO[bytes]) -> None:
    program = {"code/__torch__.py": b"", "constants.pkl": b"\x80\x02)."}
    _write_archive(_as_modules(tree), file, _ProgramPickler, program)


def _as_modules(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Nested dicts from dotted names."""
    modules: dict[str, Any] = {}
    for name, array in tree.items():
        *path, leaf = name.split(".")
        module = modules
        for part in path:
            module = module.setdefault(part, {})
        module[leaf] = array
    return modules


def _write_archive(
    tree: Any, file: IO[bytes], kind: type[_TensorPickler], others: Mapping[str, bytes]
) -> None:
    buffer = io.BytesIO()
    pickler = kind(buffer, is_legacy=False)
    pickler.dump(tree)
    with zipfile.ZipFile(file, "w") as archive:
        _add(archive, "data.pkl", buffer.getvalue())
        _add(archive, "byteorder", b"little")
        for key, array in enumerate(pickler.storages):
            _add(archive, f"data/{key}", array.reshape(-1).view(np.uint8).data)
        for name, data in others.items():
            _add(archive, name, data)
        _add(archive, "version", b"3\n")


def _add(archive: zipfile.ZipFile, name: str, data: bytes | memoryview) -> None:
    info = zipfile.ZipInfo(f"archive/{name}")
    info.file_size = len(data)
    header = archive.start_dir + 30 + len(info.filename) + 4
    padding = b"Z" * (-header % _ALIGNMENT)
    info.extra = b"FB" + len(padding).to_bytes(2, "little") + padding
    archive.writestr(info, data)


def _write_legacy(tree: Any, file: IO[bytes]) -> None:
    _write_parts(tree, file, _TensorPickler)


def _write_old(tree: Any, file: IO[bytes]) -> None:
    _write_parts(_with_parameters(tree), file, _OldTensorPickler)


def _write_parts(tree: Any, file: IO[bytes], kind: type[_TensorPickler]) -> None:
    system = {
        "protocol_version": _LEGACY_PROTOCOL,
        "little_endian": True,
        "type_sizes": {"short": 2, "int": 4, "long": 4},
    }
    pickler = kind(file, is_legacy=True)
    for part in (_MAGIC_NUMBER, _LEGACY_PROTOCOL, system):
        kind(file, is_legacy=True).dump(part)
    pickler.dump(tree)
    kind(file, is_legacy=True).dump([str(key) for key in range(len(pickler.storages))])
    for array in pickler.storages:
        file.write(array.size.to_bytes(8, "little"))
        file.write(array.data)


def _with_parameters(tree: Any) -> Any:
    """Weights and biases as parameters: weights in one of the two ways, biases in the other."""
    if not isinstance(tree, Mapping):
        return tree
    found = type(tree)()
    for key, value in tree.items():
        if isinstance(value, np.ndarray) and key.endswith((".weight", ".bias")):
            found[key] = _Parameter(value, is_built_empty=key.endswith(".weight"))
        else:
            found[key] = _with_parameters(value)
    return found


def _write_pickle(tree: Any, file: IO[bytes]) -> None:
    _Python2Pickler(file).dump(tree)


def _write_npy(tree: Any, file: IO[bytes]) -> None:
    header = {"descr": "|O", "fortran_order": False, "shape": ()}
    np.lib.format.write_array_header_1_0(file, header)
    _Python2Pickler(file).dump(np.array(tree, object))


def _write_npz(tree: Mapping[str, np.ndarray], file: IO[bytes]) -> None:
    np.savez(file, **tree)


def _write_h5(tree: Mapping[str, Any], file: IO[bytes]) -> None:
    with h5py.File(file, "w") as root:
        root.attrs["layer_names"] = [name.encode() for name in tree]
        root.attrs["backend"] = b"tensorflow"
        _add_groups(tree, root)


def _add_groups(tree: Mapping[str, Any], group: h5py.Group) -> None:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            _add_groups(value, group.create_group(name))
        else:
            group.create_dataset(name, data=value)


def _write_safetensors(tree: Mapping[str, np.ndarray], file: IO[bytes]) -> None:
    file.write(
        safetensors.numpy.save({name: np.ascontiguousarray(each) for name, each in tree.items()})
    )


KINDS: Mapping[str, Callable[[Any, IO[bytes]], None]] = {
    "torch": _write_zip,
    "torch-legacy": _write_legacy,
    "torch-old": _write_old,
    "torchscript": _write_torchscript,
    "pickle": _write_pickle,
    "npy": _write_npy,
    "npz": _write_npz,
    "h5": _write_h5,
    "safetensors": _write_safetensors,
}
"""Writers by kind of file: PyTorch since 1.6, since 0.4 and before; a TorchScript archive, from a
flat state dict; NumPy in pickles and archives; HDF5; safetensors."""


def write(tree: Any, kind: str, path: Path) -> None:
    """Writes ``tree`` as a file of one of :data:`KINDS`."""
    with Path(path).open("w+b") as file:
        KINDS[kind](tree, file)
