"""HDF5, as Keras writes it: nested groups of arrays."""

import io
import math
from typing import Any, cast

import h5py

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.formats.budget import Contents, check_number, check_shape

_DEEPEST = 100
_CHUNK_BYTES = 1024  # approximate cost of looking up a chunk, in bytes that could be read meanwhile


def read_hdf5(contents: Contents) -> dict[str, Any]:
    """Reads all arrays of a file.

    Args:
      contents: The file.

    Returns:
      A dict for each group, an array for each dataset; an object with several names is read once.

    Raises:
      CheckpointError: If a dataset is not numeric, or the file refers to other files or to itself.
      Exception: Any type, if the file is damaged.
    """
    with h5py.File(io.BytesIO(contents.data), "r") as file:
        return _Reader(contents).read_group(file, ())


class _Reader:
    """Reads the objects of a file, each once, identified by address."""

    def __init__(self, contents: Contents):
        self._contents = contents
        self._read: dict[int, Any] = {}

    def read_group(self, group: h5py.Group, above: tuple[int, ...]) -> dict[str, Any]:
        address = _address(group)
        if address in above:
            raise CheckpointError(f"holds the group {group.name} inside itself")
        if len(above) == _DEEPEST:
            raise CheckpointError(f"holds groups nested more than {_DEEPEST} deep")
        if address not in self._read:
            self._read[address] = {
                name: self._read_item(group, name, (*above, address)) for name in map(str, group)
            }
        return self._read[address]

    def _read_item(self, group: h5py.Group, name: str, above: tuple[int, ...]) -> Any:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise CheckpointError(f"{group.name}/{name} is a link; only arrays are read")
        item = group[name]
        if isinstance(item, h5py.Group):
            return self.read_group(item, above)
        if not isinstance(item, h5py.Dataset):
            raise CheckpointError(f"{group.name}/{name} is not an array")
        address = _address(item)
        if address not in self._read:
            self._read[address] = self._read_dataset(item)
        return self._read[address]

    def _read_dataset(self, dataset: h5py.Dataset) -> Any:
        if dataset.external or dataset.is_virtual:
            raise CheckpointError(f"{dataset.name} stores its values in another file")
        check_number(dataset.dtype)
        self._contents.spend(_cost(dataset), f"the array {dataset.name}")
        return dataset[()]


def _address(item: h5py.Group | h5py.Dataset) -> int:
    return cast(Any, h5py).h5o.get_info(item.id).addr


def _cost(dataset: h5py.Dataset) -> int:
    """Bytes that reading takes; a few compressed chunks can expand to any number."""
    shape = check_shape(dataset.shape)
    if dataset.chunks is None:
        return math.prod(shape) * dataset.dtype.itemsize
    chunks = math.prod(-(-n // c) for n, c in zip(shape, dataset.chunks, strict=True))
    return chunks * (math.prod(dataset.chunks) * dataset.dtype.itemsize + _CHUNK_BYTES)
