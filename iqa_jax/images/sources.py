"""Where images are: encoded files by name, and their pixels."""

import contextlib
import io
import os
import stat
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from etils import epath
from PIL import Image

from iqa_jax.errors import ImageError, MissingImageError
from iqa_jax.files import is_local
from iqa_jax.images.decode import Header, decode_image, read_header


class ImageSource(ABC):
    """Encoded images by name, wherever they are."""

    @property
    def treatment(self) -> str:
        """What is done to the decoded pixels, in words for fingerprints; empty for nothing."""
        return ""

    @abstractmethod
    def read(self, name: str) -> bytes:
        """The encoded bytes of the image ``name``.

        Raises:
          ImageError: If there is no such image, or it cannot be read.
        """

    def header(self, name: str) -> Header:
        """What is known of the image ``name`` without decoding it.

        Raises:
          ImageError: If there is no such image, or its header is not that of a supported one.
        """
        return self.header_of(self.read(name), name)

    def header_of(self, data: bytes, name: str) -> Header:
        """As :meth:`header`, from the bytes that :meth:`read` gave.

        Args:
          data: The encoded bytes.
          name: What error messages call the image.

        Raises:
          ImageError: If their header is not that of a supported image.
        """
        return read_header(io.BytesIO(data), len(data), name)

    def decode(self, data: bytes, name: str) -> np.ndarray:
        """The pixels of an image, from the bytes that :meth:`read` gave.

        Args:
          data: The encoded bytes.
          name: What error messages call the image.

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


@dataclass(frozen=True)
class ImageFolder(ImageSource):
    """Image files, called by their paths: relative to one folder, or as they are.

    Attributes:
      root: The folder; None where names are whole paths.
    """

    root: epath.Path | None = None

    def _path(self, name: str) -> epath.Path:
        return self.root / name if self.root else epath.Path(name)

    def read(self, name: str) -> bytes:
        """The encoded bytes of the image ``name``.

        Raises:
          ImageError: If there is no such file, or it cannot be read.
        """
        path = self._path(name)
        with _file_errors(name):
            _refuse_special(path, name)
            return path.read_bytes()

    def header(self, name: str) -> Header:
        """What is known of the image ``name`` without decoding it.

        Raises:
          ImageError: If there is no such file, or its header is not that of a supported image.
        """
        path = self._path(name)
        with _file_errors(name):
            status = _refuse_special(path, name)
            length = status.st_size if status else path.stat().length
            with path.open("rb") as file:
                return read_header(file, length, name)


@dataclass(frozen=True)
class ArrayImages(ImageSource):
    """Images in memory, called by names, beside those of another source.

    The encoded bytes of an array are its pixels, row by row.

    Attributes:
      arrays: ``uint8`` ``[height, width, 3]``, RGB, by name.
      others: The images with any other name.
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

    def header(self, name: str) -> Header:
        """Size, number of bytes and checksum of the image ``name``."""
        if name in self.arrays:
            return self.header_of(self.arrays[name].tobytes(), name)
        return self.others.header(name)

    def header_of(self, data: bytes, name: str) -> Header:
        """As :meth:`header`, from the encoded bytes."""
        if name not in self.arrays:
            return self.others.header_of(data, name)
        height, width, _ = self.arrays[name].shape
        return Header(height, width, len(data), zlib.crc32(data))

    def decode(self, data: bytes, name: str) -> np.ndarray:
        """The pixels of an image, from its encoded bytes."""
        if name not in self.arrays:
            return self.others.decode(data, name)
        return np.frombuffer(data, np.uint8).reshape(self.arrays[name].shape)


@dataclass(frozen=True)
class CheckedImages(ImageSource):
    """Images that have to stay as they were when their headers were read.

    The checksum is that of the very bytes that are decoded, and already in memory: a millisecond a
    megabyte at most.

    Attributes:
      source: The images.
      headers: Of each, by name.
    """

    source: ImageSource
    headers: Mapping[str, Header]

    @property
    def treatment(self) -> str:
        """What the source does."""
        return self.source.treatment

    def read(self, name: str) -> bytes:
        """The encoded bytes of the image ``name``.

        Raises:
          ImageError: If it is not there any more, or other bytes are.
        """
        data = self.source.read(name)
        if not self.headers[name].is_of(data):
            raise ImageError(
                f"{name}: was changed while it was in use: its checksum is not the "
                "one that was taken at the start; run again when nothing writes to it"
            )
        return data

    def header(self, name: str) -> Header:
        """What was known of the image ``name`` at the start."""
        return self.headers[name]

    def decode(self, data: bytes, name: str) -> np.ndarray:
        """The pixels of an image, as its source gives them."""
        return self.source.decode(data, name)


