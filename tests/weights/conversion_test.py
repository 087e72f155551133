import numpy as np
import pytest

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.conversion import Rename, convert, flatten

TARGET = {"a.kernel": np.zeros((2, 3)), "a.bias": np.zeros(3)}
RENAMES = (Rename(r"net\.(kernel|bias)", r"a.\1"),)


def test_results_are_in_the_order_of_the_target():
    source = {"net.bias": np.arange(3), "net.kernel": np.ones((2, 3)), "extra.w": np.ones(1)}
    found = convert(source, TARGET, RENAMES, ignored=[r"extra\..*"])
    assert list(found) == ["a.kernel", "a.bias"]
    assert all(array.dtype == np.float32 for array in found.values())
    np.testing.assert_array_equal(found["a.bias"], [0, 1, 2])


def test_transforms():
    rename = Rename("w", "a.bias", lambda kernel: kernel[0, 0, :, 0])
    found = convert({"w": np.ones((1, 1, 3, 1))}, {"a.bias": np.zeros(3)}, [rename])
    assert found["a.bias"].shape == (3,)


def test_renames_are_applied_in_order():
    renames = [Rename(r"top\.(.*)", r"\1"), Rename(r"w(.*)", r"a\1"), Rename("a", "a.bias")]
    found = convert({"top.w": np.ones(3)}, {"a.bias": np.zeros(3)}, renames)
    assert list(found) == ["a.bias"]


def test_pytorch_names_are_converted(rng):
    source = {
        "features.module.0.weight": rng.normal(size=(8, 3, 5, 4)),
        "features.module.0.bias": rng.normal(size=8),
        "module.norm.weight": rng.normal(size=8),
        "module.norm.running_mean": rng.normal(size=8),
        "module.norm.running_var": rng.normal(size=8),
        "module.norm.num_batches_tracked": np.array(3),
        "linear.weight": rng.normal(size=(2, 8)),
    }
    target = {
        "features.0.kernel": np.zeros((5, 4, 3, 8)),
        "features.0.bias": np.zeros(8),
        **{f"norm.{leaf}": np.zeros(8) for leaf in ("scale", "mean", "var")},
        "linear.kernel": np.zeros((8, 2)),
    }
    found = convert(source, target)
    kernel = source["features.module.0.weight"].astype(np.float32)
    assert found["features.0.kernel"][4, 3, 2, 7] == kernel[7, 2, 4, 3]
    np.testing.assert_array_equal(found["linear.kernel"], np.float32(source["linear.weight"]).T)
    np.testing.assert_array_equal(found["norm.var"], np.float32(source["module.norm.running_var"]))


def test_one_error_lists_every_mismatch():
    source = {"net.kernel": np.ones((3, 2)), "other.kernel": np.ones(4), "net.gain": np.ones(3)}
    with pytest.raises(CheckpointError) as error:
        convert(source, TARGET, [*RENAMES, Rename("net.gain", "a.gain")])
    for complaint in (
        "other.kernel: is not part of the network",
        "net.gain (a.gain): is not part of the network",
        "a.bias: is not in the checkpoint",
        "a.kernel: has the shape (3, 2), expected (2, 3)",
    ):
        assert complaint in str(error.value)


def test_a_target_is_filled_only_once():
    source = {"x": np.ones((2, 3)), "y": np.ones((2, 3)), "z": np.ones(3)}
    renames = [Rename("[xy]", "a.kernel"), Rename("z", "a.bias")]
    with pytest.raises(CheckpointError, match=r"y \(a.kernel\): fills a.kernel a second time"):
        convert(source, TARGET, renames)


def test_flatten():
    tree = {"a": {"b": {"c": np.ones(1)}, "d": np.ones(2)}}
    assert {name: array.size for name, array in flatten(tree)} == {"a.b.c": 1, "a.d": 2}
