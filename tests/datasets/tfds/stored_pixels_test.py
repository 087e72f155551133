"""Decoded pixels of stored datasets: equal to those of the files, checked, complete or absent."""

import shutil
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from etils import epath
from PIL import Image
from triplets import Triplet, triplet_table

from iqa_jax.datasets import DATASETS, fingerprint, inspect, load_dataset
from iqa_jax.datasets.tfds import stored_pixels
from iqa_jax.datasets.tfds.builder import build
from iqa_jax.datasets.tfds.source import load_tfds
from iqa_jax.datasets.tfds.stored_pixels import StoredPixels, cut, store_pixels
from iqa_jax.errors import DatasetError, ImageError, MissingImageError
from iqa_jax.images import sources
from iqa_jax.images.blocks import BlockImages
from iqa_jax.images.sources import ImageFolder, ImageSource


@pytest.fixture
def csv(pair_folder):
    """A dataset of PNGs, one of which holds a gray JPEG."""
    with Image.open(pair_folder / "b_1.png") as image:
        image.convert("L").save(pair_folder / "b_1.png", "JPEG")
    return pair_folder / "pairs.csv"


@pytest.fixture
def target(tmp_path):
    return tmp_path / "tfds"


@pytest.fixture
def folder(csv, target):
    """Folder of the decoded pixels of ``csv``."""
    return build("csv", csv, target, decoded=True).folder / "decoded"


def refuse(data, name):
    raise AssertionError(f"{name} is decoded")


def test_pixels_are_those_of_the_files_without_decoding(csv, folder, target, monkeypatch):
    table, headers = inspect(load_dataset("csv", data_dir=csv))
    expected = {name: table.images.pixels(name) for name in headers}
    monkeypatch.setattr(sources, "decode_image", refuse)
    found, found_headers = inspect(load_tfds("csv", target))
    assert found_headers == headers
    assert fingerprint(found, found_headers) == fingerprint(table, headers)
    for name, pixels in expected.items():
        np.testing.assert_array_equal(found.images.pixels(name), pixels, strict=True)
        assert found.images.read(name) == (csv.parent / name).read_bytes()


def test_many_threads_read_in_any_order(csv, folder, target, rng):
    images, original = load_tfds("csv", target).images, load_dataset("csv", data_dir=csv).images
    names = rng.permutation(np.repeat(sorted(path.name for path in csv.parent.glob("*.png")), 40))
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(images.pixels, names))
    expected = {name: original.pixels(name) for name in set(names)}
    assert all(
        np.array_equal(each, expected[name]) for name, each in zip(names, found, strict=True)
    )


@pytest.mark.parametrize("is_filtered", [False, True])
def test_blocks_are_stored_as_they_are_scored(tmp_path, target, rng, monkeypatch, is_filtered):
    for name in ("ref.png", "p0.png", "p1.png"):
        pixels = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(pixels.repeat(4, 0).repeat(4, 1)).save(tmp_path / name)
    images = BlockImages(
        ImageFolder(epath.Path(tmp_path)), size=8, block=4, is_filtered=is_filtered
    )
    table = triplet_table("made up", [Triplet("ref.png", "p0.png", "p1.png", 0.6)], images)
    monkeypatch.setitem(DATASETS, "csv", lambda _: table)
    build("csv", tmp_path, target, decoded=True)
    found = load_tfds("csv", target)
    assert found.images.treatment == images.treatment
    for name in table.image_names:
        np.testing.assert_array_equal(found.images.pixels(name), images.pixels(name), strict=True)


def test_pixels_are_added_once_to_a_stored_dataset(csv, target):
    plain = build("csv", csv, target)
    assert plain.is_new
    assert not plain.pixels_are_new
    assert not isinstance(load_tfds("csv", target).images, StoredPixels)
    first, second = (build("csv", csv, target, decoded=True) for _ in range(2))
    assert (first.is_new, first.pixels_are_new) == (False, True)
    assert (second.is_new, second.pixels_are_new) == (False, False)
    assert isinstance(load_tfds("csv", target).images, StoredPixels)


