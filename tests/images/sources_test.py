import dataclasses
import os
import zlib

import numpy as np
import pytest
from etils import epath
from PIL import Image

from iqa_jax.errors import ImageError, MissingImageError
from iqa_jax.images import decode
from iqa_jax.images.decode import Header
from iqa_jax.images.sources import ArrayImages, BlockImages, CheckedImages, ImageFolder


def test_file_errors_name_the_image(tmp_path):
    folder = ImageFolder(epath.Path(tmp_path))
    with pytest.raises(MissingImageError, match=r"a.png: there is no such file"):
        folder.header("a.png")
    (tmp_path / "a.png").mkdir()
    with pytest.raises(ImageError, match=r"a.png: is a folder"):
        folder.read("a.png")


def test_special_files_are_refused_without_waiting(tmp_path):
    folder = ImageFolder(epath.Path(tmp_path))
    os.mkfifo(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to("b.png")
    (tmp_path / "c.png").symlink_to("a.png")
    for look in (folder.read, folder.header, folder.pixels):
        for name in ("a.png", "c.png"):
            with pytest.raises(ImageError, match=f"{name}: is not a regular file but a pipe"):
                look(name)
        with pytest.raises(ImageError, match="b.png: cannot be read"):
            look("b.png")
        with pytest.raises(ImageError, match=r"'a\\x00.png': no file can have this name"):
            look("a\0.png")


@pytest.mark.parametrize("block", [1, 4])
def test_the_bytes_that_are_decoded_are_those_that_are_checked(tmp_path, patch, block):
    images = stored(tmp_path, patch, block=block)
    checked = CheckedImages(images, {"a.png": images.header("a.png")})
    assert checked.header("a.png") == images.header("a.png")
    assert checked.treatment == images.treatment
    np.testing.assert_array_equal(checked.pixels("a.png"), patch)
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data + b"!")
    for look in (checked.read, checked.pixels):
        with pytest.raises(ImageError, match="a.png: was changed while it was in use"):
            look("a.png")
    stored(tmp_path, 255 - patch, block=block)
    with pytest.raises(ImageError, match="a.png: was changed while it was in use"):
        checked.pixels("a.png")
    (tmp_path / "a.png").unlink()
    with pytest.raises(MissingImageError, match="a.png: there is no such file"):
        checked.pixels("a.png")


def test_a_checksum_is_that_of_the_bytes_read_first(tmp_path, patch, monkeypatch):
    images = stored(tmp_path, patch)
    whole = images.header("a.png")
    with monkeypatch.context() as nothing_read:
        nothing_read.setattr(decode, "_checksum", lambda file: pytest.fail("read whole"))
        header = images.header("a.png", checksum=False)
    assert header == whole._replace(checksum=None)
    checked, other = (
        CheckedImages(images, {"a.png": header}),
        CheckedImages(images, {"a.png": header}),
    )
    assert checked.header("a.png", checksum=False) == header
    np.testing.assert_array_equal(checked.pixels("a.png"), patch)
    stored(tmp_path, 255 - patch)
    for look in (checked.pixels, lambda name: checked.note(name, 5)):
        with pytest.raises(ImageError, match="a.png: was changed while it was in use"):
            look("a.png")
    assert checked.header("a.png") == checked.header("a.png", checksum=False) == whole
    assert other.header("a.png") == images.header("a.png") != whole


@pytest.fixture
def patch(rng):
    return rng.integers(0, 256, (6, 6, 3)).astype(np.uint8)


def stored(folder, pixels, name="a.png", block=1):
    blocks = np.repeat(np.repeat(pixels, block, 0), block, 1)
    Image.fromarray(blocks).save(folder / name)
    return BlockImages(ImageFolder(epath.Path(folder)), size=6, block=4)


@pytest.mark.parametrize("block", [1, 4])
def test_one_pixel_of_each_block_is_kept(tmp_path, patch, block):
    images = stored(tmp_path, patch, block=block)
    found = images.pixels("a.png")
    np.testing.assert_array_equal(found, patch)
    assert found.flags.c_contiguous
    data = (tmp_path / "a.png").read_bytes()
    assert images.header("a.png") == Header(6, 6, len(data), zlib.crc32(data))
    assert images.read("a.png") == data


@pytest.mark.parametrize("block", [1, 4])
def test_the_filter_of_lpips_blurs_blocks(tmp_path, patch, block):
    images = dataclasses.replace(stored(tmp_path, patch, block=block), is_filtered=True)
    found = images.pixels("a.png")
    whole = Image.fromarray(patch.repeat(4, 0).repeat(4, 1))
    expected = np.asarray(whole.resize((6, 6), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(found, expected)
    weights = (6 * np.eye(6) + np.eye(6, k=1) + np.eye(6, k=-1)) / 8
    weights /= weights.sum(axis=1, keepdims=True)
    blurred = np.einsum("ij,kl,jlc->ikc", weights, weights, patch)
    np.testing.assert_allclose(found, blurred, atol=1.1)  # rounded once per axis
    assert images.header("a.png")[:2] == (6, 6)


def test_the_filter_takes_files_as_they_are(tmp_path, rng):
    pixels = rng.integers(0, 256, (24, 24, 3)).astype(np.uint8)
    images = dataclasses.replace(stored(tmp_path, pixels), is_filtered=True)
    expected = Image.fromarray(pixels).resize((6, 6), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(images.pixels("a.png"), np.asarray(expected))


@pytest.mark.parametrize("shape", [(12, 12), (24, 6), (6, 24), (5, 6), (48, 48)])
def test_images_of_another_size_are_not_blocks(tmp_path, rng, shape):
    images = stored(tmp_path, rng.integers(0, 256, (*shape, 3)).astype(np.uint8))
    complaint = f"a.png: expected 6x6 or 24x24 pixels, found {shape[1]}x{shape[0]}"
    for read in (images.header, images.pixels):
        with pytest.raises(ImageError, match=complaint):
            read("a.png")


@pytest.mark.parametrize("position", [(0, 1), (3, 3), (23, 22), (8, 9)])
def test_a_block_of_unequal_pixels_is_refused(tmp_path, patch, position):
    blocks = patch.repeat(4, 0).repeat(4, 1)
    blocks[position] ^= 1
    images = stored(tmp_path, blocks)
    with pytest.raises(ImageError, match="a.png: .*blocks of 4x4, found blocks of different"):
        images.pixels("a.png")


def test_file_errors_pass_through_blocks(tmp_path, patch):
    images = stored(tmp_path, patch)
    for read in (images.read, images.header, images.pixels):
        with pytest.raises(MissingImageError, match="b.png: there is no such file"):
            read("b.png")


def test_arrays_beside_files(tmp_path, patch):
    images = ArrayImages(
        {"array": patch, "turned": patch[:4].swapaxes(0, 1)}, stored(tmp_path, patch)
    )
    for name, expected in (
        ("array", patch),
        ("turned", patch[:4].swapaxes(0, 1)),
        ("a.png", patch),
    ):
        np.testing.assert_array_equal(images.pixels(name), expected)
        data = images.read(name)
        header = images.header(name)
        assert header == images.header_of(data, name)
        assert header[:2] == expected.shape[:2]
        assert header.is_of(data)
    assert images.treatment == images.others.treatment
    assert images.header("array") == Header(6, 6, 108, zlib.crc32(patch.tobytes()))
    with pytest.raises(MissingImageError, match="b.png: there is no such file"):
        images.pixels("b.png")
