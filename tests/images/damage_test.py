"""Missing and misplaced parts are detected in every format; complete files pass."""

import io
import time

import numpy as np
import pytest
from image_files import encoded
from PIL import Image

from iqa_jax.errors import ImageError
from iqa_jax.images.damage import filled_jpeg
from iqa_jax.images.decode import check_compressed_data, decode_image

SMOOTH = Image.fromarray(
    np.stack(np.meshgrid(np.arange(96), np.arange(80)), -1).sum(-1).astype(np.uint8)
).convert("RGB")

WHOLE = {
    "jpeg": encoded(SMOOTH, "JPEG"),
    "jpeg with restarts": encoded(SMOOTH, "JPEG", restart_marker_blocks=2),
    "progressive jpeg": encoded(SMOOTH, "JPEG", progressive=True),
    "photograph with a preview": encoded(
        SMOOTH, "MPO", save_all=True, append_images=[SMOOTH.resize((9, 9))]
    ),
    "bmp": encoded(SMOOTH, "BMP"),
    "webp": encoded(SMOOTH, "WEBP", xmp=b"<x/>"),
    "lossless webp": encoded(SMOOTH, "WEBP", lossless=True),
    "jpeg 2000": encoded(SMOOTH, "JPEG2000", tile_size=(32, 32)),
    "bare jpeg 2000": encoded(SMOOTH, "JPEG2000", no_jp2=True),
    "avif": encoded(SMOOTH, "AVIF"),
    "tiff of YCbCr": encoded(SMOOTH.convert("YCbCr"), "TIFF"),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_complete_files_pass(kind):
    check_compressed_data(WHOLE[kind], "a")
    found = decode_image(WHOLE[kind], "a").astype(int)
    assert np.abs(found - np.asarray(SMOOTH)).mean() < 4


@pytest.mark.parametrize("kind", [kind for kind in WHOLE if kind not in {"jpeg 2000", "avif"}])
def test_bytes_after_the_image_do_no_harm(kind):
    np.testing.assert_array_equal(
        decode_image(WHOLE[kind] + b"more", "a"), decode_image(WHOLE[kind], "a")
    )


def without(kind, start, count):
    """The file with some bytes of its compressed data removed."""
    data = WHOLE[kind]
    start += data.index(b"\xff\xda") + 14
    return data[:start] + data[start + count :]


def put(kind, position, value):
    data = bytearray(WHOLE[kind])
    data[position] = value
    return bytes(data)


def noise_of_which_half_is_zeros():
    """A JPEG whose blocks take more bits than zeros do, so that its decoder accepts zeros."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 48, 3)).astype(np.uint8)
    data = encoded(Image.fromarray(pixels), "JPEG", quality=80)
    return data[: len(data) // 2] + bytes(len(data) - len(data) // 2)


DAMAGED = {
    "jpeg, an empty end": (noise_of_which_half_is_zeros(), "it ends before the end of the image"),
    "jpeg, no data": (WHOLE["jpeg"][:2] + b"\xff\xd9", "unsupported kind"),
    "jpeg, a segment too short": (put("jpeg", 5, 15), "marker is missing at .* before the end"),
    "jpeg with restarts, one is lost": (
        WHOLE["jpeg with restarts"].replace(b"\xff\xd3", b"\xff\x00"),
        "a restart is missing",
    ),
    "webp, longer by its header": (put("webp", 5, 255), "is damaged or cut short"),
    "webp, a chunk too long": (
        put("webp", WHOLE["webp"].index(b"XMP ") + 5, 9),
        "is damaged or cut short",
    ),
    "jpeg 2000, no end": (WHOLE["jpeg 2000"][:-2] + b"\0\0", "marker of its codestream is missing"),
    "jpeg 2000, a tile too short": (
        put("jpeg 2000", WHOLE["jpeg 2000"].index(b"\xff\x90") + 9, 100),
        "marker of its codestream is missing",
    ),
    "bare jpeg 2000, no end": (
        WHOLE["bare jpeg 2000"][:-2] + b"\0\0",
        "marker of its codestream is missing",
    ),
    "avif, a box too long": (
        put("avif", WHOLE["avif"].index(b"mdat") - 2, 255),
        "a box at .* claims to end at",
    ),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damage_is_reported(kind):
    data, complaint = DAMAGED[kind]
    with pytest.raises(ImageError, match=f"a.jpg: .*{complaint}"):
        decode_image(data, "a.jpg")


@pytest.mark.parametrize(("kind", "gap"), [("jpeg", (60, 40)), ("progressive jpeg", (20, 20))])
def test_a_gap_in_compressed_data_is_found_by_looking_twice(kind, gap):
    data = without(kind, *gap)
    decode_image(data, "a.jpg")
    with pytest.raises(ImageError, match="a.jpg: .*compressed data end too early"):
        check_compressed_data(data, "a.jpg")


def test_bytes_after_the_data_of_a_complete_jpeg_do_not_matter():
    for kind in ("jpeg", "jpeg with restarts", "progressive jpeg"):
        filled = filled_jpeg(WHOLE[kind])
        assert filled
        assert len(filled) > len(WHOLE[kind])
        with Image.open(io.BytesIO(filled)) as image:
            np.testing.assert_array_equal(np.asarray(image), decode_image(WHOLE[kind], "a"))


def test_arithmetic_coding_may_omit_zeros():
    data = WHOLE["jpeg"].replace(b"\xff\xc0", b"\xff\xc9")
    assert filled_jpeg(data) is None


def test_a_long_run_of_fill_bytes_takes_no_time():
    data = WHOLE["jpeg"][:-2] + b"\xff" * 30_000 + b"\0" + WHOLE["jpeg"][-2:]
    started_at = time.process_time()
    decode_image(data, "a.jpg")
    assert time.process_time() - started_at < 1
