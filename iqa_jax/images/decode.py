"""Image files to pixels: encoded bytes in, ``uint8`` RGB out, with one policy for special cases.

* Gray images are replicated into three channels; palettes are expanded; white is always 255, even
  if a TIFF states that white is zero.
* Gray of 1 to 16 bits per sample (PNG, PGM with any maximum, TIFF of 1, 2, 4, 8, 12 and 16 bits,
  JPEG 2000) is scaled from its own maximum to 255 and rounded.
* Of 16-bit colour, and of 16-bit gray with alpha, the high byte is kept; PPM is scaled and rounded.
  AVIF of 10 and 12 bits is converted to 8 by its decoder, libavif.
* Alpha is composited over white; a fully opaque alpha changes nothing.
* A camera's orientation tag is applied, as in viewers; colour profiles are not.
* CMYK, Lab, signed, 32-bit and floating-point samples and animations are refused, as there is no
  single way to show them.
* Files that Pillow cannot read, or misreads, are refused: JPEG of 12 bits; colour JPEG 2000 of
  other than 8 bits; TIFF of 10 or 14 bits, with planes of 16 bits, with uncompressed subsampled
  colours, or that does not state which value is zero; 16-bit colour PNG with one transparent
  colour.
* Damaged files are refused as far as damage can be detected (``damage``); JPEGs whose compressed
  data end too early are detected only by :func:`check_compressed_data`. Any exception of a decoder
  becomes an :class:`ImageError` that names the file.
"""

import contextlib
import functools
import io
import zlib
from collections.abc import Iterator
from typing import IO, Any, NamedTuple, cast

import numpy as np
from PIL import Image, ImageOps, JpegImagePlugin, UnidentifiedImageError

from iqa_jax.errors import ImageError
from iqa_jax.images.damage import check_structure, filled_jpeg
from iqa_jax.images.jpeg import fast_jpeg
from iqa_jax.images.samples import Scale, gray_scale

MAX_PIXELS = 80_000_000
"""Maximum number of pixels; larger images are refused before memory is allocated."""

BACKGROUND = (255, 255, 255)
"""Colour shown through transparent pixels."""

_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
_JPEG = ("JPEG", "MPO")
_SIXTEEN_BIT_GRAY = ("I;16", "I;16B", "I;16L", "I;16N")
_EIGHT_BIT = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "YCbCr")
_PART = 2**16
"""Number of bytes read from a file at a time."""

_START = 2**4
"""Number of bytes that identify a format."""

_ORIENTATION_TAG = 0x0112
_UPRIGHT = 1
_ORIENTATIONS_ON_THE_SIDE = (5, 6, 7, 8)
_WIDTH, _LENGTH = 256, 257


class Header(NamedTuple):
    """Facts about an image that are known without decoding it.

    Attributes:
      height: Height of the decoded image, in pixels.
      width: Width of the decoded image, in pixels.
      length: Number of encoded bytes.
      checksum: CRC-32 of the encoded bytes; None if they have not been read.
    """

    height: int
    width: int
    length: int
    checksum: int | None = None

    def is_of(self, data: bytes) -> bool:
        """Whether this is the header of these encoded bytes."""
        return (len(data), zlib.crc32(data)) == (self.length, self.checksum)


class _Bounded:
    """A file that allocates no memory beyond its length, however many bytes are requested.

    Args:
      file: The file.
      length: Number of bytes in the file.
    """

    def __init__(self, file: IO[bytes], length: int):
        self._file = file
        self._length = length

    def read(self, count: int = -1) -> bytes:
        """The next ``count`` bytes, or as many as are left."""
        left = max(0, self._length - self._file.tell())
        return self._file.read(min(count, left) if count >= 0 else left)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def read_header(file: IO[bytes], length: int, name: str, *, checksum: bool = True) -> Header:
    """Reads the header of an image file, without decoding the image.

    Args:
      file: The open file.
      length: Number of bytes in the file.
      name: Name for error messages.
      checksum: Whether to take the checksum, for which the whole file is read.

    Raises:
      ImageError: If the header is not that of a supported image.
      OSError: If the file system fails.
    """
    whole = cast(IO[bytes], _Bounded(file, length))
    with _image_errors(name, "has a damaged header"), _open_image(whole, name) as image:
        gray_scale(image, file, name)
        width, height = image.size
        if _is_on_its_side(image):
            width, height = height, width
        return Header(height, width, length, _checksum(file) if checksum else None)


