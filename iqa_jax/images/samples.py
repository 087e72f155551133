"""Conversion of image samples of other depths to eight bits, or the reason why it is refused.

Depending on the format, Pillow delivers deep gray samples as stored, shifted to the left, or
stretched, and it mistakes some kinds of files for others. This module reads the file itself.
"""

from collections.abc import Iterator
from typing import IO, Any, NamedTuple

import numpy as np
from PIL import Image

from iqa_jax.errors import ImageError

_SIXTEEN_BITS = 2**16 - 1
_BITS, _PHOTOMETRIC, _PLANES, _FORMAT, _SUBSAMPLING = 258, 262, 284, 339, 530
_WHITE_IS_ZERO, _YCBCR = 0, 6
_UNSIGNED = 1
_SEPARATE = 2

_PNG_DEPTH = 24
"""Position of the bits per sample in a PNG's header; the colour type follows."""

_CODESTREAM, _SIZES = b"\xff\x4f", b"\xff\x51"
_AFTER_SIZES = 40
"""Offset of the number of components from the start of a JPEG 2000 codestream."""

_MOST_COMPONENTS = 16384


class Scale(NamedTuple):
    """Meaning of gray samples.

    Attributes:
      top: Maximum sample in the file.
      delivered: Value that Pillow delivers for it.
      white_is_zero: Whether the maximum is black.
    """

    top: int
    delivered: int
    white_is_zero: bool = False

    def stored(self, delivered: np.ndarray) -> np.ndarray:
        """Samples as stored in the file, given those that Pillow delivers."""
        return (delivered.astype(np.int64) * self.top + self.delivered // 2) // self.delivered

    def eight_bits(self, stored: np.ndarray) -> np.ndarray:
        """Samples of the file, scaled and rounded to ``uint8`` with black at 0."""
        levels = self.top - stored if self.white_is_zero else stored
        return ((levels * 255 + self.top // 2) // self.top).astype(np.uint8)


def gray_scale(image: Any, file: IO[bytes], name: str) -> Scale | None:
    """The scale of gray samples that need converting; None if Pillow's eight bits are right.

    Args:
      image: The image, opened but not loaded.
      file: Its file, whose position is kept.
      name: Name for error messages.

    Raises:
      ImageError: If there is no single conversion to eight bits, or Pillow misreads the samples.
      Exception: Any type, if the file is damaged.
    """
    match image.format:
        case "PNG":
            return _of_png(image, file, name)
        case "TIFF":
            return _of_tiff(image, name)
        case "JPEG2000":
            return _of_jpeg_2000(image, file, name)
        case "PPM" if image.mode == "I":
            arguments = image.tile[0].args
            top = arguments[1] if isinstance(arguments, tuple) else _SIXTEEN_BITS
            return Scale(top, _SIXTEEN_BITS)
    return None


def _of_png(image: Image.Image, file: IO[bytes], name: str) -> Scale | None:
    depth, colour_type = _peek(file, _PNG_DEPTH, 2)
    if depth == 16 and image.mode == "RGB" and "transparency" in image.info:
        raise ImageError(
            f"{name}: has 16-bit colours, one of them transparent; save it with an alpha channel"
        )
    if colour_type or depth in (1, 8):
        return None
    return Scale(2**depth - 1, 255 if depth < 8 else _SIXTEEN_BITS)


def _of_tiff(image: Any, name: str) -> Scale | None:
    tags = image.tag_v2
    bits, signs = (set(tags.get(tag, (1,))) for tag in (_BITS, _FORMAT))
    if signs != {_UNSIGNED}:
        raise ImageError(
            f"{name}: has samples that are not unsigned integers; convert it to 8 or 16 bits"
        )
    if _PHOTOMETRIC not in tags:
        raise ImageError(
            f"{name}: does not say whether black or white is zero (its tag 262 is missing)"
        )
    if tags.get(_PLANES) == _SEPARATE and max(bits) > 8:
        raise ImageError(
            f"{name}: has separate planes of more than 8 bits; save it with interleaved samples"
        )
    is_subsampled = tuple(tags.get(_SUBSAMPLING, (2, 2))) != (1, 1)
    if tags[_PHOTOMETRIC] == _YCBCR and image.info["compression"] == "raw" and is_subsampled:
        raise ImageError(
            f"{name}: has subsampled colours that are not compressed; convert it to RGB"
        )
    if image.mode not in ("I;16", "I;16B"):
        return None
    top = 2 ** max(bits) - 1
    return Scale(top, top, tags[_PHOTOMETRIC] == _WHITE_IS_ZERO)


def _of_jpeg_2000(image: Image.Image, file: IO[bytes], name: str) -> Scale | None:
    precisions = set(_jpeg_2000_precisions(file))
    if precisions == {8}:
        return None
    if len(precisions) > 1 or image.mode not in ("L", "I;16") or max(precisions) > 16:
        found = " and ".join(str(each) for each in sorted(precisions))
        raise ImageError(f"{name}: has components of {found} bits; expected 8, or gray of up to 16")
    (bits,) = precisions
    top = 2**bits - 1
    return Scale(top, top << ((8 if image.mode == "L" else 16) - bits))


def _jpeg_2000_precisions(file: IO[bytes]) -> Iterator[int]:
    """Bits of each component, according to the codestream; above 128 if signed."""
    start = 0
    if _peek(file, 0, 2) != _CODESTREAM:
        start = next(begin for kind, begin, _ in boxes(file) if kind == b"jp2c")
    head = _peek(file, start, _AFTER_SIZES + 2)
    if head[2:4] != _SIZES:
        raise ValueError("its codestream does not begin with its sizes")
    count = min(int.from_bytes(head[_AFTER_SIZES:]), _MOST_COMPONENTS)
    yield from (each + 1 for each in _peek(file, start + _AFTER_SIZES + 2, 3 * count)[::3])


def boxes(file: IO[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """Yields the kind and the start and end of the contents of each box in a JP2 or AVIF file.

    Raises:
      ValueError: If a box has an impossible length or extends beyond the file.
    """
    length, position = _length(file), 0
    while position < length:
        head = _peek(file, position, 16)
        begin, size = position + 8, int.from_bytes(head[:4])
        if size == 1:
            begin, size = position + 16, int.from_bytes(head[8:])
        end = position + size if size else length
        if not begin <= end <= length:
            raise ValueError(
                f"a box at {position} claims to end at {end} in a file of {length} bytes"
            )
        yield head[4:8], begin, end
        position = end


def _length(file: IO[bytes]) -> int:
    before = file.tell()
    length = file.seek(0, 2)
    file.seek(before)
    return length


def _peek(file: IO[bytes], start: int, count: int) -> bytes:
    before = file.tell()
    file.seek(start)
    found = file.read(count)
    file.seek(before)
    return found
