import re
import struct
import zipfile
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from assembler import (
    LEGACY_STORAGE,
    STORAGE,
    as_torch_legacy,
    as_torch_zip,
    call,
    mapping,
    name,
    number,
    program,
    storage,
    tensor,
    text,
)
from etils import epath

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.conversion import flatten
from iqa_jax.weights.formats import budget
from iqa_jax.weights.formats.reading import read_checkpoint, unwrap

# Written by PyTorch: see tests/golden/make_checkpoints.py.
GOLDEN = Path(__file__).parents[2] / "golden" / "checkpoints"
FLOATS = np.frombuffer(STORAGE, "<f4")


def draw(seed, *shape):
    """Values of a tensor, as in make_checkpoints.py."""
    numbers = 37 * np.arange(np.prod(shape, dtype=int)) + seed
    return ((numbers % 101 - 50) / 4).astype(np.float32).reshape(shape)


def golden(file):
    return read_checkpoint(epath.Path(GOLDEN / file))


VIEWS = ["views_zip.pth", "views_zip5.pth", "views_legacy.pth", "views_legacy4.pth"]


@pytest.mark.parametrize("file", VIEWS)
def test_tensors_are_views_of_storages(file):
    found = golden(file)
    base = draw(1, 6, 8)
    for key, expected in {
        "whole": base,
        "transposed": base.T,
        "sliced": base[1:5:2, 2:7:3],
        "offset": base[3],
        "expanded": np.broadcast_to(base[1], (4, 8)),
        "channels_last": draw(2, 2, 3, 2, 2),
        "empty": np.zeros((0, 3), np.float32),
        "scalar": np.float32(2.5),
        "parameter": draw(6, 2, 2),
        "with_attributes": draw(4, 3),
        "parameter_with_attributes": draw(5, 3),
        "storage": np.array([1, 2, 3], np.uint8),
    }.items():
        np.testing.assert_array_equal(found[key], expected, key)
        assert found[key].dtype == expected.dtype, key
        assert not found[key].flags.writeable, key
    for key in ("shared", "transposed", "sliced", "offset", "expanded"):
        assert np.shares_memory(found[key], found["whole"]), key


@pytest.mark.parametrize("file", VIEWS)
def test_types(file):
    types = golden(file)["types"]
    assert len(types) == 11
    for key, found in types.items():
        expected = np.abs(draw(3, 7)).astype(getattr(ml_dtypes, key, key))
        assert found.dtype == expected.dtype, key
        np.testing.assert_array_equal(found, expected, key)


@pytest.mark.parametrize("file", VIEWS)
def test_values_beside_tensors(file):
    found = golden(file)
    assert found["size"] == (2, 3)
    assert found["device"] == "cuda:1"
    assert found["dtype"] == "float16"
    assert found["others"] == [1, 2.5, True, None, "text", b"bytes", (1, (2, []))]
    np.testing.assert_array_equal(found["numpy"], np.arange(3, dtype=np.int32))
    assert found["numpy_scalar"] == np.float64(0.5)


# The entries of the network in make_checkpoints.py, in order; `draw` is seeded by position.
STATE = {
    "0.weight": (3, 2, 3, 3),
    "0.bias": (3,),
    "1.weight": (3,),
    "1.bias": (3,),
    "1.running_mean": (3,),
    "1.running_var": (3,),
    "1.num_batches_tracked": (),
    "2.weight": (2, 3),
    "2.bias": (2,),
}


@pytest.mark.parametrize(
    ("file", "prefix"),
    [
        ("training_zip.pth", "module."),
        ("training_legacy.pth", "module."),
        ("vissl_zip.pth", "_feature_blocks."),
        ("vissl_legacy.pth", "_feature_blocks."),
    ],
)
def test_state_dicts_in_their_nestings(file, prefix):
    found = unwrap(golden(file))
    assert list(found) == [prefix + key for key in STATE]
    for seed, (key, shape) in enumerate(STATE.items()):
        expected = draw(seed, *shape)
        if key == "1.num_batches_tracked":
            expected = expected.astype(np.int64)
        assert found[prefix + key].dtype == expected.dtype
        np.testing.assert_array_equal(found[prefix + key], expected, key)


