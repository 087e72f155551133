"""Third-party checkpoints in any supported format, read into nested dicts of arrays.

The format is recognised by the first bytes of a file, never by its name. PyTorch, Keras and the
rest are not needed, nothing in a file is executed, and a file that is damaged or contains more than
arrays is refused with an error that says so.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
import safetensors
from etils import epath

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.formats.budget import Contents, describe, open_contents
from iqa_jax.weights.formats.numpy_file import read_npy, read_npz
from iqa_jax.weights.formats.numpy_pickle import ARRAYS
from iqa_jax.weights.formats.pickle_machine import resolve, unpickle
from iqa_jax.weights.formats.torch_file import read_legacy, read_zip
from iqa_jax.weights.formats.zip_archive import Archive

_HEAD = 512

_SAFETENSORS = {
    "BOOL": np.dtype("?"),
    "U8": np.dtype("u1"),
    "I8": np.dtype("i1"),
    "U16": np.dtype("<u2"),
    "I16": np.dtype("<i2"),
    "U32": np.dtype("<u4"),
    "I32": np.dtype("<i4"),
    "U64": np.dtype("<u8"),
    "I64": np.dtype("<i8"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
}

NESTINGS: tuple[tuple[str, ...], ...] = (
    ("classy_state_dict", "base_model", "model", "trunk"),
    ("model_state_dict",),
    ("state_dict",),
    ("blobs",),
    ("model_weights",),
    ("model",),
    ("net",),
    ("params",),
)
"""Keys under which checkpoints keep their arrays: VISSL (own training, converted), PyTorch by
custom, Caffe2, Keras, and PyTorch and Flax by custom again."""


def read_checkpoint(path: epath.Path) -> Any:
    """Reads a checkpoint: PyTorch (all formats), pickle, ``.npy``, ``.npz``, HDF5, safetensors.

    Args:
      path: The file. Local PyTorch and NumPy files are mapped and only read when used.

    Returns:
      Nested dicts and lists that hold NumPy arrays, numbers and strings.

    Raises:
      CheckpointError: If the file cannot be read, has an unknown format, is damaged, or holds
        anything but arrays, numbers, strings and containers of these.
    """
    contents = open_contents(path)
    head = contents.data[:_HEAD]
    form = next((form for form in _FORMATS if re.match(form.signature, head, re.DOTALL)), None)
    if form is None:
        raise CheckpointError(
            f"{path}: is not a checkpoint in a known format (PyTorch, pickle, NumPy, HDF5, "
            f"safetensors); it starts with {head[:16]!r}"
        )
    try:
        tree = form.read(contents)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except Exception as error:  # a damaged file can fail in any way
        raise CheckpointError(
            f"{path}: is not a complete {form.name} ({describe(error)})"
        ) from error
    if not isinstance(tree, Mapping | list | tuple | np.ndarray):
        raise CheckpointError(f"{path}: holds a {type(tree).__name__}, expected arrays")
    return tree


def unwrap(tree: Any) -> Any:
    """Descends to the dict that holds a network's arrays.

    As long as the current dict directly holds no array, the first of :data:`NESTINGS` that leads to
    a dict is followed; an array with a single element is not a parameter but a record, such as an
    accuracy. ``params`` is followed only if it is the only dict at its level, because Flax keeps
    the state of batch norms in a dict beside it.

    Args:
      tree: Result of :func:`read_checkpoint`.

    Returns:
      The innermost dict, or ``tree`` itself if there is nothing to descend into.
    """
    while isinstance(tree, Mapping) and not any(_is_parameter(value) for value in tree.values()):
        inner = next(filter(None, (_follow(tree, nesting) for nesting in NESTINGS)), None)
        if inner is None:
            break
        tree = inner
    return tree


def _is_parameter(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.size != 1


def _follow(tree: Mapping[str, Any], nesting: tuple[str, ...]) -> Mapping[str, Any] | None:
    dicts = [key for key, value in tree.items() if isinstance(value, Mapping)]
    if nesting == ("params",) and dicts != ["params"]:
        return None
    inner: Any = tree
    for key in nesting:
        inner = inner.get(key) if isinstance(inner, Mapping) else None
    return inner if isinstance(inner, Mapping) else None


def _read_zip(contents: Contents) -> Any:
    archive = Archive(contents)
    files = {name.split("/")[-1] for name in archive.names}
    if files & {"data.pkl", "constants.pkl"}:
        return read_zip(contents, archive)
    if archive.names and all(name.endswith(".npy") for name in archive.names):
        return read_npz(contents, archive)
    raise CheckpointError("is a zip archive, but neither PyTorch's nor NumPy's")


def _read_tar(_: Contents) -> Any:
    raise CheckpointError(
        "is a tar archive: unpack it or, if it was written by PyTorch before 0.1.10, save it again "
        "with a newer version"
    )


def _read_pickle(contents: Contents) -> Any:
    return resolve(unpickle(contents.stream(), contents, ARRAYS))


def _read_npy(contents: Contents) -> Any:
    return read_npy(contents, memoryview(contents.data))


def _read_hdf5(contents: Contents) -> Any:
    from iqa_jax.weights.formats.hdf5_file import read_hdf5  # noqa: PLC0415  loads h5py

    return read_hdf5(contents)


def _read_safetensors(contents: Contents) -> dict[str, np.ndarray]:
    tree = {}
    for name, tensor in safetensors.deserialize(contents.data[:]):
        dtype = _SAFETENSORS.get(tensor["dtype"])
        if dtype is None:
            raise CheckpointError(f"{name} has the unknown type {tensor['dtype']}")
        tree[name] = np.frombuffer(bytes(tensor["data"]), dtype).reshape(tensor["shape"])
    return tree


@dataclass(frozen=True)
class _Format:
    """A file format, with the signature that its files start with and its reader."""

    name: str
    signature: bytes
    read: Callable[[Contents], Any]


_FORMATS = (
    _Format("zip archive", rb"PK(\x03\x04|\x05\x06)", _read_zip),
    _Format("HDF5 file", rb"\x89HDF\r\n\x1a\n", _read_hdf5),
    _Format("npy file", rb"\x93NUMPY", _read_npy),
    _Format("safetensors file", rb".{4}\0{4}\{", _read_safetensors),
    # The pickled magic number; since protocol 4 it is framed.
    _Format(
        "PyTorch file",
        rb"\x80.(\x95.{8})?\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19\.",
        read_legacy,
    ),
    _Format("tar archive", rb".{257}ustar", _read_tar),
    # Protocols 0 and 1 have no signature: a mark, a container or a name.
    _Format("pickle of arrays", rb"\x80[\x02-\x05]|[(\]}c]", _read_pickle),
)
"""Formats in order of matching: a safetensors file starts with a length, which may look like the
start of a pickle."""