@dataclass(frozen=True)
class BlockImages(ImageSource):
    """Images whose files may hold each pixel as a square block of equal ones.

    BAPPS stores images of 64x64 in files of 256x256. Either one pixel of each block is kept, which
    gives the images that were stored; or the files are resized by Pillow's antialiased bilinear
    filter, as LPIPS's loader does. On blocks that is a blur by [1/8, 3/4, 1/8] in both axes.

    Attributes:
      source: The files.
      size: Height and width of the images; files of another size but ``size * block`` are refused.
      block: Height and width of a block.
      is_filtered: Whether files are resized by the filter (those that hold each pixel once as if
        it were a block); else one pixel of each block is kept.
    """

    source: ImageSource
    size: int
    block: int
    is_filtered: bool = False

    @property
    def treatment(self) -> str:
        """How pixels are made of blocks."""
        how = "filtered" if self.is_filtered else "sampled"
        return f"{self.size}x{self.size} {how} from blocks of {self.block}x{self.block}"

    def read(self, name: str) -> bytes:
        """The encoded bytes of the image ``name``, as they are stored."""
        return self.source.read(name)

    def header(self, name: str) -> Header:
        """What is known of the image ``name`` without decoding it; its size without blocks."""
        return self._without_blocks(self.source.header(name), name)

    def header_of(self, data: bytes, name: str) -> Header:
        """As :meth:`header`, from the encoded bytes."""
        return self._without_blocks(self.source.header_of(data, name), name)

    def decode(self, data: bytes, name: str) -> np.ndarray:
        """The pixels of an image without blocks, ``uint8`` ``[size, size, 3]``.

        Raises:
          ImageError: If it cannot be decoded, is of another size, or is not made of blocks where
            one pixel of each is kept.
        """
        stored = self.source.decode(data, name)
        height, width, _ = stored.shape
        self._check(height, width, name)
        if self.is_filtered:
            blocks = self._in_blocks(stored) if height == self.size else stored
            size = (self.size, self.size)
            return np.asarray(Image.fromarray(blocks).resize(size, Image.Resampling.BILINEAR))
        if height == self.size:
            return stored
        sampled = np.ascontiguousarray(stored[:: self.block, :: self.block])
        if not np.array_equal(self._in_blocks(sampled), stored):
            raise ImageError(
                f"{name}: expected an image of {self.size}x{self.size} whose pixels are stored as "
                f"blocks of {self.block}x{self.block}, found blocks of different pixels"
            )
        return sampled

    def _without_blocks(self, stored: Header, name: str) -> Header:
        self._check(stored.height, stored.width, name)
        return stored._replace(height=self.size, width=self.size)

    def _in_blocks(self, pixels: np.ndarray) -> np.ndarray:
        return pixels.repeat(self.block, 0).repeat(self.block, 1)

    def _check(self, height: int, width: int, name: str) -> None:
        expected = (self.size, self.size * self.block)
        if height != width or height not in expected:
            sizes = " or ".join(f"{side}x{side}" for side in expected)
            raise ImageError(f"{name}: expected {sizes} pixels, found {width}x{height}")


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
    except ValueError as error:  # a NUL in it
        raise ImageError(f"{name!r}: no file can have this name ({error})") from error


def _refuse_special(path: epath.Path, name: str) -> os.stat_result | None:
    """Refuses what is no regular file: to open a pipe is to wait for whoever writes to it.

    Returns:
      What the operating system says of the file; nothing in a bucket, which holds no other ones.
    """
    if not is_local(path):
        return None
    status = os.stat(path)  # noqa: PTH116  (epath's takes three times as long: it asks who owns it)
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise ImageError(f"{name}: is no regular file, but a pipe, a socket or a device")
    return status
