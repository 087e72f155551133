import dataclasses
import hashlib

import numpy as np
import pytest
from PIL import Image

from iqa_jax.datasets import inspect
from iqa_jax.datasets.inspection import read_headers
from iqa_jax.errors import ImageError, MissingImageError
from iqa_jax.images.blocks import BlockImages
from iqa_jax.images.sources import ImageSource
from iqa_jax.programs.verify.examination import examine, mean_squared_error


class Counted(ImageSource):
    """Images of a source that remembers which were read and decoded."""

    def __init__(self, source):
        self.source = source
        self.was_read = []
        self.decoded = []

    def read(self, name):
        self.was_read.append(name)
        return self.source.read(name)

    def decode(self, data, name):
        self.decoded.append(name)
        return self.source.decode(data, name)


def counted(table):
    images = Counted(table.images)
    return dataclasses.replace(table, images=images), images.decoded


def test_headers_are_those_of_an_inspection(table):
    assert examine(table).headers == inspect(table)[1]
    assert examine(table, headers_only=True).headers == inspect(table)[1]


def test_squared_errors_belong_to_their_rows(table, tmp_path):
    found = examine(table).squared_errors
    assert found.dtype == np.float64
    for pair, error in zip(table.pairs, found, strict=True):
        reference, distorted = (
            np.asarray(Image.open(tmp_path / name), np.float64)
            for name in (pair.reference, pair.distorted)
        )
        assert error == pytest.approx(np.mean((reference - distorted) ** 2), rel=1e-12)


def test_checksums_are_of_the_encoded_bytes(table, tmp_path):
    found = examine(table).sha256
    assert found["a.png"] == hashlib.sha256((tmp_path / "a.png").read_bytes()).digest()
    assert len(found) == 15


def test_every_image_is_read_and_decoded_once(table, replace_row):
    table = replace_row(table, 1, distorted="a_1.png")  # the rows 1 and 2 are the same
    table, decoded = counted(table)
    found = examine(table)
    assert sorted(decoded) == sorted(set(decoded))
    assert len(decoded) == 14
    assert sorted(table.images.was_read) == sorted(decoded)
    assert found.squared_errors[0] == found.squared_errors[1]


def test_a_reference_of_many_versions_is_shared_by_threads(table, tmp_path):
    for number in range(20):
        (tmp_path / f"copy_{number}.png").write_bytes((tmp_path / "a_1.png").read_bytes())
    first = table.pairs[0]
    copies = [dataclasses.replace(first, distorted=f"copy_{n}.png") for n in range(20)]
    table, decoded = counted(dataclasses.replace(table, pairs=[first, *copies]))
    found = examine(table).squared_errors
    assert decoded.count("a.png") == 3
    assert np.all(found == found[0])


def test_headers_only_decodes_nothing(table):
    table, decoded = counted(table)
    found = examine(table, headers_only=True)
    assert not decoded
    assert not found.is_decoded
    assert not found.sha256
    assert np.isnan(found.squared_errors).all()


def test_missing_unreadable_and_damaged_images_are_distinguished(table, tmp_path):
    (tmp_path / "a_1.png").unlink()
    (tmp_path / "a_2.png").write_bytes(b"")
    whole = (tmp_path / "a_3.png").read_bytes()
    (tmp_path / "a_3.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "a_4.png").unlink()
    (tmp_path / "a_4.png").mkdir()
    (tmp_path / "b_1.png").unlink()
    (tmp_path / "b_1.png").symlink_to("b_1.png")
    found = examine(table)
    assert isinstance(found.headers["a_1.png"], MissingImageError)
    for name in ("a_2.png", "a_4.png", "b_1.png"):
        assert isinstance(found.headers[name], ImageError)
        assert not isinstance(found.headers[name], MissingImageError)
    assert list(found.damaged) == ["a_3.png"]
    assert found.headers["a_3.png"][:3] == (12, 16, len(whole) // 2)
    assert np.isnan(found.squared_errors[:5]).all()
    assert np.isfinite(found.squared_errors[5:]).all()
    quick = examine(table, headers_only=True)
    assert {name: str(each) for name, each in quick.headers.items()} == {
        name: str(each) for name, each in read_headers(table.images, table.image_names).items()
    }


def test_versions_of_a_missing_reference_are_examined(table, tmp_path):
    (tmp_path / "a.png").unlink()
    (tmp_path / "a_1.png").write_bytes(b"no image")
    found = examine(table)
    assert isinstance(found.headers["a_1.png"], ImageError)
    assert found.headers["a_2.png"][:2] == (12, 16)
    assert np.isnan(found.squared_errors[:4]).all()


def test_images_of_unequal_size_are_not_compared(table, tmp_path):
    Image.new("RGB", (12, 16)).save(tmp_path / "a_1.png")
    found = examine(table)
    assert np.isnan(found.squared_errors[0])
    assert np.isfinite(found.squared_errors[1:]).all()


def test_blocks_are_sampled(table, tmp_path):
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    for name, image in (("a.png", pixels), ("a_1.png", pixels + np.uint8(2))):
        Image.fromarray(image.repeat(4, 0).repeat(4, 1)).save(tmp_path / name)
    blocks = BlockImages(table.images, size=4, block=4)
    found = examine(dataclasses.replace(table, images=blocks, pairs=table.pairs[:1]))
    assert found.headers["a.png"][:3] == (4, 4, (tmp_path / "a.png").stat().st_size)
    assert found.squared_errors.tolist() == [4.0]


def test_mean_squared_error_is_exact_for_large_images(rng):
    reference, distorted = rng.integers(0, 256, (2, 900, 701, 3), np.uint8)  # several parts
    difference = reference.astype(np.int64) - distorted
    expected = int(np.sum(difference**2)) / difference.size
    assert mean_squared_error(reference, distorted) == expected
    assert mean_squared_error(reference, reference) == 0
