import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from etils import epath
from image_files import encoded
from PIL import Image

from iqa_jax.errors import ImageError
from iqa_jax.images import decode as decoding
from iqa_jax.images.decode import Header, decode_image, read_header
from iqa_jax.images.sources import ImageFolder


@pytest.fixture
def rgb(rng):
    return rng.integers(0, 256, (5, 7, 3)).astype(np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_files_give_back_their_pixels(kind, rgb):
    np.testing.assert_array_equal(decode_image(encoded(Image.fromarray(rgb), kind), "a"), rgb)


def test_gray_is_replicated(rgb):
    gray = rgb[..., 0]
    found = decode_image(encoded(Image.fromarray(gray)), "a")
    np.testing.assert_array_equal(found, np.repeat(gray[..., None], 3, -1))


def test_palette_is_expanded(rgb):
    palette = Image.fromarray(rgb).convert("P", palette=Image.Palette.ADAPTIVE, colors=8)
    expected = np.asarray(palette.convert("RGB"))
    for kind in ("PNG", "GIF"):
        np.testing.assert_array_equal(decode_image(encoded(palette, kind), "a"), expected)


def test_alpha_is_composited_over_white(rgb):
    alpha = np.full((5, 7, 1), 255, np.uint8)
    alpha[0, 0], alpha[0, 1] = 0, 128
    found = decode_image(encoded(Image.fromarray(np.concatenate([rgb, alpha], -1))), "a")
    np.testing.assert_array_equal(found[1:], rgb[1:])
    np.testing.assert_array_equal(found[0, 0], 255)
    expected = (rgb[0, 1] * 128.0 + 255 * 127) / 255
    assert np.abs(found[0, 1] - expected).max() <= 1


def test_16_bit_gray_is_rounded():
    gray = np.array([[0, 128, 129, 65535, 257 * 100]], np.uint16)
    found = decode_image(encoded(Image.fromarray(gray)), "a")
    assert found[0, :, 0].tolist() == [0, 0, 1, 255, 100]


def test_the_transparent_level_of_16_bit_gray_is_white():
    gray = np.array([[0, 300, 301, 65535]], np.uint16)
    found = decode_image(encoded(Image.fromarray(gray), transparency=300), "a")
    assert found[0, :, 0].tolist() == [0, 255, 1, 255]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_orientation_tag_is_applied(kind, rgb, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera on its side
    data = encoded(Image.fromarray(rgb), kind, exif=exif)
    (tmp_path / "a.png").write_bytes(data)
    np.testing.assert_array_equal(decode_image(data, "a"), np.rot90(rgb, -1))
    assert ImageFolder(epath.Path(tmp_path)).header("a.png")[:3] == (7, 5, len(data))


def test_the_header_holds_size_and_length(rgb, tmp_path):
    data = encoded(Image.fromarray(rgb))
    (tmp_path / "ein bild ö.png").write_bytes(data)
    folder = ImageFolder(epath.Path(tmp_path))
    header = folder.header("ein bild ö.png")
    assert header == Header(height=5, width=7, length=len(data), checksum=zlib.crc32(data))
    assert folder.read("ein bild ö.png") == data


@pytest.mark.parametrize("side", [8, 300])
def test_files_of_equal_length_are_distinguished(side, rng, tmp_path):
    folder = ImageFolder(epath.Path(tmp_path))
    headers = []
    for pixels in rng.integers(0, 256, (2, side, side, 3)).astype(np.uint8):
        (tmp_path / "a.bmp").write_bytes(encoded(Image.fromarray(pixels), "BMP"))
        headers.append(folder.header("a.bmp"))
    assert headers[0][:3] == headers[1][:3]
    assert headers[0].checksum != headers[1].checksum
    assert folder.header("a.bmp") == headers[1]


def _animation() -> bytes:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


def _bomb() -> bytes:
    """A PNG of a few bytes that claims 20,000 x 20,000 pixels."""
    data = bytearray(encoded(Image.new("L", (1, 1))))
    data[16:24] = (20_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "is an empty file"),
        (b"reference,distorted\n", "is not an image"),
        (encoded(Image.new("CMYK", (4, 4)), "JPEG"), "colour mode CMYK"),
        (encoded(Image.new("F", (4, 4)), "TIFF"), "colour mode F"),
        (_animation(), "several frames"),
        (_bomb(), "more than the limit"),
    ],
    ids=["empty", "text", "cmyk", "float", "animation", "bomb"],
)
def test_refuses_from_the_header(data, complaint, tmp_path):
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ImageError, match=f"a.png: .*{complaint}"):
        ImageFolder(epath.Path(tmp_path)).header("a.png")
    with pytest.raises(ImageError, match=complaint):
        decode_image(data, "a.png")


