"""HDF5, as Keras writes it: nested groups of arrays."""

import io
from typing import Any

import h5py

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.contents import Contents, check_number


def read_hdf5(contents: Contents) -> dict[str, Any]:
    """Reads all arrays of a file.

    Args:
      contents: The file.

    Returns:
      A dict for each group, an array for each dataset.

    Raises:
      CheckpointError: If a dataset is none of numbers, or the file refers to others or to itself.
      Exception: Of any type, if the file is damaged.
    """
    with h5py.File(io.BytesIO(contents.data), "r") as file:
        return _read_group(file, contents, ())


def _read_group(group: h5py.Group, contents: Contents, above: tuple[h5py.Group, ...]) -> dict:
    if group in above:
        raise CheckpointError(f"holds the group {group.name} inside of itself")
    tree = {}
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise CheckpointError(f"{group.name}/{name} is a link; only arrays are read")
        item = group[name]
        if isinstance(item, h5py.Group):
            tree[name] = _read_group(item, contents, (*above, group))
        elif isinstance(item, h5py.Dataset):
            tree[name] = _read_dataset(item, contents)
        else:
            raise CheckpointError(f"{group.name}/{name} is no array")
    return tree


def _read_dataset(dataset: h5py.Dataset, contents: Contents) -> Any:
    if dataset.external or dataset.is_virtual:
        raise CheckpointError(f"{dataset.name} has its values in another file")
    check_number(dataset.dtype)
    contents.spend(dataset.nbytes, f"the array {dataset.name}")  # it may be compressed
    return dataset[()]
