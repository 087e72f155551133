"""Damage that Pillow's decoders overlook but that the container format reveals.

Only PNG has checksums. In the other formats, missing or misplaced parts can be detected; a changed
sample cannot, wherever every value is valid.
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
"""Pattern for searching. Starting with a literal byte makes it twenty times as fast, and requiring
that this is the first 0xFF avoids rescanning a long run from each of its bytes."""

_FILLING = b"\xaa" * 16

_START_OF_TILE, _END_OF_CODESTREAM = b"\xff\x90", b"\xff\xd9"


def check_structure(data: bytes, image_format: str | None) -> None:
    """Checks that a file has its stated length and that its parts are where they should be.

    Checks that Pillow's own decoders make (truncated files, all of PNG and WebP) are not repeated.

    Args:
      data: The encoded file.
      image_format: Pillow's name of its format.

    Raises:
      ValueError: If the file is damaged.
    """
    match image_format:
        case "JPEG" | "MPO":
            _gaps(data)
        case "JPEG2000":
            _check_jpeg_2000(data)
        case "AVIF":
            list(boxes(io.BytesIO(data)))


def filled_jpeg(data: bytes) -> bytes | None:
    """A JPEG with padding after each stretch of compressed data, to detect missing data.

    If compressed data end too early, libjpeg reads zeros instead and Pillow reports no error. The
    padding is not zero, so that it changes the pixels of such a file; those of a complete file stay
    the same.

    Args:
      data: The encoded file, which has passed :func:`check_structure`.

    Returns:
      The padded file; None if padding reveals nothing, as with arithmetic coding, which omits
      trailing zeros.
    """
    is_huffman, gaps = _gaps(data)
    if not is_huffman:
        return None
    starts = [0, *gaps]
    pieces = [data[start:end] for start, end in zip(starts, [*gaps, len(data)], strict=True)]
    return _FILLING.join(pieces)


def _gaps(data: bytes) -> tuple[bool, list[int]]:
    """Whether a JPEG's frame is Huffman coded, and the end of each stretch of compressed data.

    Raises:
      ValueError: If its segments do not follow one another to the end of the image.
    """
    position, is_huffman, gaps = 2, False, []
    while True:
        found = _MARKER.match(data, position)
        if not found:
            where = "it ends" if position >= len(data) else f"a marker is missing at {position}"
            raise ValueError(f"{where} before the end of the image")
        marker, position = found[1][0], found.end()
        if marker == _END_OF_IMAGE:
            if not gaps:
                raise ValueError("it has no compressed data")
            return is_huffman, gaps
        if marker in _WITHOUT_LENGTH:
            raise ValueError(f"a marker at {position} is out of place")
        if marker in _FRAMES:
            is_huffman = marker in _HUFFMAN_FRAMES
        position += max(2, int.from_bytes(data[position : position + 2]))
        if marker == _START_OF_SCAN:
            ends = list(_ends_of_stretches(data, position))
            gaps += ends
            position = ends[-1]


def _ends_of_stretches(data: bytes, position: int) -> list[int]:
    """Positions where the compressed data of a scan are interrupted by restarts or end."""
    ends: list[int] = []
    for found in _NEXT_MARKER.finditer(data, position):
        ends.append(found.start())
        if found[1][0] not in _RESTARTS:
            return ends
        if found[1][0] != _RESTARTS[(len(ends) - 1) % len(_RESTARTS)]:
            raise ValueError(f"a restart is missing at {found.start()}")
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
        raise ValueError("its codestream does not end where it should")


def _check_marker(data: bytes, position: int, end: int) -> None:
    if position + 2 > end or data[position] != 0xFF:
        raise ValueError(f"a marker of its codestream is missing at {position}")
