import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from iqa_jax.errors import InputError
from iqa_jax.images.resize import Resize, resize_pixels


@pytest.mark.parametrize(
    ("text", "size", "expected"),
    [
        ("short:256", (384, 512), (256, 341)),
        ("short:256", (512, 384), (341, 256)),
        ("short:256", (256, 300), (256, 300)),
        ("factor:0.5", (384, 512), (192, 256)),
        ("factor:2", (3, 5), (6, 10)),
        ("exact:64x96", (384, 512), (64, 96)),
        ("multiple:14", (384, 512), (378, 518)),
        ("multiple:16", (384, 512), (384, 512)),
        ("multiple:16", (3, 24), (16, 32)),
    ],
)
def test_size(text, size, expected):
    resize = Resize(text)
    assert resize.size(*size) == expected
    assert resize(np.zeros((*size, 3), np.uint8)).shape == (*expected, 3)


def test_is_pillows_antialiased_bilinear(rng):
    image = rng.integers(0, 256, (40, 60, 3)).astype(np.uint8)
    expected = Image.fromarray(image).resize((30, 20), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(Resize("factor:0.5")(image), np.asarray(expected))


UNREADABLE = """256 short short: short:x short:-4 long:256 exact:64 exact:0x9 factor:0 factor:nan
factor:inf exact:1x2x3 multiple:0 multiple:-4 multiple:x"""


@pytest.mark.parametrize("text", ["", *UNREADABLE.split()])
def test_refuses_other_forms(text):
    with pytest.raises(InputError, match="short:PIXELS, .*, exact:HEIGHTxWIDTH or multiple:PIXELS"):
        Resize(text)


def test_an_image_that_would_lose_all_pixels_is_refused():
    resize = Resize("factor:0.01")
    assert resize.size(384, 512) == (4, 5)
    with pytest.raises(InputError, match="factor:0.01' leaves no pixels of an image of 40x512"):
        resize.size(40, 512)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_pixel_that_is_not_finite_spoils_only_its_own_image(value):
    images = jnp.full((2, 50, 60, 3), 0.3).at[1, 7, 9, 2].set(value)
    found = jax.jit(lambda x: resize_pixels(x, Resize("factor:0.5")))(images)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()


@pytest.mark.parametrize("text", ["short:48", "factor:0.5", "exact:90x31", "exact:31x90"])
@pytest.mark.parametrize("size", [(65, 97), (120, 80)])
def test_the_device_agrees_with_pillow_along_each_axis(text, size, rng):
    """The axes are resized one by one, because Pillow 13 chooses their order by cost."""
    image = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
    height, width = Resize(text).size(*size)
    across = Image.fromarray(image).resize((width, size[0]), Image.Resampling.BILINEAR)
    expected = np.asarray(across.resize((width, height), Image.Resampling.BILINEAR))
    pixels = jnp.asarray(image / np.float32(255))
    found = jax.jit(lambda x: resize_pixels(x, Resize(text)))(pixels)
    np.testing.assert_array_equal(np.rint(np.asarray(found) * 255), expected)


def test_the_derivative_on_the_device_is_that_of_the_weighted_sums():
    image = jnp.full((50, 60, 3), 0.3, jnp.float32)
    slope = jax.jit(jax.grad(lambda x: resize_pixels(x, Resize("short:25")).sum()))(image)
    np.testing.assert_allclose(slope[10:-10, 10:-10], 0.25, rtol=1e-3)


def test_only_larger_images():
    resize = Resize("short:256", only_larger=True)
    assert resize.size(200, 300) == (200, 300)
    assert resize.size(384, 512) == (256, 341)