def test_truncated_file_has_a_header_but_no_pixels(rng, tmp_path):
    pixels = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    data = encoded(Image.fromarray(pixels))
    (tmp_path / "a.png").write_bytes(data[: len(data) // 2])
    folder = ImageFolder(epath.Path(tmp_path))
    assert folder.header("a.png")[:2] == (64, 64)
    with pytest.raises(ImageError, match=r"a.png: is damaged or cut short"):
        decode_image(folder.read("a.png"), "a.png")


@pytest.mark.parametrize("position", [0.3, 0.6, 0.9])
def test_damaged_pixels_are_detected(rng, position):
    pixels = rng.integers(0, 16, (64, 64, 3)).astype(np.uint8)
    data = bytearray(encoded(Image.fromarray(pixels)))
    data[int(position * len(data))] ^= 1
    with pytest.raises(ImageError, match=r"a.png: is damaged or cut short"):
        decode_image(bytes(data), "a.png")


def test_phone_photograph_with_a_preview_is_one_image(rgb):
    photograph = Image.fromarray(rgb)
    data = encoded(photograph, "MPO", save_all=True, append_images=[photograph.resize((2, 2))])
    assert decode_image(data, "a").shape == rgb.shape


def _photograph(kind, **options):
    """A small image with all the metadata that header readers look at."""
    exif = Image.Exif()
    exif.update({0x0112: 6, 0x010F: "a camera", 0x011A: 72.0, 0x0128: 2})
    pixels = np.add.outer(np.arange(9), np.arange(11)).astype(np.uint8)
    image = Image.fromarray(np.stack([pixels * 12, pixels, pixels * 3], -1))
    return encoded(image, kind, **({} if kind in ("BMP", "GIF") else {"exif": exif}), **options)


PHOTOGRAPHS = {
    "jpeg": _photograph("JPEG"),
    "tiff": _photograph("TIFF"),
    "lzw tiff": _photograph("TIFF", compression="tiff_lzw"),
    "png": _photograph("PNG"),
    "bmp": _photograph("BMP"),
    "gif": _photograph("GIF"),
    "webp": _photograph("WEBP"),
    "avif": _photograph("AVIF"),
}
MUTATIONS = 150


@pytest.mark.parametrize("kind", PHOTOGRAPHS)
def test_one_changed_byte_gives_pixels_or_a_reason(kind, monkeypatch):
    monkeypatch.setattr(decoding, "MAX_PIXELS", 10_000)
    data = PHOTOGRAPHS[kind]
    rng = np.random.default_rng(13)
    for position, value in zip(
        rng.integers(len(data), size=MUTATIONS), rng.integers(256, size=MUTATIONS), strict=True
    ):
        changed = data[:position] + bytes([value]) + data[position + 1 :]
        try:
            header = read_header(io.BytesIO(changed), len(changed), "a file")
            pixels = decode_image(changed, "a file")
        except ImageError as error:
            assert str(error).startswith("a file: ")  # noqa: PT017 (most raise none)
        else:
            assert pixels.shape == (header.height, header.width, 3)
            assert pixels.dtype == np.uint8


def test_the_error_for_a_broken_exif_block_names_the_file():
    """The directory states that the orientation tag holds text."""
    data = bytearray(PHOTOGRAPHS["jpeg"])
    tag = data.index(struct.pack(">HH", 0x0112, 3))
    for kind in range(256):
        data[tag + 3] = kind
        try:
            read_header(io.BytesIO(data), len(data), "a.jpg")
            decode_image(bytes(data), "a.jpg")
        except ImageError as error:
            assert str(error).startswith("a.jpg: ")  # noqa: PT017 (most raise none)


@pytest.mark.parametrize(
    "error", [struct.error("x"), SyntaxError("x"), MemoryError(), RecursionError("x"), KeyError(1)]
)
@pytest.mark.parametrize("place", ["getexif", "load", "convert"])
def test_any_exception_of_a_decoder_becomes_an_image_error(place, error, monkeypatch, rgb):
    def broken(*_):
        raise error

    data = encoded(Image.fromarray(rgb).convert("L"), "JPEG")
    monkeypatch.setattr(Image.Image, place, broken)
    if place == "load":
        monkeypatch.setattr("PIL.ImageFile.ImageFile.load", broken)
    with pytest.raises(ImageError, match=r"a.jpg: .* \(.+\)"):
        decode_image(data, "a.jpg")
    if place == "getexif":
        with pytest.raises(ImageError, match="a.jpg: has a damaged header"):
            read_header(io.BytesIO(data), len(data), "a.jpg")


def test_a_length_in_a_header_takes_no_memory(tmp_path):
    """A box claims to be 4 GiB long; reading that many bytes from a file would allocate them."""
    data = bytearray(encoded(Image.new("RGB", (8, 8)), "JPEG2000"))
    data[32:36] = b"\xc7\0\0\0"
    (tmp_path / "a.jp2").write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(ImageError, match="a.jp2: "):
            ImageFolder(epath.Path(tmp_path)).header("a.jp2")
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
