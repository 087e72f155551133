"""JPEGs decoded by the faster decoder: the same pixels and the same errors as by Pillow alone."""

import io
import sys

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from iqa_jax.errors import ImageError
from iqa_jax.images import decode, jpeg
from iqa_jax.images.decode import decode_image
from iqa_jax.images.jpeg import fast_jpeg


@pytest.fixture(autouse=True)
def fresh():
    """Each test looks for the decoder anew."""
    jpeg._decoder.cache_clear()
    yield
    jpeg._decoder.cache_clear()


@pytest.fixture
def photograph(rng):
    pixels = rng.integers(0, 256, (9, 13, 3)).astype(np.uint8)
    return Image.fromarray(pixels).resize((131, 77), Image.Resampling.BICUBIC)


def saved(image, **options):
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def by_pillow(data):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("quality", [1, 75, 100])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0", "4:1:1"])
@pytest.mark.parametrize("more", [{}, {"progressive": True}, {"restart_marker_blocks": 3}])
def test_pixels_are_those_of_pillow(photograph, quality, subsampling, more):
    data = saved(photograph, quality=quality, subsampling=subsampling, **more)
    found = fast_jpeg(data)
    assert found is not None
    np.testing.assert_array_equal(found, by_pillow(data), strict=True)
    np.testing.assert_array_equal(decode_image(data, "a.jpg"), found)


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (16, 16)])
def test_sizes(photograph, size):
    data = saved(photograph.resize(size))
    np.testing.assert_array_equal(decode_image(data, "a.jpg"), by_pillow(data), strict=True)
    assert fast_jpeg(data) is not None


def test_colours_stored_as_red_green_and_blue(photograph):
    data = saved(photograph, keep_rgb=True)
    np.testing.assert_array_equal(decode_image(data, "a.jpg"), by_pillow(data))


def refuse(data):
    raise AssertionError("the faster decoder was asked")


def test_pillow_decodes_what_is_gray_turned_or_no_jpeg(photograph, monkeypatch):
    monkeypatch.setattr(decode, "fast_jpeg", refuse)
    with pytest.raises(ImageError, match="the faster decoder was asked"):
        decode_image(saved(photograph), "a.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode_image(saved(photograph, exif=exif), "a.jpg").shape == (131, 77, 3)
    assert decode_image(saved(photograph.convert("L")), "a.jpg").shape == (77, 131, 3)
    file = io.BytesIO()
    photograph.save(file, "PNG")
    assert decode_image(file.getvalue(), "a.png").shape == (77, 131, 3)


def outcome(data):
    try:
        return decode_image(data, "a.jpg").tobytes()
    except ImageError as error:
        return str(error)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 3}])
def test_changed_bytes_give_the_outcome_of_pillow(photograph, rng, monkeypatch, options):
    data = saved(photograph, **options)
    changed = []
    for place in rng.integers(0, len(data), 150):
        changed.append(bytearray(data))
        changed[-1][place] ^= int(rng.integers(1, 256))
    found = [outcome(bytes(each)) for each in changed]
    monkeypatch.setattr(decode, "fast_jpeg", lambda _: None)
    assert found == [outcome(bytes(each)) for each in changed]


def test_damage_is_left_to_pillow(photograph):
    data = saved(photograph)
    place = data.index(b"\xff\xda") + 40
    damaged = data[:place] + bytes(200) + data[place + 200 :]
    found = decode_image(damaged, "a.jpg")
    np.testing.assert_array_equal(found, by_pillow(damaged))
    assert fast_jpeg(data[:300]) is None
    with pytest.raises(ImageError, match=r"a.jpg: is damaged or cut short"):
        decode_image(data[:-30], "a.jpg")


def test_a_decoder_of_other_pixels_is_not_used(photograph, monkeypatch):
    original = simplejpeg.decode_jpeg

    def other(data, **options):
        return original(data, **options) ^ 1

    monkeypatch.setattr(simplejpeg, "decode_jpeg", other)
    data = saved(photograph)
    assert fast_jpeg(data) is None
    np.testing.assert_array_equal(decode_image(data, "a.jpg"), by_pillow(data))


def test_a_broken_installation_is_not_used(photograph, monkeypatch):
    monkeypatch.setattr(simplejpeg, "decode_jpeg", lambda *_, **__: 1 / 0)
    assert fast_jpeg(saved(photograph)) is None


def test_without_the_package_pillow_decodes(photograph, monkeypatch):
    monkeypatch.setitem(sys.modules, "simplejpeg", None)
    assert fast_jpeg(saved(photograph)) is None
