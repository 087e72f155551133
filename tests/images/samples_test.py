"""Deep, shallow, inverted and signed samples: rounded exactly to eight bits, or refused."""

import io
import struct

import numpy as np
import pytest
from image_files import encoded, jpeg_2000, packed, png, tiff
from PIL import Image

from iqa_jax.errors import ImageError
from iqa_jax.images.decode import decode_image, read_header


def rounded(samples, top):
    return np.floor(samples * 255 / top + 0.5).astype(np.uint8)


@pytest.fixture
def gray(rng):
    """Samples from 0 to 1, including both ends."""
    samples = rng.random((6, 7))
    samples[0, :3] = 0, 1, 0.5
    return samples


def deep_tiff(samples, bits, photometric, order="<", compression=1):
    stored = packed(samples, bits) if bits != 16 else samples.astype(f"{order}u2").tobytes()
    height, width = samples.shape
    shape = {"width": width, "height": height, "bits": [bits]}
    tags = {262: [photometric]}
    return tiff([stored], **shape, order=order, compression=compression, tags=tags)


@pytest.mark.parametrize("compression", [1, 8], ids=["raw", "deflate"])
@pytest.mark.parametrize("photometric", [0, 1], ids=["white is zero", "black is zero"])
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 12, 16])
def test_gray_tiff_is_rounded_or_refused(gray, bits, photometric, compression):
    top = 2**bits - 1
    samples = np.rint(gray * top).astype(np.int64)
    data = deep_tiff(samples, bits, photometric, compression=compression)
    if (bits, photometric) == (12, 0):
        with pytest.raises(ImageError, match=r"a: has a damaged header, or is of an unsupported"):
            decode_image(data, "a")
        return
    expected = rounded(samples if photometric else top - samples, top)
    np.testing.assert_array_equal(decode_image(data, "a")[..., 0], expected)


def test_gray_tiff_of_either_byte_order(gray):
    samples = np.rint(gray * 65535).astype(np.int64)
    found = [decode_image(deep_tiff(samples, 16, 1, order), "a") for order in "<>"]
    np.testing.assert_array_equal(found[0], found[1])
    with pytest.raises(ImageError, match="unsupported kind"):
        decode_image(deep_tiff(samples, 16, 0, ">"), "a")


