"""Images that must not change while they are in use."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from iqa_jax.errors import ImageError
from iqa_jax.images.decode import Header
from iqa_jax.images.sources import ImageSource


@dataclass(frozen=True)
class CheckedImages(ImageSource):
    """Images that must not change while they are in use.

    The checksum is computed from the bytes about to be decoded, which are in memory already; it
    takes at most a millisecond per megabyte. Where a header has none, the first bytes that are read
    set it.

    Attributes:
      source: Source of the images.
      headers: Headers by name.
    """

    source: ImageSource
    headers: Mapping[str, Header]
    _checksums: dict[str, int] = field(default_factory=dict, repr=False, compare=False)

    @property
    def treatment(self) -> str:
        """The treatment of the source."""
        return self.source.treatment

    def read(self, name: str) -> bytes:
        """The encoded bytes of the image ``name``.

        Raises:
          ImageError: If it no longer exists or has changed.
        """
        data = self.source.read(name)
        self._check(name, len(data), zlib.crc32(data))
        return data

    def note(self, name: str, checksum: int) -> None:
        """Compares a checksum of the image ``name`` with the one known; sets it if there is none.

        Raises:
          ImageError: If they differ.
        """
        known = self.headers[name].checksum
        if checksum != (self._checksums.setdefault(name, checksum) if known is None else known):
            raise _changed(name)

    def header(self, name: str, *, checksum: bool = True) -> Header:
        """The header of the image ``name``, as read at the start.

        Raises:
          ImageError: If the image must be read for the checksum, and no longer exists or has
            changed.
        """
        header = self.headers[name]
        if header.checksum is None:
            if checksum and name not in self._checksums:
                self.read(name)
            header = header._replace(checksum=self._checksums.get(name))
        return header

    def decode(self, data: bytes, name: str) -> np.ndarray:
        """The pixels of an image, as decoded by the source."""
        return self.source.decode(data, name)

    def pixels(self, name: str) -> np.ndarray:
        """The image ``name``, ``uint8`` ``[height, width, 3]``, RGB.

        Raises:
          ImageError: If it no longer exists, has changed, or cannot be decoded.
        """
        return self.source.checked_pixels(name, self._check)

    def _check(self, name: str, length: int, checksum: int) -> None:
        if length != self.headers[name].length:
            raise _changed(name)
        self.note(name, checksum)


def _changed(name: str) -> ImageError:
    return ImageError(
        f"{name}: was changed while it was in use: its length or checksum differs from the one "
        "seen first; run again when nothing writes to it"
    )
