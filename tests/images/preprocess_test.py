import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from iqa_jax.errors import InputError
from iqa_jax.images.preprocess import check_images, unit_range

IMAGES = np.linspace(0, 1, 2 * 4 * 5 * 3).reshape(2, 4, 5, 3)
TYPES = [np.float64, np.float32, np.float16, np.longdouble, ml_dtypes.bfloat16]


@pytest.mark.parametrize("dtype", TYPES)
def test_floating_point_is_converted(dtype):
    images = IMAGES.astype(dtype)
    found = check_images(images)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, images.astype(np.float32))


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.bfloat16, jnp.float32, jnp.float64])
@pytest.mark.parametrize("x64", [False, True])
def test_arrays_on_the_device_are_converted(dtype, x64):
    with jax.enable_x64(x64):
        images = jnp.asarray(IMAGES, dtype if x64 or dtype != jnp.float64 else jnp.float32)
        for found in (check_images(images), unit_range(images), jax.jit(check_images)(images)):
            assert isinstance(found, jax.Array)
            assert found.dtype == jnp.float32
            np.testing.assert_array_equal(found, np.asarray(images).astype(np.float32))


def test_bytes_stay_bytes():
    images = (255 * IMAGES).astype(np.uint8)
    for each in (images, jnp.asarray(images)):
        assert check_images(each) is each
        np.testing.assert_array_equal(unit_range(jnp.asarray(each)) * 255, images)


def test_what_numpy_makes_an_array_is_one():
    class Tensor:
        def __array__(self, dtype=None, copy=None):
            return IMAGES

    for images in (IMAGES.tolist(), list(IMAGES), Tensor()):
        np.testing.assert_array_equal(check_images(images), IMAGES.astype(np.float32))
    levels = [np.zeros((4, 5, 3), np.uint8)]
    assert check_images(levels).dtype == np.uint8


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint16, np.int8, bool, np.complex64])
def test_other_types_are_refused_with_advice(dtype):
    expected = rf"expected uint8, or floating point in \[0, 1\], got {np.dtype(dtype)}; convert .*"
    with pytest.raises(InputError, match=expected + r"astype\(np.uint8\)"):
        check_images(IMAGES.astype(dtype))


@pytest.mark.parametrize(
    ("images", "complaint"),
    [
        ("a.png", "expected an array .* got str; .*PIL.Image.open"),
        (None, "expected an array .* got NoneType"),
        ([["a.png"]], "expected an array .* got list"),
        ([np.zeros((4, 5, 3)), np.zeros((4, 6, 3))], "expected an array .* got list"),
        (IMAGES[0], r"got \[4, 5, 3\]; images\[None\] makes a batch of one image"),
        (IMAGES[..., :1], r"got \[2, 4, 5, 1\]$"),
        (255 * IMAGES, "found values from 0 to 255"),
        (1e300 * IMAGES, r"found values from 0 to 1e\+300"),
        ((IMAGES - 0.1).astype(ml_dtypes.bfloat16), "found values from -0.1"),
        (np.where(IMAGES > 0.5, np.nan, IMAGES), "found values from nan to nan"),
    ],
)
def test_other_arrays_are_refused(images, complaint):
    with pytest.raises(InputError, match=f"^the images: .*{complaint}"):
        check_images(images, "the images")


def test_rounding_of_float32_may_leave_the_range():
    check_images(IMAGES * (1 + 5e-6))


def test_gradients_have_the_type_of_the_images():
    images = jnp.asarray(IMAGES, jnp.bfloat16)
    for function in (check_images, unit_range):
        slope = jax.grad(lambda x, f=function: jnp.sum(jnp.square(f(x))))(images)
        assert slope.dtype == jnp.bfloat16
        np.testing.assert_array_equal(slope, 2 * images)
