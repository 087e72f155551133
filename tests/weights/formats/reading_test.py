import pickle
import struct
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from assembler import (
    FORMATS,
    as_npy,
    as_torch_legacy,
    as_torch_zip,
    program,
    python2_array,
    python2_text,
    to_bytes,
)
from etils import epath

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.conversion import flatten
from iqa_jax.weights.formats.reading import NESTINGS, read_checkpoint, unwrap

GOLDEN = Path(__file__).parents[2] / "golden" / "checkpoints"


@pytest.fixture
def path(tmp_path):
    """A file whose name says nothing about its format."""
    return epath.Path(tmp_path) / "weights.txt"


@pytest.fixture
def arrays(rng):
    return {
        "conv": rng.normal(size=(3, 3, 2, 4)).astype(np.float32),
        "steps": np.arange(3),
        "half": np.ones((2, 0), np.float16),
    }


@pytest.mark.parametrize("written", FORMATS.values(), ids=FORMATS)
def test_the_content_determines_the_format(path, arrays, written):
    path.write_bytes(written(arrays))
    found = read_checkpoint(path)
    assert sorted(found) == sorted(arrays)
    for key, expected in arrays.items():
        assert found[key].dtype == expected.dtype
        np.testing.assert_array_equal(found[key], expected)


@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_of_one_array(path, rng, order):
    array = np.asarray(rng.normal(size=(4, 3)), order=order)
    path.write_bytes(to_bytes(np.save, array))
    np.testing.assert_array_equal(read_checkpoint(path), array)


def test_npy_with_the_header_of_python_2(path, recwarn):
    data = to_bytes(np.save, np.zeros((3, 4), np.float32)).replace(b"(3, 4)", b"(3L, 4L)")
    path.write_bytes(data.replace(b"    \n", b"  \n", 1))
    assert read_checkpoint(path).shape == (3, 4)
    assert not recwarn


def test_npy_of_a_dict_from_python_2(path):
    # The form of caffenet_bvlc_in1k_supervised.npy: an array without axes around a dict.
    weight = np.arange(128, 134, dtype=np.uint8).astype("<f4").reshape(2, 3)
    blobs = b"}(" + python2_text(b"conv1_w") + python2_array(weight) + b"u"
    path.write_bytes(as_npy(program(python2_array(blobs))))
    np.testing.assert_array_equal(read_checkpoint(path)["conv1_w"], weight)


def test_caffe2_pickle_of_python_2(path):
    weight = np.random.default_rng(0).normal(size=(4, 2)).astype("<f4")  # every byte occurs
    blobs = b"}(" + python2_text(b"conv1_w") + python2_array(weight) + b"u"
    path.write_bytes(program(b"}" + python2_text(b"blobs") + blobs + b"s"))
    np.testing.assert_array_equal(unwrap(read_checkpoint(path))["conv1_w"], weight)


def test_keras_groups(path, arrays):
    tree = {"block1_conv1": {"block1_conv1_W_1:0": arrays["conv"]}, "empty": {}}
    for root in (tree, {"model_weights": tree, "optimizer_weights": {"a": {"b": np.ones(2)}}}):
        path.write_bytes(FORMATS["h5"](root))
        found = unwrap(read_checkpoint(path))
        np.testing.assert_array_equal(found["block1_conv1"]["block1_conv1_W_1:0"], arrays["conv"])


def test_safetensors_in_bfloat16(path):
    array = np.array([1.5, -2, 0.25], ml_dtypes.bfloat16)
    header = b'{"a":{"dtype":"BF16","shape":[3],"data_offsets":[0,6]}}'
    path.write_bytes(struct.pack("<Q", len(header)) + header + array.tobytes())
    found = read_checkpoint(path)["a"]
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


# Files in none of the formats, and part of the error message.
STRANGE = {
    "nothing": (b"", "starts with b''"),
    "text": (b"Not Found\n", "not a checkpoint in a known format"),
    "a page": (b"<!DOCTYPE html><html>", "not a checkpoint in a known format.*<!DOCTYPE html>"),
    "wrong HDF5 magic": (b"\x89HDF\r\n\x1a\r" + bytes(2048), "not a checkpoint in a known format"),
    "wrong NumPy magic": (b"\x93NUMPI" + bytes(200), "not a checkpoint in a known format"),
    "wrong PyTorch magic": (as_torch_legacy(b"")[:5] + bytes(40), "not a complete pickle"),
    "another number as magic": (pickle.dumps(1234), "holds a int"),
    "a word": (pickle.dumps("weights"), "holds a str"),
    "text that starts like a pickle": (b"(see below)", "not a complete pickle"),
    "an archive of something": (as_torch_zip(b"").replace(b"data.pkl", b"main.cpp"), "neither"),
    "tar": (bytes(257).replace(b"\0", b"a") + b"ustar\x0000" + bytes(800), "is a tar archive"),
    "npy of another version": (b"\x93NUMPY\x04\x00" + bytes(100), "unknown format version"),
    "npy of text": (as_npy(b"").replace(b"'|O'", b"'<U1'"), "type <U1; only numbers"),
}