def test_12_bits_score_as_the_same_image_in_8(rng):
    samples = rng.integers(0, 256, (8, 9))
    data = deep_tiff((samples * 4095 + 127) // 255, 12, 1)
    eight = decode_image(encoded(Image.fromarray(samples.astype(np.uint8))), "a")
    np.testing.assert_array_equal(decode_image(data, "a"), eight)


@pytest.mark.parametrize(
    ("bits", "changed", "complaint"),
    [
        ([8], {339: [2]}, "samples that are not unsigned integers"),
        ([16], {339: [2]}, "the colour mode I;"),
        ([32], {}, "the colour mode I;"),
        ([32], {339: [3]}, "the colour mode F;"),
        ([10], {}, r"unsupported kind \(unknown pixel mode\)"),
        ([14], {}, r"unsupported kind \(unknown pixel mode\)"),
        ([8], {262: None}, "does not say whether black or white is zero"),
        ([16], {262: None}, "does not say whether black or white is zero"),
        ([8] * 3, {262: [6]}, "subsampled colours that are not compressed"),
        ([8] * 3, {262: [8]}, "the colour mode LAB;"),
        ([16] * 3, {262: [2], 284: [2]}, "planes of more than 8 bits"),
    ],
)
def test_tiff_that_is_refused(bits, changed, complaint):
    planes = [bytes(4 * 5 * 4)] * (3 if 284 in changed else 1)
    data = tiff(planes, width=5, height=4, bits=bits, tags={262: [1], **changed})
    with pytest.raises(ImageError, match=f"a.tif: .*{complaint}"):
        decode_image(data, "a.tif")
    with pytest.raises(ImageError, match=f"a.tif: .*{complaint}"):
        read_header(io.BytesIO(data), len(data), "a.tif")


def test_planes_of_8_bits(rng):
    rgb = rng.integers(0, 256, (4, 5, 3)).astype(np.uint8)
    planes = [rgb[..., channel].tobytes() for channel in range(3)]
    data = tiff(planes, width=5, height=4, bits=[8] * 3, tags={262: [2], 284: [2]})
    np.testing.assert_array_equal(decode_image(data, "a"), rgb)


@pytest.mark.parametrize("bits", [9, 10, 12, 16])
def test_gray_jpeg_2000_is_rounded(gray, bits):
    top = 2**bits - 1
    samples = np.rint(gray * top).astype(np.int64)
    found = decode_image(jpeg_2000(samples, bits), "a")[..., 0]
    np.testing.assert_array_equal(found, rounded(samples, top))


def test_colour_jpeg_2000_of_12_bits_is_refused(rng):
    rgb = Image.fromarray(rng.integers(0, 256, (32, 32, 3)).astype(np.uint8))
    for is_bare in (True, False):
        data = bytearray(encoded(rgb, "JPEG2000", no_jp2=is_bare))
        sizes = data.index(b"\xff\x4f\xff\x51")
        decode_image(bytes(data), "a")
        data[sizes + 42 : sizes + 51 : 3] = bytes([11] * 3)
        with pytest.raises(ImageError, match="a: has components of 12 bits; expected 8, or gray"):
            decode_image(bytes(data), "a")


@pytest.mark.parametrize("top", [1, 15, 255, 256, 1000, 4095, 65535])
def test_pgm_is_scaled_from_its_maximum(gray, top):
    samples = np.rint(gray * top).astype(np.int64)
    head = f"7 6 {top}\n"
    plain = f"P2 {head}" + " ".join(map(str, samples.ravel())) + "\n"
    binary = f"P5 {head}".encode() + samples.astype(">u2" if top > 255 else "u1").tobytes()
    for data in (plain.encode(), binary):
        np.testing.assert_array_equal(decode_image(data, "a")[..., 0], rounded(samples, top))


@pytest.mark.parametrize("top", [100, 4095, 65535])
def test_ppm_is_scaled_from_its_maximum(rng, top):
    samples = rng.integers(0, top + 1, (4, 5, 3))
    data = f"P6 5 4 {top}\n".encode() + samples.astype(">u2" if top > 255 else "u1").tobytes()
    expected = np.rint(samples / top * 255)
    np.testing.assert_array_equal(decode_image(data, "a"), expected)


@pytest.mark.parametrize("depth", [2, 4, 8, 16])
def test_the_transparent_level_of_a_png_is_one_of_the_file(depth):
    top = 2**depth - 1
    samples = np.array([[0, 1, 2, top]])
    rows = [packed(samples, depth)]
    found = decode_image(png(rows, 4, depth, 0, struct.pack(">H", 1)), "a")[0, :, 0]
    expected = rounded(samples[0], top)
    expected[1] = 255
    assert found.tolist() == expected.tolist()


def test_one_transparent_colour_of_16_bits_is_refused():
    colours = struct.pack(">6H", 0, 1, 0, 65535, 300, 256)
    decode_image(png([colours], 2, 16, 2), "a")
    with pytest.raises(ImageError, match="a: has 16-bit colours, one of them transparent"):
        decode_image(png([colours], 2, 16, 2, colours[:6]), "a")


def test_jpeg_of_12_bits_is_refused_with_the_reason(rng):
    data = bytearray(
        encoded(Image.fromarray(rng.integers(0, 256, (8, 8)).astype(np.uint8)), "JPEG")
    )
    data[data.index(b"\xff\xc0") + 4] = 12
    with pytest.raises(ImageError, match=r"a: .*unsupported kind \(cannot handle 12-bit layers\)"):
        decode_image(bytes(data), "a")