def test_the_rest_of_a_training_checkpoint():
    for file in ("training_zip.pth", "training_legacy.pth"):
        found = golden(file)
        assert (found["epoch"], found["arch"], found["best_acc1"]) == (3, "tiny", 71.5)
        assert found["scheduler"]["milestones"] == {3: 1, 6: 1}
        group = found["optimizer"]["param_groups"][0]
        assert (group["lr"], group["momentum"]) == (0.1, 0.9)
        assert found["optimizer"]["state"][0]["momentum_buffer"].shape == (3, 2, 3, 3)


def test_tensors_of_a_torchscript_archive():
    found = dict(flatten(unwrap(golden("torchscript.pth"))))
    for seed, (key, shape) in enumerate(STATE.items()):
        np.testing.assert_array_equal(found.pop(f"network.{key}"), draw(seed, *shape), key)
    for key in ("weight", "bias"):
        assert found.pop(f"again.{key}").shape == STATE[f"2.{key}"]
    assert found["halved.weight"].dtype == np.float16
    np.testing.assert_array_equal(found.pop("halved.weight"), draw(3, 2, 3))
    np.testing.assert_array_equal(found.pop("halved.bias"), draw(4, 2))
    np.testing.assert_array_equal(found.pop("base"), draw(1, 6, 8)[1:5:2, 2:7:3])
    assert found.pop("number") == 7
    assert not found  # neither numbers nor texts nor lists


@pytest.mark.parametrize("file", ["views_zip.pth", "views_legacy.pth"])
def test_files_in_buckets_are_read_completely(file, monkeypatch):
    monkeypatch.setattr(budget, "is_local", lambda _: False)
    np.testing.assert_array_equal(golden(file)["transposed"], draw(1, 6, 8).T)


def test_strings_and_classes_of_old_files(read):
    # PyTorch under Python 2 wrote str as bytes; GPU tensors had their own classes.
    data = (GOLDEN / "vissl_legacy.pth").read_bytes()
    old = re.sub(rb"X([\x01-\xff])\0\0\0", rb"U\1", data, flags=re.DOTALL)
    old = old.replace(b"ctorch\nFloatStorage", b"ctorch.cuda\nFloatStorage")
    assert len(old) < len(data)
    found = unwrap(read(old))
    np.testing.assert_array_equal(found["_feature_blocks.0.weight"], draw(0, 3, 2, 3, 3))


@pytest.mark.parametrize("wrap", [as_torch_zip, as_torch_legacy])
def test_hand_made_tensors(read, wrap):
    found = read(wrap(program(mapping(a=tensor(storage(), 2, (2, 3), (1, 4))))))
    expected = FLOATS[[[2, 6, 10], [3, 7, 11]]]
    np.testing.assert_array_equal(found["a"], expected)
    first = call(name("torch._utils", "_rebuild_tensor"), storage(), *map(number, (1, (2,), (5,))))
    np.testing.assert_array_equal(read(wrap(program(mapping(a=first))))["a"], FLOATS[[1, 6]])


def test_storages_within_storages(read):
    def view(start, count):
        return b"(" + text("1") + number(start) + number(count) + b"t"

    inside = tensor(storage(view=view(4, 6)), 1, (2,), (3,))
    found = read(as_torch_legacy(program(mapping(a=inside))))
    np.testing.assert_array_equal(found["a"], FLOATS[[5, 8]])
    for start, count in ((4, 9), (-1, 2), (4, -1)):
        outside = program(mapping(a=tensor(storage(view=view(start, count)))))
        with pytest.raises(CheckpointError, match="view that does not fit its storage"):
            read(as_torch_legacy(outside))


HUGE = 2**40

