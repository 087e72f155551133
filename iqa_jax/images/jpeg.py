"""JPEGs decoded by simplejpeg, faster than by Pillow, where it gives the same pixels.

It is used if it is installed and decodes a few JPEGs of each kind to Pillow's pixels when it is
first needed: both have libjpeg-turbo inside, though perhaps of different versions.
"""

import functools
import io
from collections.abc import Callable

import numpy as np
from PIL import Image

_KINDS = tuple(
    {"quality": quality, "subsampling": subsampling, "progressive": progressive}
    for quality in (50, 90)
    for subsampling in ("4:4:4", "4:2:2", "4:2:0")
    for progressive in (False, True)
)
_HEIGHT, _WIDTH = 37, 51
"""Size of the JPEGs of the check; it is no multiple of a block."""


def fast_jpeg(data: bytes) -> np.ndarray | None:
    """The pixels of an intact JPEG of three colours, as it is stored, regardless of orientation.

    Args:
      data: The complete encoded file, known to be a JPEG of this kind.

    Returns:
      ``uint8`` ``[height, width, 3]``, RGB, equal to Pillow's; None if Pillow has to decode it,
      because the faster decoder is absent, differs, or finds anything wrong with the file.
    """
    decode = _decoder()
    if decode is None:
        return None
    try:
        return decode(data)
    except Exception:  # Pillow says what is wrong, or accepts it
        return None


@functools.cache
def _decoder() -> Callable[[bytes], np.ndarray] | None:
    """The faster decoder, if it is installed and gives Pillow's pixels."""
    try:
        from simplejpeg import decode_jpeg  # noqa: PLC0415  optional
    except ImportError:
        return None
    decode = functools.partial(decode_jpeg, colorspace="RGB", strict=True)
    try:
        is_equal = all(np.array_equal(decode(each), _by_pillow(each)) for each in _samples())
    except Exception:  # whatever a broken installation raises
        return None
    return decode if is_equal else None


def _samples() -> list[bytes]:
    pixels = np.random.default_rng(0).integers(0, 256, (_HEIGHT, _WIDTH, 3), np.uint8)
    smooth = np.asarray(Image.fromarray(pixels[::8, ::8]).resize((_WIDTH, _HEIGHT)))
    files = []
    for image in (pixels, smooth):
        for kind in _KINDS:
            file = io.BytesIO()
            Image.fromarray(image).save(file, "JPEG", **kind)
            files.append(file.getvalue())
    return files


def _by_pillow(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)
