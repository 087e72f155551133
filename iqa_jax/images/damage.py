"""Damage that Pillow's decoders pass over: what the containers tell of it.

Only PNG has checksums. Of the others it can be told that something is missing, or stands where
nothing may; that a sample was changed in a place where every value is possible, nobody can tell.
"""

import io
import re

from iqa_jax.images.samples import boxes

_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_RESTARTS = range(0xD0, 0xD8)
_WITHOUT_LENGTH = {0x01, *_RESTARTS, 0xD8}
_HUFFMAN_FRAMES = {0xC0, 0xC1, 0xC2}
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MARKER = re.compile(rb"\xff++([^\x00\xff])", re.DOTALL)
_NEXT_MARKER = re.compile(rb"\xff(?<!\xff\xff)\xff*+([^\x00\xff])", re.DOTALL)
"""To search for: that it begins with one byte makes it twenty times as fast, and that this is the
first of its kind keeps long rows of such bytes from being looked at from each of them."""

_FILLING = b"\xaa" * 16

_START_OF_TILE, _END_OF_CODESTREAM = b"\xff\x90", b"\xff\xd9"


def check_structure(data: bytes, image_format: str | None) -> None:
    """Looks whether a file is as long as it says, and its parts stand where they should.

    What Pillow's own decoders notice (files cut short, all of PNG and WebP) is not repeated here.

    Args:
      data: The encoded file.
      image_format: What Pillow calls its format.

    Raises:
      ValueError: If it does not.
    """
    match image_format:
        case "JPEG" | "MPO":
            _gaps(data)
        case "JPEG2000":
            _check_jpeg_2000(data)
        case "AVIF":
            list(boxes(io.BytesIO(data)))


def filled_jpeg(data: bytes) -> bytes | None:
    """A JPEG with bytes added after each stretch of compressed data: if whole, the same pixels.

    Where compressed data end too early, libjpeg reads zeros in their place and Pillow is silent;
    here they are no zeros. None where that tells nothing: with arithmetic coding, zeros are left
    out.

    Args:
      data: The encoded file, of which :func:`check_structure` has nothing to say.
    """
    is_huffman, gaps = _gaps(data)
    if not is_huffman:
        return None
    starts = [0, *gaps]
    pieces = [data[start:end] for start, end in zip(starts, [*gaps, len(data)], strict=True)]
    return _FILLING.join(pieces)


def _gaps(data: bytes) -> tuple[bool, list[int]]:
    """Whether a JPEG's frame is Huffman coded, and where each stretch of compressed data ends.

    Raises:
      ValueError: If its segments do not follow one another up to the end of the image.
    """
    position, is_huffman, gaps = 2, False, []
    while True:
        found = _MARKER.match(data, position)
        if not found:
            where = "it ends" if position >= len(data) else f"at {position} no marker stands"
            raise ValueError(f"{where} before the end of the image")
        marker, position = found[1][0], found.end()
        if marker == _END_OF_IMAGE:
            if not gaps:
                raise ValueError("it has no compressed data")
            return is_huffman, gaps
        if marker in _WITHOUT_LENGTH:
            raise ValueError(f"at {position} a marker stands that belongs elsewhere")
        if marker in _FRAMES:
            is_huffman = marker in _HUFFMAN_FRAMES
        position += max(2, int.from_bytes(data[position : position + 2]))
        if marker == _START_OF_SCAN:
            ends = list(_ends_of_stretches(data, position))
            gaps += ends
            position = ends[-1]


def _ends_of_stretches(data: bytes, position: int) -> list[int]:
    """Where the compressed data of a scan are interrupted by restarts, and where they end."""
    ends: list[int] = []
    for found in _NEXT_MARKER.finditer(data, position):
        ends.append(found.start())
        if found[1][0] not in _RESTARTS:
            return ends
        if found[1][0] != _RESTARTS[(len(ends) - 1) % len(_RESTARTS)]:
            raise ValueError(f"at {found.start()} a restart is missing")
    raise ValueError("it ends before the end of the image")


def _check_jpeg_2000(data: bytes) -> None:
    start, end = 0, len(data)
    if not data.startswith(b"\xff\x4f"):
        kinds = {kind: (begin, end) for kind, begin, end in boxes(io.BytesIO(data))}
        start, end = kinds[b"jp2c"]
    position = start + 2
    while data[position : position + 2] not in (_START_OF_TILE, _END_OF_CODESTREAM):
        _check_marker(data, position, end)
        position += 2 + max(2, int.from_bytes(data[position + 2 : position + 4]))
    while data[position : position + 2] == _START_OF_TILE:
        length = int.from_bytes(data[position + 6 : position + 10])
        position = position + length if length else end - 2
        _check_marker(data, position, end)
    if data[position : position + 2] != _END_OF_CODESTREAM:
        raise ValueError("its codestream does not end where it says")


def _check_marker(data: bytes, position: int, end: int) -> None:
    if position + 2 > end or data[position] != 0xFF:
        raise ValueError(f"at {position} no marker of its codestream stands")