def test_pixels_are_cut_into_several_files(csv, target, monkeypatch):
    monkeypatch.setattr(stored_pixels, "_FILE_BYTES", 2 * 72 * 80 * 3)
    folder = build("csv", csv, target, decoded=True).folder / "decoded"
    names = [path.name for path in sorted(folder.iterdir())]
    assert names == [f"{number:05d}.array_record" for number in range(6)]
    images, original = load_tfds("csv", target).images, load_dataset("csv", data_dir=csv).images
    for path in csv.parent.glob("*.png"):
        np.testing.assert_array_equal(images.pixels(path.name), original.pixels(path.name))


def test_a_file_has_room_for_some_images():
    assert cut({"a": 3, "b": 2, "c": 9, "d": 1}, 5) == [["a", "b"], ["c"], ["d"]]
    assert cut({}, 5) == []


def test_unknown_images_are_refused(folder, target):
    with pytest.raises(MissingImageError, match=r"z\.png: there is no such image in .*/csv/"):
        load_tfds("csv", target).images.pixels("z.png")


@pytest.mark.parametrize("name", ["a.png", "b_1.png", "c_3.png"])
def test_a_changed_pixel_is_noticed(name, csv, folder, target):
    images = load_tfds("csv", target).images
    (file,) = folder.iterdir()
    data = bytearray(file.read_bytes())
    data[data.index(images.pixels(name)[-1].tobytes())] ^= 1
    file.write_bytes(data)
    images, original = load_tfds("csv", target).images, load_dataset("csv", data_dir=csv).images
    with pytest.raises(ImageError, match=f"{name}: its ArrayRecord file is damaged"):
        images.pixels(name)
    for other in ("a_1.png", "b_2.png", "c_2.png"):
        np.testing.assert_array_equal(images.pixels(other), original.pixels(other))


@pytest.mark.parametrize("length", [0, 100, 70_000])
def test_files_that_are_cut_short_are_noticed(length, csv, folder, target):
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises((DatasetError, ImageError), match=r"damaged|incomplete|expected 12"):
        list(map(load_tfds("csv", target).images.pixels, ("c_3.png", "a.png")))


def test_missing_files_are_noticed(csv, folder, target):
    for file in list(folder.iterdir()):
        file.unlink()
    with pytest.raises(DatasetError, match=r"decoded: expected 12 decoded images, found 0; delete"):
        load_tfds("csv", target)


def test_pixels_of_another_build_are_refused(csv, folder, target):
    (csv.parent / "a_1.png").write_bytes((csv.parent / "a_2.png").read_bytes())
    other = build("csv", csv, target.with_name("other"), decoded=True).folder / "decoded"
    shutil.copytree(other, folder, dirs_exist_ok=True)
    with pytest.raises(ImageError, match=r"a_1.png: its place in .*decoded holds another image"):
        load_tfds("csv", target).images.pixels("a_1.png")


def test_stored_pixels_are_compared_when_a_file_is_decoded(csv, target):
    class Inverted(ImageFolder):
        def decode(self, data, name):
            return 255 - super().decode(data, name)

    stored = build("csv", csv, target).folder
    _, headers = inspect(load_dataset("csv", data_dir=csv))
    store_pixels(Inverted(epath.Path(csv.parent)), headers, stored, title="csv")
    images = load_tfds("csv", target).images
    with pytest.raises(ImageError, match=r"a.png: its pixels in .*decoded are not those of its"):
        images.decode(images.read("a.png"), "a.png")


def test_a_build_that_fails_leaves_no_pixels(csv, target, monkeypatch):
    stored = build("csv", csv, target).folder
    monkeypatch.setattr(ImageSource, "checked_pixels", lambda self, name, check: refuse(b"", name))
    with pytest.raises(AssertionError, match="a.png is decoded"):
        build("csv", csv, target, decoded=True)
    assert not list(stored.glob("*decoded*"))


def test_a_killed_build_is_reported_and_not_taken_for_complete(csv, target):
    unfinished = build("csv", csv, target).folder / ".decoded.abc.unfinished"
    unfinished.mkdir()
    assert not isinstance(load_tfds("csv", target).images, StoredPixels)
    assert build("csv", csv, target, decoded=True).unfinished == [unfinished]
    assert isinstance(load_tfds("csv", target).images, StoredPixels)


def test_missing_room_is_noticed_before_anything_is_decoded(csv, target, monkeypatch):
    usage = namedtuple("usage", "total used free")(10**9, 10**9, 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DatasetError, match=r"pixels need 0\.0 GB, 0\.0 GB are free; choose"):
        build("csv", csv, target, decoded=True)
