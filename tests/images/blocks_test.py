import dataclasses
import zlib

import numpy as np
import pytest
from PIL import Image

from iqa_jax.errors import ImageError, MissingImageError
from iqa_jax.images.decode import Header


@pytest.mark.parametrize("block", [1, 4])
def test_one_pixel_of_each_block_is_kept(stored, tmp_path, patch, block):
    images = stored(patch, block=block)
    found = images.pixels("a.png")
    np.testing.assert_array_equal(found, patch)
    assert found.flags.c_contiguous
    data = (tmp_path / "a.png").read_bytes()
    assert images.header("a.png") == Header(6, 6, len(data), zlib.crc32(data))
    assert images.read("a.png") == data


@pytest.mark.parametrize("block", [1, 4])
def test_the_filter_of_lpips_blurs_blocks(stored, patch, block):
    images = dataclasses.replace(stored(patch, block=block), is_filtered=True)
    found = images.pixels("a.png")
    whole = Image.fromarray(patch.repeat(4, 0).repeat(4, 1))
    expected = np.asarray(whole.resize((6, 6), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(found, expected)
    weights = (6 * np.eye(6) + np.eye(6, k=1) + np.eye(6, k=-1)) / 8
    weights /= weights.sum(axis=1, keepdims=True)
    blurred = np.einsum("ij,kl,jlc->ikc", weights, weights, patch)
    np.testing.assert_allclose(found, blurred, atol=1.1)  # rounded once per axis
    assert images.header("a.png")[:2] == (6, 6)


def test_the_filter_takes_files_as_they_are(stored, rng):
    pixels = rng.integers(0, 256, (24, 24, 3)).astype(np.uint8)
    images = dataclasses.replace(stored(pixels), is_filtered=True)
    expected = Image.fromarray(pixels).resize((6, 6), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(images.pixels("a.png"), np.asarray(expected))


@pytest.mark.parametrize("shape", [(12, 12), (24, 6), (6, 24), (5, 6), (48, 48)])
def test_images_of_another_size_are_not_blocks(stored, rng, shape):
    images = stored(rng.integers(0, 256, (*shape, 3)).astype(np.uint8))
    complaint = f"a.png: expected 6x6 or 24x24 pixels, found {shape[1]}x{shape[0]}"
    for read in (images.header, images.pixels):
        with pytest.raises(ImageError, match=complaint):
            read("a.png")


@pytest.mark.parametrize("position", [(0, 1), (3, 3), (23, 22), (8, 9)])
def test_a_block_of_unequal_pixels_is_refused(stored, patch, position):
    blocks = patch.repeat(4, 0).repeat(4, 1)
    blocks[position] ^= 1
    images = stored(blocks)
    with pytest.raises(ImageError, match="a.png: .*blocks of 4x4, found blocks of different"):
        images.pixels("a.png")


def test_file_errors_pass_through_blocks(stored, patch):
    images = stored(patch)
    for read in (images.read, images.header, images.pixels):
        with pytest.raises(MissingImageError, match="b.png: there is no such file"):
            read("b.png")