def decode_image(data: bytes, name: str) -> np.ndarray:
    """Decodes an image file.

    Args:
      data: The complete encoded file, in any of the usual formats that Pillow reads.
      name: Name for error messages.

    Returns:
      ``uint8`` ``[height, width, 3]``, RGB.

    Raises:
      ImageError: If this is not a readable single image of a supported kind.
    """
    file = io.BytesIO(data)
    with _image_errors(name, "is damaged or cut short"), _open_image(file, name) as image:
        scale = gray_scale(image, file, name)
        check_structure(data, image.format)
        if image.format == "PNG":
            _verify_checksums(data)
        is_plain = (image.format, image.mode, _orientation(image)) == ("JPEG", "RGB", _UPRIGHT)
        if is_plain and (pixels := fast_jpeg(data)) is not None:
            return pixels
        image.load()
        # Pillow copies an image that needs no rotation, too.
        upright = ImageOps.exif_transpose(image) if _orientation(image) != _UPRIGHT else image
        return _to_rgb(upright, scale)


def check_compressed_data(data: bytes, name: str) -> None:
    """Checks that the compressed data of a JPEG do not end before its image does.

    This takes as long as decoding the image twice, but nothing else reveals it.

    Args:
      data: The complete encoded file, in any format, already accepted by :func:`decode_image`.
      name: Name for error messages.

    Raises:
      ImageError: If they end too early.
    """
    with _image_errors(name, "is damaged or cut short"), Image.open(io.BytesIO(data)) as image:
        filled = filled_jpeg(data) if image.format in _JPEG else None
        if filled is None:
            return
        with JpegImagePlugin.JpegImageFile(io.BytesIO(filled)) as other:
            if other.tobytes() != image.tobytes():
                raise ValueError("its compressed data end too early")


def _verify_checksums(data: bytes) -> None:
    """Raises if a chunk of a PNG was changed; loading alone accepts changed pixels."""
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        image.verify()


def _checksum(file: IO[bytes]) -> int:
    file.seek(0)
    checksum = 0
    while part := file.read(_PART):
        checksum = zlib.crc32(part, checksum)
    return checksum


def _is_on_its_side(image: Any) -> bool:
    """Whether height and width, as Pillow reports them, are those of the image before rotation."""
    if image.format == "PNG" and "exif" not in image.info:  # looking further would decode it
        return False
    if image.format == "TIFF":  # Pillow rotates these on loading, some versions even earlier
        on_its_side = _orientation(image) in _ORIENTATIONS_ON_THE_SIDE
        return on_its_side and image.size == (image.tag_v2[_WIDTH], image.tag_v2[_LENGTH])
    return _orientation(image) in _ORIENTATIONS_ON_THE_SIDE


def _to_rgb(image: Image.Image, scale: Scale | None) -> np.ndarray:
    if scale:
        stored = scale.stored(np.asarray(image))
        gray = scale.eight_bits(stored)
        if "transparency" in image.info:  # a PNG's single transparent level
            gray[stored == image.info["transparency"]] = BACKGROUND[0]
        return np.repeat(gray[..., None], 3, axis=-1)
    if image.has_transparency_data:
        background = Image.new("RGBA", image.size, BACKGROUND)
        image = Image.alpha_composite(background, image.convert("RGBA"))
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _orientation(image: Image.Image) -> int:
    return image.getexif().get(_ORIENTATION_TAG, _UPRIGHT)


@functools.cache
def _readable_formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


@contextlib.contextmanager
def _open_image(file: IO[bytes], name: str) -> Iterator[Image.Image]:
    """Opens an image, reading only its header, and applies the policy."""
    try:
        image = Image.open(file, formats=_readable_formats())
    except UnidentifiedImageError as error:
        raise ImageError(f"{name}: {_why_unidentified(file)}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f"{name}: has more than the limit of {MAX_PIXELS:,} pixels") from error
    with image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise ImageError(
                f"{name}: is {width}x{height}, more than the limit of {MAX_PIXELS:,} pixels"
            )
        is_deep = image.mode in _SIXTEEN_BIT_GRAY or (image.format, image.mode) == ("PPM", "I")
        if image.mode not in _EIGHT_BIT and not is_deep:
            raise ImageError(
                f"{name}: has the colour mode {image.mode}; convert it to RGB, gray or 16-bit gray"
            )
        if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
            raise ImageError(f"{name}: holds several frames; save the one to be scored on its own")
        yield image


def _why_unidentified(file: IO[bytes]) -> str:
    """Why Pillow could not open a file: the error of the format that its first bytes suggest."""
    file.seek(0)
    start = file.read(_START)
    if not start:
        return "is an empty file"
    for name in _readable_formats():
        reader, accepts = Image.OPEN[name]
        if accepts and accepts(start) is True:
            file.seek(0)
            try:
                reader(file, "")
            except Exception as error:  # certain to be raised
                return f"has a damaged header, or is of an unsupported kind ({error})"
    return "is not an image"


@contextlib.contextmanager
def _image_errors(name: str, what: str) -> Iterator[None]:
    """Turns any exception, except those of the file system, into an :class:`ImageError`.

    On damaged files, Pillow's plugins raise exceptions of many types, wherever an image is touched.
    """
    try:
        yield
    except ImageError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ImageError(f"{name}: {what} ({str(error) or type(error).__name__})") from error
