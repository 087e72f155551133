import numpy as np
import pytest

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.conversion import Rename, convert, flatten

TARGET = {"a.kernel": np.zeros((2, 3)), "a.bias": np.zeros(3)}
RENAMES = (Rename(r"net\.(kernel|bias)", r"a.\1"),)


def test_renames_into_the_order_of_the_target():
    source = {"net.bias": np.arange(3), "net.kernel": np.ones((2, 3)), "extra.w": np.ones(1)}
    found = convert(source, TARGET, RENAMES, ignored=[r"extra\..*"])
    assert list(found) == ["a.kernel", "a.bias"]
    assert all(array.dtype == np.float32 for array in found.values())
    np.testing.assert_array_equal(found["a.bias"], [0, 1, 2])


def test_transforms():
    rename = Rename("w", "a.bias", lambda kernel: kernel[0, 0, :, 0])
    found = convert({"w": np.ones((1, 1, 3, 1))}, {"a.bias": np.zeros(3)}, [rename])
    assert found["a.bias"].shape == (3,)


def test_one_error_tells_every_mismatch():
    source = {"net.kernel": np.ones((3, 2)), "other.kernel": np.ones(4), "twice": np.ones(3)}
    renames = (*RENAMES, Rename("twice", "a.kernel"), Rename("tw.*", "a.gain"))
    with pytest.raises(CheckpointError) as error:
        convert(source, TARGET, renames)
    for complaint in (
        "other.kernel: has no place here",
        "twice: two renames match",
        "a.bias: is not in the checkpoint",
        "a.kernel: has the shape (3, 2), expected (2, 3)",
    ):
        assert complaint in str(error.value)


def test_a_target_is_filled_once_and_only_if_it_exists():
    source = {"x": np.ones((2, 3)), "y": np.ones((2, 3)), "z": np.ones(3), "u": np.ones(1)}
    renames = [Rename("[xy]", "a.kernel"), Rename("z", "a.bias"), Rename("u", "b.bias")]
    with pytest.raises(
        CheckpointError, match=r"(?s)y: fills a.kernel a second time.*b.bias: is no"
    ):
        convert(source, TARGET, renames)


def test_flatten():
    tree = {"a": {"b": {"c": np.ones(1)}, "d": np.ones(2)}}
    assert {name: array.size for name, array in flatten(tree)} == {"a.b.c": 1, "a.d": 2}
