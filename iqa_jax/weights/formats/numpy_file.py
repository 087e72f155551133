"""NumPy's ``.npy`` and ``.npz`` files; objects in them are read by our own unpickler."""

import io
import math
import warnings
from typing import Any

import numpy as np

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.formats.budget import Contents, check_number, check_shape
from iqa_jax.weights.formats.numpy_pickle import OBJECT_ARRAYS
from iqa_jax.weights.formats.pickle_machine import resolve, unpickle
from iqa_jax.weights.formats.zip_archive import Archive

_LONGEST_HEADER = 1 << 16


def read_npy(contents: Contents, data: memoryview) -> Any:
    """Reads one array, or the containers inside an array of objects.

    Args:
      contents: The file.
      data: The part of the file that is the ``.npy``.

    Returns:
      A read-only view of the file, or containers of arrays.

    Raises:
      CheckpointError: If it holds anything but numbers and containers.
      Exception: Any type, if it is damaged.
    """
    header = io.BytesIO(data[:_LONGEST_HEADER])
    version = np.lib.format.read_magic(header)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about headers written by Python 2
        if version == (1, 0):
            shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(header)
        elif version == (2, 0):
            shape, fortran_order, dtype = np.lib.format.read_array_header_2_0(header)
        else:
            raise CheckpointError(f"has the unknown format version {version}")
    values = data[header.tell() :]
    if dtype.hasobject:
        return resolve(unpickle(io.BytesIO(values), contents, OBJECT_ARRAYS))
    if math.prod(check_shape(shape)) * check_number(dtype).itemsize != len(values):
        raise CheckpointError(f"has {len(values)} bytes, which does not match the shape {shape}")
    return np.frombuffer(values, dtype).reshape(shape, order="F" if fortran_order else "C")


def read_npz(contents: Contents, archive: Archive) -> dict[str, Any]:
    """Reads the arrays of an archive.

    Args:
      contents: The file.
      archive: Entries of the file.

    Returns:
      Contents of each entry, by its name without ``.npy``.

    Raises:
      CheckpointError: If an entry is not an array.
      Exception: Any type, if the file is damaged.
    """
    arrays = {}
    for entry in archive.names:
        if not entry.endswith(".npy"):
            raise CheckpointError(f"holds the entry {entry[:100]}, which is not an array")
        arrays[entry.removesuffix(".npy")] = read_npy(contents, archive.read(entry))
    return arrays
