"""Images whose files store each pixel as a block of pixels."""

from dataclasses import dataclass

import numpy as np
from etils import epath
from PIL import Image

from iqa_jax.errors import ImageError
from iqa_jax.images.decode import Header
from iqa_jax.images.sources import ImageSource


@dataclass(frozen=True)
class BlockImages(ImageSource):
    """Images whose files may store each pixel as a square block of equal pixels.

    BAPPS stores images of 64x64 in files of 256x256. Either one pixel of each block is kept, which
    recovers the original images; or the files are resized with Pillow's antialiased bilinear
    filter, as in LPIPS's loader. On blocks, this is a blur by [1/8, 3/4, 1/8] along both axes.

    Attributes:
      source: Source of the files.
      size: Height and width of the images; files of any size but this or ``size * block`` are
        refused.
      block: Height and width of a block.
      is_filtered: Whether to resize with the filter (a file without blocks is expanded to blocks
        first) instead of keeping one pixel of each block.
    """

    source: ImageSource
    size: int
    block: int
    is_filtered: bool = False

    @property
    def treatment(self) -> str:
        """How pixels are obtained from blocks."""
        how = "filtered" if self.is_filtered else "sampled"
        return f"{self.size}x{self.size} {how} from blocks of {self.block}x{self.block}"

    def read(self, name: str) -> bytes:
        """The encoded bytes of the image ``name``, as stored."""
        return self.source.read(name)

    def file(self, name: str) -> epath.Path | None:
        """Path of the file of the image ``name``, with its blocks."""
        return self.source.file(name)

    def header(self, name: str, *, checksum: bool = True) -> Header:
        """The header of the image ``name``, with its size without blocks."""
        return self._without_blocks(self.source.header(name, checksum=checksum), name)

    def header_of(self, data: bytes, name: str) -> Header:
        """The header of an image, with its size without blocks, given the encoded bytes."""
        return self._without_blocks(self.source.header_of(data, name), name)

    def decode(self, data: bytes, name: str) -> np.ndarray:
        """The pixels of an image without blocks, ``uint8`` ``[size, size, 3]``.

        Raises:
          ImageError: If it cannot be decoded, has the wrong size or, without the filter, is not
            made of blocks.
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