LIES = {
    "a shape beyond its storage": tensor(storage(), 0, (13,), (1,)),
    "an offset beyond its storage": tensor(storage(), 10, (3,), (1,)),
    "strides beyond its storage": tensor(storage(), 0, (3, 4), (4, 2)),
    "a huge shape": tensor(storage(), 0, (HUGE,), (1,)),
    "a huge expanded shape": tensor(storage(), 0, (HUGE,), (0,)),
    "shapes that overflow": tensor(storage(), 0, (HUGE, HUGE, HUGE), (0, 0, 0)),
    "a length beyond any": tensor(storage(), 0, (10**30,), (0,)),
    "too many axes": tensor(storage(), 0, (1,) * 65, (1,) * 65),
    "a negative shape": tensor(storage(), 0, (-3,), (1,)),
    "a negative stride": tensor(storage(), 5, (3,), (-1,)),
    "a negative offset": tensor(storage(), -1, (3,), (1,)),
    "fewer strides than axes": tensor(storage(), 0, (3, 2), (1,)),
    "a shape of other things": tensor(storage(), 0, (1.5,), (1,)),
    "a storage larger than the file": tensor(storage(HUGE), 0, (3,), (1,)),
    "a storage larger than its bytes": tensor(storage(13), 0, (13,), (1,)),
    "a storage of wider elements": tensor(storage(kind="DoubleStorage"), 0, (3,), (1,)),
    "a negative storage": tensor(storage(-12), 0, (3,), (1,)),
    "a storage that is not there": tensor(storage(key="1")),
    "a storage of another place": tensor(storage(key="../../0")),
    "a storage of no type": tensor(storage(kind="Size")),
    "a storage of a known other type": tensor(storage(kind="ComplexFloatStorage")),
    "no storage": tensor(number(3)),
    "a parameter of no tensor": call(name("torch._utils", "_rebuild_parameter"), number(3)),
}


@pytest.mark.parametrize("wrap", [as_torch_zip, as_torch_legacy])
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_false_claims_are_errors(read, wrap, lie):
    with pytest.raises(CheckpointError, match=r"a.pth: "):
        read(wrap(program(mapping(a=lie))))


def test_the_error_says_which_tensor_is_too_large(read):
    with pytest.raises(CheckpointError, match=r"shape \(13,\).* beyond its 12 elements"):
        read(as_torch_zip(program(mapping(a=tensor(storage(), 0, (13,), (1,))))))


def test_a_moderate_expansion_is_accepted(read):
    found = read(as_torch_zip(program(mapping(a=tensor(storage(), 0, (1000, 1000), (0, 0))))))
    assert found["a"].shape == (1000, 1000)
    assert found["a"].strides == (0, 0)


@pytest.mark.parametrize(
    ("keys", "storages"),
    [
        ((), b""),
        (("0", "0"), LEGACY_STORAGE),
        (("1",), LEGACY_STORAGE),
        ((0,), LEGACY_STORAGE),
        (("0",), struct.pack("<q", 11) + STORAGE),
        (("0",), struct.pack("<q", 2**62) + STORAGE),
        (("0",), struct.pack("<q", -12) + STORAGE),
        (("0",), LEGACY_STORAGE[:-1]),
    ],
)
def test_legacy_storages_that_do_not_fit(read, keys, storages):
    data = as_torch_legacy(program(mapping(a=tensor(storage()))), keys, storages)
    with pytest.raises(CheckpointError, match=r"a.pth: "):
        read(data)


def test_compressed_archives(read):
    whole = program(mapping(a=tensor(storage(), 0, (12,), (1,))))
    found = read(as_torch_zip(whole, zipfile.ZIP_DEFLATED))
    np.testing.assert_array_equal(found["a"], FLOATS)
    with pytest.raises(CheckpointError, match="method other than deflate"):
        read(as_torch_zip(whole, zipfile.ZIP_LZMA))


def test_other_byte_orders_and_versions(read):
    whole = program(mapping(a=tensor(storage())))
    with pytest.raises(CheckpointError, match="big-endian"):
        read(as_torch_zip(whole, byteorder=b"big"))
    legacy = as_torch_legacy(whole)
    with pytest.raises(CheckpointError, match="not a PyTorch file of a known version"):
        read(legacy.replace(b"\x80\x02M\xe9\x03.", b"\x80\x02M\xea\x03."))


def test_two_pickles_in_one_archive(read):
    whole = program(mapping(a=tensor(storage())))
    with pytest.raises(CheckpointError, match="holds 2 data.pkl files"):
        read(as_torch_zip(whole, **{"other/data.pkl": whole}))
