"""Image files to pixels: encoded bytes in, ``uint8`` RGB out, one stated policy for the rest.

* Gray images are replicated into three channels; palettes are expanded.
* Alpha is composited over white; a fully opaque alpha changes nothing.
* 16-bit gray is rounded to 8 bits; of 16-bit colour Pillow keeps the high byte.
* The orientation tag of a camera is applied, as viewers do; colour profiles are not.
* CMYK, 32-bit and floating-point images and animations are refused: no one way shows them.
"""

import contextlib
import functools
import io
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from iqa_jax.errors import ImageError

MAX_PIXELS = 80_000_000
"""Larger images are refused from their header, before any memory is taken."""

BACKGROUND = (255, 255, 255)
"""What shows through transparent pixels."""

_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
_SIXTEEN_BIT_GRAY = ("I;16", "I;16B", "I;16L", "I;16N")
_EIGHT_BIT = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "YCbCr")
_PART = 2**16
"""So many bytes of a file are read at a time."""

_ORIENTATION_TAG = 0x0112
_ORIENTATIONS_ON_THE_SIDE = (5, 6, 7, 8)


class Header(NamedTuple):
    """What is known of an image before it is decoded.

    Attributes:
      height: As :func:`decode` gives it.
      width: Likewise.
      length: Number of encoded bytes.
      checksum: CRC-32 of the encoded bytes.
    """

    height: int
    width: int
    length: int
    checksum: int = 0


def read_header(file: IO[bytes], length: int, name: str) -> Header:
    """What is known of an image file without decoding it.

    Args:
      file: The open file.
      length: Number of its bytes.
      name: What error messages call it.

    Raises:
      ImageError: If its header is not that of a supported image.
    """
    with _open_image(file, name) as image:
        width, height = image.size
        if _is_on_its_side(image):
            width, height = height, width
        return Header(height, width, length, _checksum(file))


def decode(data: bytes, name: str) -> np.ndarray:
    """Decodes an image file.

    Args:
      data: The whole encoded file, in any of the usual formats that Pillow reads.
      name: What error messages call it.

    Returns:
      ``uint8`` ``[height, width, 3]``, RGB.

    Raises:
      ImageError: If this is not a readable single image of a supported kind.
    """
    with _open_image(io.BytesIO(data), name) as image:
        try:
            if image.format == "PNG":
                _verify_checksums(data)
            image.load()
        except Exception as error:  # on broken files Pillow's decoders raise errors of many types
            raise ImageError(f"{name}: is damaged or cut short ({error})") from error
        return _to_rgb(ImageOps.exif_transpose(image))


def _verify_checksums(data: bytes) -> None:
    """Raises if a chunk of a PNG is not what was written; loading alone accepts other pixels."""
    with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
        image.verify()


def _checksum(file: IO[bytes]) -> int:
    file.seek(0)
    checksum = 0
    while part := file.read(_PART):
        checksum = zlib.crc32(part, checksum)
    return checksum


def _is_on_its_side(image: Image.Image) -> bool:
    if image.format == "PNG" and "exif" not in image.info:  # to look further would decode it
        return False
    return image.getexif().get(_ORIENTATION_TAG) in _ORIENTATIONS_ON_THE_SIDE


def _to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode in _SIXTEEN_BIT_GRAY:
        levels = np.asarray(image, np.uint16).astype(np.uint32)
        gray = ((levels + 128) // 257).astype(np.uint8)
        if "transparency" in image.info:  # of a PNG: one level
            gray[levels == image.info["transparency"]] = BACKGROUND[0]
        return np.repeat(gray[..., None], 3, axis=-1)
    if image.has_transparency_data:
        background = Image.new("RGBA", image.size, BACKGROUND)
        image = Image.alpha_composite(background, image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))


@functools.cache
def _readable_formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


@contextlib.contextmanager
def _open_image(file: IO[bytes], name: str) -> Iterator[Image.Image]:
    """Opens an image, reading no further than its header, and refuses what the policy refuses."""
    try:
        image = Image.open(file, formats=_readable_formats())
    except UnidentifiedImageError as error:
        empty = file.seek(0, io.SEEK_END) == 0
        raise ImageError(f"{name}: is {'an empty file' if empty else 'not an image'}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f"{name}: has more than the limit of {MAX_PIXELS:,} pixels") from error
    except Exception as error:  # on broken headers Pillow's plugins raise errors of many types
        raise ImageError(f"{name}: has a damaged header ({error})") from error
    with image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise ImageError(
                f"{name}: is {width}x{height}, more than the limit of {MAX_PIXELS:,} pixels"
            )
        if image.mode not in _EIGHT_BIT + _SIXTEEN_BIT_GRAY:
            raise ImageError(
                f"{name}: has the colour mode {image.mode}; convert it to RGB, gray or 16-bit gray"
            )
        if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
            raise ImageError(f"{name}: holds several frames; save the one to be scored on its own")
        yield image