@pytest.mark.parametrize(("data", "message"), STRANGE.values(), ids=STRANGE)
def test_strange_files(path, data, message):
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=rf"(?s)weights.txt: .*{message}"):
        read_checkpoint(path)


def test_missing_files_and_folders(path):
    for strange in (path, path.parent):
        with pytest.raises(CheckpointError, match="cannot be read"):
            read_checkpoint(strange)


ARRAYS = {"a": np.ones(3)}


@pytest.mark.parametrize("nesting", NESTINGS)
def test_unwrap_knows_every_nesting(nesting):
    tree = {"epoch": 3, **ARRAYS}
    for key in reversed(nesting):
        tree = {key: tree, "note": "text"}
    assert unwrap(tree) == {"epoch": 3, **ARRAYS}
    assert unwrap({"state_dict": tree}) == {"epoch": 3, **ARRAYS}


@pytest.mark.parametrize(
    "tree",
    [
        ARRAYS,
        {**ARRAYS, "model": {"b": np.ones(2)}},
        {"conv": ARRAYS, "fc": ARRAYS},
        {"params": ARRAYS, "batch_stats": ARRAYS},
        {"state_dict": "none", "model": np.float32(1)},
        {},
        [ARRAYS],
        np.ones(3),
    ],
)
def test_unwrap_leaves_other_dicts_alone(tree):
    assert unwrap(tree) is tree


def test_unwrap_treats_single_numbers_as_records():
    found = unwrap({"best_acc1": np.float32(70)[None], "state_dict": ARRAYS, "model": {}})
    assert found is ARRAYS


def test_the_real_files_load(test_data):
    # First and last values as torch.load of PyTorch 2.13.0 gave them, sums in float64.
    for file, key, shape, first, total in (
        ("lpips_linear/alex.pth", "lin4.model.1.weight", (1, 256, 1, 1), 0.19301726, 20.317177),
        ("lpips_linear/vgg.pth", "lin0.model.1.weight", (1, 64, 1, 1), 0.05011166, 6.9259917),
        ("lpips_linear/squeeze.pth", "lin6.model.1.weight", (1, 512, 1, 1), 0.0379231, 17.5905528),
        ("dists/weights.pt", "alpha", (1, 1475, 1, 1), 0.02106655, 0.87604962),
        ("dists/weights.pt", "beta", (1, 1475, 1, 1), 0.02053877, 0.12395021),
        (
            "cifar10_resnet/resnet20-12fca82f.th",
            "module.conv1.weight",
            (16, 3, 3, 3),
            -0.13818146,
            1.3100982,
        ),
        ("cifar10_resnet/resnet20-12fca82f.th", "module.bn1.weight", (16,), 0.6104025, 9.22696653),
    ):
        found = unwrap(read_checkpoint(epath.Path(test_data / "weights" / file)))[key]
        assert (found.shape, found.dtype) == (shape, np.float32)
        np.testing.assert_allclose(found.ravel()[0], first, rtol=1e-6)
        np.testing.assert_allclose(found.sum(dtype=np.float64), total, rtol=1e-7)
    assert read_checkpoint(epath.Path(test_data / "weights" / file))["best_prec1"] == pytest.approx(
        91.78
    )


def test_the_real_h5_and_npz_hold_the_same_arrays(test_data):
    folder = epath.Path(test_data / "weights" / "squeezenet1_1_caffe")
    npz = read_checkpoint(folder / "squeezenet11_caffe_HWIO.npz")
    h5 = read_checkpoint(folder / "squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5")
    found = {}
    for key, array in flatten(h5):  # such as fire2.expand1x1.fire2.expand1x1_3.kernel:0
        *_, layer, kind = key.replace(".", "/").rsplit("/", 2)
        outer = key.split(".")[0]
        layer = layer.rsplit("_", 1)[0]
        found["/".join(([outer] if outer != layer else []) + [layer, kind.removesuffix(":0")])] = (
            array
        )
    assert len(found) == 50
    assert set(npz) - set(found) == {"conv10/kernel_fp16", "conv10/bias_fp16"}
    for key, array in found.items():
        np.testing.assert_array_equal(array, npz[key], key)
