import numpy as np
import pytest
from etils import epath
from PIL import Image

from iqa_jax.images.blocks import BlockImages
from iqa_jax.images.sources import ImageFolder


@pytest.fixture
def patch(rng):
    """An image of 6x6."""
    return rng.integers(0, 256, (6, 6, 3)).astype(np.uint8)


@pytest.fixture
def stored(tmp_path):
    """Stores pixels as ``a.png`` with blocks of some size; returns a source of images of 6x6."""

    def store(pixels, block=1):
        blocks = np.repeat(np.repeat(pixels, block, 0), block, 1)
        Image.fromarray(blocks).save(tmp_path / "a.png")
        return BlockImages(ImageFolder(epath.Path(tmp_path)), size=6, block=4)

    return store
