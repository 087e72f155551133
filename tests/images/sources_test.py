import os
import zlib

import numpy as np
import pytest
from etils import epath

from iqa_jax.errors import ImageError, MissingImageError
from iqa_jax.images.decode import Header
from iqa_jax.images.sources import ArrayImages, ImageFolder


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


def test_arrays_beside_files(stored, patch):
    images = ArrayImages({"array": patch, "turned": patch[:4].swapaxes(0, 1)}, stored(patch))
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
