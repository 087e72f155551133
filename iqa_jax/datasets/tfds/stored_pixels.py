"""Decoded pixels that a stored dataset has in addition to its encoded images.

The folder ``decoded`` in that of the dataset holds ArrayRecord files without compression. A record
for each image of the split ``images``, in the same order, is made of four unsigned integers of
eight bytes, little-endian (height, width, and the length and CRC-32 of the encoded file), and the
pixels as they are scored, ``uint8`` ``[height, width, 3]``. ArrayRecord keeps checksums of its
records.
"""

import contextlib
import shutil
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_record.python.array_record_data_source import ArrayRecordDataSource
from array_record.python.array_record_module import ArrayRecordWriter
from etils import epath

from iqa_jax.errors import DatasetError, ImageError, InputError
from iqa_jax.files import UNFINISHED, appearing_whole
from iqa_jax.images.decode import Header
from iqa_jax.images.sources import Check, ImageSource
from iqa_jax.progress import bar

_DECODED = "decoded"
_SUFFIX = ".array_record"
_OPTIONS = "group_size:1,uncompressed"
"""One record in a chunk, so that records are read one by one."""

_FILE_BYTES = 2**30
"""Bytes of pixels per file."""

_HEADER = struct.Struct("<4Q")


@dataclass(frozen=True)
class StoredPixels(ImageSource):
    """Images whose pixels are stored beside their encoded files.

    Any number of threads may read them, in any order.

    Attributes:
      source: Source of the encoded images.
      folder: Folder of the pixels.
      records: Records of the pixels.
      positions: Position among these of each image by name.
    """

    source: ImageSource
    folder: epath.Path
    records: Sequence[bytes]
    positions: Mapping[str, int]

    @property
    def treatment(self) -> str:
        """The treatment of the source."""
        return self.source.treatment

    def read(self, name: str) -> bytes:
        """The encoded bytes of the image ``name``."""
        return self.source.read(name)

    def header(self, name: str, *, checksum: bool = True) -> Header:
        """The header of the image ``name``."""
        return self.source.header(name, checksum=checksum)

    def header_of(self, data: bytes, name: str) -> Header:
        """The header of an image, given its encoded bytes."""
        return self.source.header_of(data, name)

    def decode(self, data: bytes, name: str) -> np.ndarray:
        """The pixels of an image, from its encoded bytes.

        Raises:
          ImageError: If they cannot be decoded, or are not those that are stored.
        """
        decoded = self.source.decode(data, name)
        if not np.array_equal(decoded, self.pixels(name)):
            raise ImageError(
                f"{name}: its pixels in {self.folder} are not those of its file; delete that "
                "folder and run iqa build --decoded again"
            )
        return decoded

    def pixels(self, name: str) -> np.ndarray:
        """The stored pixels of the image ``name``, ``uint8`` ``[height, width, 3]``, RGB.

        Raises:
          ImageError: If there is no such image, or the files are damaged or belong to another
            build.
        """
        return self.checked_pixels(name, lambda *_: None)

    def checked_pixels(self, name: str, check: Check) -> np.ndarray:
        """The stored pixels of the image ``name``, if its encoded file is the one expected.

        Raises:
          ImageError: If there is no such image, or the files are damaged or belong to another
            build.
        """
        header = self.header(name)  # refuses names that are not stored
        with reading(ImageError, name):
            record = self.records[self.positions[name]]
        if record[: _HEADER.size] != _HEADER.pack(*header):
            raise ImageError(f"{name}: its place in {self.folder} holds another image")
        check(name, header.length, header.checksum or 0)
        size = header.height, header.width, 3
        return np.frombuffer(record, np.uint8, offset=_HEADER.size).reshape(size)


def with_stored_pixels(
    images: ImageSource, folder: epath.Path, positions: Mapping[str, int]
) -> ImageSource:
    """Images of a stored dataset with their decoded pixels, if these are stored.

    Args:
      images: Source of the encoded images.
      folder: Folder of the dataset.
      positions: Position of each image by name.

    Raises:
      DatasetError: If pixels are missing or damaged.
    """
    decoded = folder / _DECODED
    if not decoded.is_dir():
        return images
    records: Any = ()
    paths = sorted(path for path in decoded.iterdir() if path.suffix == _SUFFIX)
    with reading(DatasetError, f"{decoded}"):
        records = ArrayRecordDataSource([*map(str, paths)]) if paths else ()
        found = len(records)
    if found != len(positions):
        raise DatasetError(
            f"{decoded}: expected {len(positions)} decoded images, found {found}; delete the "
            "folder and run iqa build --decoded again"
        )
    return StoredPixels(images, decoded, records, positions)


def store_pixels(
    images: ImageSource, headers: Mapping[str, Header], folder: epath.Path, *, title: str
) -> bool:
    """Stores the decoded pixels of a dataset, once; they appear only once they are complete.

    Args:
      images: Source of the images.
      headers: Their headers by name, in the order of the split ``images``.
      folder: Folder of the stored dataset.
      title: Title of the progress bar.

    Returns:
      Whether they were stored now; otherwise they were there already.

    Raises:
      DatasetError: If they cannot be written.
      ImageError: If an image cannot be decoded.
    """
    decoded = folder / _DECODED
    if decoded.is_dir():
        return False
    lengths = {name: each.height * each.width * 3 for name, each in headers.items()}
    needed, free = sum(lengths.values()), shutil.disk_usage(folder).free
    if needed > free:
        raise DatasetError(
            f"{decoded}: the decoded pixels need {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are "
            "free; choose another tfds_dir"
        )
    with (
        appearing_whole(decoded, replacing=False) as unfinished,
        bar(total=len(headers), desc=title, unit="image") as progress,
    ):
        unfinished.mkdir()
        for number, names in enumerate(cut(lengths, _FILE_BYTES)):
            with _writing(unfinished / f"{number:05d}{_SUFFIX}") as writer:
                for name in names:
                    pixels = images.pixels(name)
                    writer.write(_HEADER.pack(*headers[name]) + pixels.tobytes())
                    progress.update()
    return True


def unfinished_pixels(folder: epath.Path) -> list[epath.Path]:
    """Folders of pixels that killed builds left in the folder of a stored dataset."""
    return sorted(folder.glob(f".{_DECODED}.*{UNFINISHED}"))


@contextlib.contextmanager
def reading(kind: type[InputError], what: str) -> Iterator[None]:
    """Turns any error raised while a record is read into an error of ours.

    ArrayRecord raises errors of its own if a checksum fails, and returns empty records if a file
    was cut short, on which TFDS fails in many ways.

    Args:
      kind: The kind of error.
      what: What is read, for its message.
    """
    try:
        yield
    except Exception as error:
        raise kind(f"{what}: its ArrayRecord file is damaged ({error})") from error


def cut(lengths: Mapping[str, int], most: int) -> list[list[str]]:
    """Cuts images into files, in order.

    Args:
      lengths: Number of bytes of each image by name.
      most: Number of bytes of a file; only a single image may have more.

    Returns:
      Names of the images of each file.
    """
    files: list[list[str]] = []
    room = 0
    for name, length in lengths.items():
        if not files or length > room:
            files.append([])
            room = most
        files[-1].append(name)
        room -= length
    return files


@contextlib.contextmanager
def _writing(path: epath.Path) -> Iterator[Any]:
    writer = ArrayRecordWriter(str(path), _OPTIONS)
    try:
        yield writer
        writer.close()
    except RuntimeError as error:
        raise DatasetError(f"{path.parent}: cannot be written ({error})") from error
