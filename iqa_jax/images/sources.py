"""Sources of images: encoded files by name, and their pixels."""

import contextlib
import io
import os
import stat
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from etils import epath

from iqa_jax import buckets
from iqa_jax.errors import ImageError, MissingImageError
from iqa_jax.files import is_local
from iqa_jax.images.decode import Header, decode_image, read_header

Check = Callable[[str, int, int], None]
"""Compares the length and CRC-32 of an image's encoded bytes with those that are expected."""


class ImageSource(ABC):
    """Encoded images by name, wherever they are stored."""

    @property
    def treatment(self) -> str:
        """Description, for fingerprints, of changes to the decoded pixels; empty if none."""
        return ""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """The encoded bytes of the image ``name``.

        Raises:
          ImageError: If there is no such image, or it cannot be read.
        """

    def file(self, name: str) -> epath.Path | None:
        """Path of the file of the image ``name``; None if it is not a file of its own."""
        del name
        return None

    def header(self, name: str, *, checksum: bool = True) -> Header:
        """The header of the image ``name``, without decoding it.

        Args:
          name: Name of the image.
          checksum: Whether the checksum is needed; without it, the whole image need not be read.

        Raises:
          ImageError: If there is no such image, or its header is not that of a supported one.
        """
        return self.header_of(self.read(name), name)

    def header_of(self, data: bytes, name: str) -> Header:
        """The header of an image, given the bytes that :meth:`read` returned.

        Args:
          data: The encoded bytes.
          name: Name for error messages.

        Raises:
          ImageError: If their header is not that of a supported image.
        """
        return read_header(io.BytesIO(data), len(data), name)

    def decode(self, data: bytes, name: str) -> np.ndarray:
        """The pixels of an image, given the bytes that :meth:`read` returned.

        Args:
          data: The encoded bytes.
          name: Name for error messages.

        Returns:
          ``uint8`` ``[height, width, 3]``, RGB.

        Raises:
          ImageError: If they cannot be decoded.
        """
        return decode_image(data, name)

    def pixels(self, name: str) -> np.ndarray:
        """The image ``name``, ``uint8`` ``[height, width, 3]``, RGB.

        Raises:
          ImageError: If there is no such image, or it cannot be decoded.
        """
        return self.decode(self.read(name), name)

    def checked_pixels(self, name: str, check: Check) -> np.ndarray:
        """The image ``name``, if its encoded bytes are those that are expected.

        Args:
          name: Name of the image.
          check: Called with the name and the length and CRC-32 of the encoded bytes, before they
            are decoded; raises an error if they are not those that are expected.

        Returns:
          ``uint8`` ``[height, width, 3]``, RGB.

        Raises:
          ImageError: If there is no such image, or it cannot be decoded.
        """
        data = self.read(name)
        check(name, len(data), zlib.crc32(data))
        return self.decode(data, name)


@dataclass(frozen=True)
class ImageFolder(ImageSource):
    """Image files, named by their paths.

    Attributes:
      root: Folder that the names are relative to; None if they are complete paths.
    """

    root: epath.Path | None = None

    def file(self, name: str) -> epath.Path:
        """Path of the image ``name``, which need not exist."""
        path = epath.Path(name)
        return self.root / path if self.root and is_local(path) else path

    def read(self, name: str) -> bytes:
        """The encoded bytes of the image ``name``.

        Raises:
          ImageError: If there is no such file, or it cannot be read.
        """
        path = self.file(name)
        with _file_errors(name):
            if not is_local(path):
                return buckets.read(path)
            _refuse_special(path, name)
            return path.read_bytes()

    def header(self, name: str, *, checksum: bool = True) -> Header:
        """The header of the image ``name``, without decoding it.

        Raises:
          ImageError: If there is no such file, or its header is not that of a supported image.
        """
        path = self.file(name)
        with _file_errors(name):
            if not is_local(path):
                return super().header(name)
            length = _refuse_special(path, name).st_size
            with path.open("rb") as file:
                return read_header(file, length, name, checksum=checksum)


@dataclass(frozen=True)
class ArrayImages(ImageSource):
    """Images in memory, by name, alongside those of another source.

    The encoded bytes of an array are its pixels, row by row.

    Attributes:
      arrays: ``uint8`` ``[height, width, 3]``, RGB, by name.
      others: Source of the images with any other name.
    """

    arrays: Mapping[str, np.ndarray]
    others: ImageSource

    @property
    def treatment(self) -> str:
        """Treatment of the other images."""
        return self.others.treatment

    def read(self, name: str) -> bytes:
        """The encoded bytes of the image ``name``."""
        return self.arrays[name].tobytes() if name in self.arrays else self.others.read(name)

    def header(self, name: str, *, checksum: bool = True) -> Header:
        """Size, number of bytes and checksum of the image ``name``."""
        if name in self.arrays:
            return self.header_of(self.arrays[name].tobytes(), name)
        return self.others.header(name, checksum=checksum)

    def header_of(self, data: bytes, name: str) -> Header:
        """The same as :meth:`header`, from the encoded bytes."""
        if name not in self.arrays:
            return self.others.header_of(data, name)
        height, width, _ = self.arrays[name].shape
        return Header(height, width, len(data), zlib.crc32(data))

    def decode(self, data: bytes, name: str) -> np.ndarray:
        """The pixels of an image, from its encoded bytes."""
        if name not in self.arrays:
            return self.others.decode(data, name)
        return np.frombuffer(data, np.uint8).reshape(self.arrays[name].shape)


@contextlib.contextmanager
def _file_errors(name: str) -> Iterator[None]:
    """Turns the file system's errors into an :class:`ImageError` that names the image."""
    try:
        yield
    except ImageError:
        raise
    except FileNotFoundError as error:
        raise MissingImageError(f"{name}: there is no such file") from error
    except IsADirectoryError as error:
        found = f"{name}: is a folder, not an image" if name else "the name of an image is missing"
        raise ImageError(found) from error
    except OSError as error:
        raise ImageError(f"{name}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:  # a NUL in the name
        raise ImageError(f"{name!r}: no file can have this name ({error})") from error


def _refuse_special(path: epath.Path, name: str) -> os.stat_result:
    """Refuses pipes, sockets and devices; opening a pipe would wait for a writer.

    Returns:
      Status of the file.
    """
    status = os.stat(path)  # noqa: PTH116  (epath's takes three times as long: it looks up owners)
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise ImageError(f"{name}: is not a regular file but a pipe, a socket or a device")
    return status
