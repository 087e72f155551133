import base64
import io
from urllib.parse import unquote, urlparse

import numpy as np
import pytest
from etils import epath
from PIL import Image
from programs.report.made_up import ODD

from iqa_jax.errors import InputError
from iqa_jax.images.blocks import BlockImages
from iqa_jax.images.sources import ArrayImages, ImageFolder
from iqa_jax.programs.report.pictures import LONGEST_SIDE, embed, find_maps, link


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "images: & more"
    folder.mkdir()
    for name in ("a.png", ODD):
        Image.new("RGB", (1200, 30), (200, 0, 0)).save(folder / name)
    return epath.Path(folder)


def decoded(url):
    kind, data = url.split(";base64,")
    assert kind == "data:image/jpeg"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_links_are_relative_to_the_page(folder):
    page = epath.Path(folder.parent) / "out" / "deep" / "page.html"
    found = link(["a.png", ODD], ImageFolder(folder), page)
    for name, url in found.sources.items():
        assert not urlparse(url).scheme
        assert (page.parent / unquote(url)).resolve() == (folder / name).resolve()
        assert not set(url) & set(' <>"&#\u2028')


def test_links_to_nothing_are_refused(folder):
    with pytest.raises(InputError, match=r"b\.png: does not exist \(1 of 2 images\); .*--data_dir"):
        link(["a.png", "b.png"], ImageFolder(folder), folder / "page.html")


def test_images_that_are_no_files_cannot_be_linked(folder):
    images = ArrayImages({"x": np.zeros((2, 2, 3), np.uint8)}, ImageFolder(folder))
    with pytest.raises(InputError, match="x: is not a file of its own.*--images=embed"):
        link(["x"], images, folder / "page.html")
    assert BlockImages(ImageFolder(folder), 64, 4).file("a.png") == folder / "a.png"


def test_embedded_images_are_small_and_each_is_there_once(folder):
    pairs = [(ODD, "a.png"), (ODD, ODD)]
    found = embed(pairs, ImageFolder(folder), [1], 10**6)
    assert [*found.sources] == [ODD, "a.png"]
    image = decoded(found.sources["a.png"])
    assert image.size == (LONGEST_SIDE, round(30 / 1200 * LONGEST_SIDE))
    assert np.abs(np.asarray(image).astype(int) - [200, 0, 0]).max() < 3
    assert found.note.endswith("not the files that were scored.")


def test_as_many_pairs_are_embedded_as_fit(folder):
    pairs = [("a.png", "a.png"), (ODD, ODD)]
    one = embed(pairs[1:], ImageFolder(folder), [], 10**6).sources[ODD]
    found = embed(pairs, ImageFolder(folder), [1], len(one) + len(ODD) + 100)
    assert [*found.sources] == [ODD]
    assert "1 of 2 pairs have images; more fit with --most_megabytes" in found.note


def test_noise_is_embedded(folder, rng):
    Image.fromarray(rng.integers(0, 256, (480, 512, 3), np.uint8)).save(folder / "a.png")
    found = embed([("a.png", "a.png")], ImageFolder(folder), [], 10**7)
    assert found.sources["a.png"].startswith("data:image/jpeg")


def test_broken_images_are_not_embedded(folder):
    (folder / "a.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"a\.png.*--images=none"):
        embed([("a.png", "a.png")], ImageFolder(folder), [], 10**6)


def test_maps_belong_to_their_pairs(tmp_path):
    folder = epath.Path(tmp_path)
    for name in ("000001_x_1_ssim.png", "000002_y_lpips-alex.png", "000002_y_ssim.png", "n.txt"):
        (folder / name).write_bytes(b"")
    found = find_maps(folder, ["deep/x_1.png", "y.bmp"])
    assert {row: [*maps] for row, maps in found.items()} == {
        **{0: ["ssim"], 1: ["lpips-alex", "ssim"]},
    }
    with pytest.raises(InputError, match="000001_x_1_ssim.png: is not a map of these pairs"):
        find_maps(folder, ["y.bmp", "x_1.png"])
    with pytest.raises(InputError, match="is not a map of these pairs; expected fewer pairs"):
        find_maps(folder, ["x_1.png"])


def test_a_folder_without_maps_is_refused(tmp_path):
    with pytest.raises(InputError, match="has no maps"):
        find_maps(epath.Path(tmp_path), ["a.png"])
