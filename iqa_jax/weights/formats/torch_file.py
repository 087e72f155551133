"""PyTorch's two file formats, read without PyTorch.

A file written by ``torch.save`` is a pickle in which tensors are views of storages: a zip archive
with the pickle and an entry for each storage or, before PyTorch 1.6, a series of pickles followed
by the storages. ``torch.jit.save`` writes the zip archive with a program beside the pickle. The
resulting arrays are views of the file, which is mapped into memory.
"""

import io
import struct
from typing import Any

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.formats.budget import Contents, Stream
from iqa_jax.weights.formats.pickle_machine import resolve, unpickle
from iqa_jax.weights.formats.torch_tensors import TENSORS, Storages
from iqa_jax.weights.formats.torchscript import PROGRAM
from iqa_jax.weights.formats.zip_archive import Archive

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_PROTOCOL_VERSION = 1001
_LENGTH = struct.Struct("<q")


def read_zip(contents: Contents, archive: Archive) -> Any:
    """Reads the zip format.

    Of a TorchScript archive only the tensors are read, as nested dicts.

    Args:
      contents: The file.
      archive: Entries of the file.

    Returns:
      Containers that hold read-only arrays, numbers and strings.

    Raises:
      CheckpointError: If the file holds anything else, or is damaged.
      Exception: Any type, if it is damaged.
    """
    pickles = [name for name in archive.names if name.split("/")[-1] == "data.pkl"]
    if len(pickles) != 1:
        raise CheckpointError(f"holds {len(pickles)} data.pkl files, expected one")
    folder = pickles[0].removesuffix("data.pkl")
    vocabulary = PROGRAM if f"{folder}constants.pkl" in archive.names else TENSORS
    byte_order = f"{folder}byteorder"
    if byte_order in archive.names and archive.read(byte_order) != b"little":
        raise CheckpointError("was written on a big-endian machine: save it again on another one")
    storages = Storages(contents)
    stream = io.BytesIO(archive.read(pickles[0]))
    tree = unpickle(stream, contents, vocabulary, storages.load)
    for key, storage in storages.found.items():
        storage.data = archive.read(f"{folder}data/{key}")
    return resolve(tree)


def read_legacy(contents: Contents) -> Any:
    """Reads the format used before PyTorch 1.6.

    Args:
      contents: The file.

    Returns:
      Containers that hold read-only arrays, numbers and strings.

    Raises:
      CheckpointError: If the file holds anything else, or is damaged.
      Exception: Any type, if it is damaged.
    """
    stream = contents.stream()
    header = [resolve(unpickle(stream, contents, {})) for _ in range(3)]
    if header[:2] != [_MAGIC_NUMBER, _PROTOCOL_VERSION]:
        raise CheckpointError("is not a PyTorch file of a known version")
    storages = Storages(contents)
    tree = unpickle(stream, contents, TENSORS, storages.load)
    place = _read_storages(storages, stream, contents)
    missing = [key for key, storage in storages.found.items() if storage.data is None]
    if missing:
        raise CheckpointError(f"ends at byte {place} without the storage {missing[0][:100]}")
    return resolve(tree)


def _read_storages(storages: Storages, stream: Stream, contents: Contents) -> int:
    keys = resolve(unpickle(stream, contents, {}))
    place = stream.tell()
    for key in keys:
        storage = storages.found.get(key) if isinstance(key, str) else None
        if storage is None:
            raise CheckpointError("holds a storage that no tensor refers to")
        what = f"the storage {key[:100]}"
        (length,) = _LENGTH.unpack(contents.view(place, _LENGTH.size, what))
        if length != storage.length:
            raise CheckpointError(f"{what} has {length} elements, not {storage.length}")
        size = length * storage.dtype.itemsize
        storage.data = contents.view(place + _LENGTH.size, size, what)
        place += _LENGTH.size + size
    return place
