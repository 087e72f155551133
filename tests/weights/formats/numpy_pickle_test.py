import collections
import io
import os
import pickle
import sys

import numpy as np
import pytest
from assembler import call, mapping, name, number, program, python2_array, python2_text, text

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.formats.numpy_pickle import read_pickle


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("order", ["C", "F"])
def test_reads_nested_arrays(protocol, order, rng):
    array = np.asarray(rng.normal(size=(2, 3, 4)).astype(np.float32), order=order)
    tree = {
        "net": {"kernel": array, "steps": np.int64(7)},
        "list": [array[0], (np.arange(3, dtype=">i4"), b"bytes", "text", None, True, 1.5)],
        "ordered": collections.OrderedDict(empty=np.zeros((0, 5), np.float16)),
    }
    found = read_pickle(pickle.dumps(tree, protocol), "a.ckpt")
    np.testing.assert_equal(found, tree)
    assert found["net"]["kernel"].dtype == np.float32
    assert found["list"][1][0].dtype == np.dtype(">i4")
    assert found["ordered"]["empty"].shape == (0, 5)


def test_reads_the_names_of_old_and_new_numpy():
    data = pickle.dumps(np.arange(4), 2)
    old, new = b"numpy.core.multiarray", b"numpy._core.multiarray"
    for module in (old, new):
        renamed = data.replace(new if new in data else old, module)
        np.testing.assert_array_equal(read_pickle(renamed, "a"), np.arange(4))


class Calls:
    """An object that pickles as a function call."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (Calls(os.system, "touch hostile"), f"{os.system.__module__}.system"),
        (Calls(eval, "1 + 1"), "eval"),
        (Calls(getattr, "text", "upper"), "getattr"),
        (Calls(exec, "import os"), "exec"),
        (Calls(np.frombuffer, b"1234"), "frombuffer"),
        (Calls(np.load, "a.npy"), "load"),
        ({"deep": [Calls(os.getcwd)]}, "getcwd"),
        (collections.deque([1]), "collections.deque"),
        (1 + 2j, "complex"),
        (range(3), "range"),
        (sys.stdout.__class__, "TextIOWrapper|EncodedFile|CaptureIO"),
    ],
)
def test_refuses_by_name_anything_but_arrays(value, named, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match=f"a.ckpt: .*({named})"):
        read_pickle(pickle.dumps(value), "a.ckpt")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "value", [{1, 2}, np.array([1, "a"], object), np.array(["a"]), np.zeros(2, "f4,i4")]
)
def test_refuses_arrays_and_containers_of_other_things(value):
    with pytest.raises(CheckpointError, match=r"a.ckpt"):
        read_pickle(pickle.dumps(value), "a.ckpt")


def test_refuses_persistent_references():
    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            return "elsewhere" if obj == "there" else None

    file = io.BytesIO()
    Pickler(file).dump(["there"])
    with pytest.raises(CheckpointError, match="outside the file"):
        read_pickle(file.getvalue(), "a.ckpt")


DAMAGED = {
    "empty": b"",
    "text": b"not a pickle",
    "cut array": pickle.dumps(np.arange(1000))[:-500],
    "cut end": pickle.dumps({"a": np.arange(10)})[:-1],
    "bytes of 4 exabytes": b"\x80\x04\x8e" + (2**62).to_bytes(8, "little") + b"abc.",
    "a byte array of 4 exabytes": b"\x80\x05\x96" + (2**62).to_bytes(8, "little") + b"abc.",
    "nothing but marks": b"(" * 200 + b".",
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_damaged_and_greedy_pickles_are_errors(data):
    with pytest.raises(CheckpointError, match=r"a.ckpt: is not a complete pickle of arrays"):
        read_pickle(data, "a.ckpt")


@pytest.mark.parametrize(
    "data", [b"\x80\x02]q\x00h\x00a.", b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."]
)
def test_lists_that_contain_themselves_or_are_very_deep(data):
    with pytest.raises(CheckpointError, match=r"a.ckpt: holds a container inside itself, or"):
        read_pickle(data, "a.ckpt")


def test_a_far_entry_in_the_memo_takes_no_memory():
    data = b"\x80\x02]r\xff\xff\xff\x7f."  # entry 2 billion: gigabytes in the C implementation
    assert read_pickle(data, "a.ckpt") == []


def test_an_array_takes_no_more_than_its_bytes():
    state = pickle.dumps(np.zeros(2, np.float32), 2)
    claimed = state.replace(b"K\x02\x85", b"J\xff\xff\xff\x7f\x85")  # two elements -> two billion
    assert claimed != state
    with pytest.raises(CheckpointError, match=r"shape \(2147483647,\) does not match its 8 bytes"):
        read_pickle(claimed, "a.ckpt")


def test_shared_containers_are_read_once():
    shared: list = [np.ones(1)]
    for _ in range(60):  # 2^60 leaves if every path were followed
        shared = [shared, shared]
    found = read_pickle(pickle.dumps(shared), "a.ckpt")
    assert found[0] is found[1]


def test_reads_arrays_and_strings_of_python_2(rng):
    array = rng.integers(0, 2**32, 300, dtype=np.uint32).view("<f4")  # every byte occurs
    found = read_pickle(program(b"}" + python2_text(b"caf\xe9") + python2_array(array) + b"s"), "a")
    assert list(found) == ["caf\xe9"]
    assert found["caf\xe9"].tobytes() == array.tobytes()
    text_of_protocol_0 = b"(dp0\nS'blobs'\np1\n(lp2\nI3\naF0.5\naL7L\nas."
    assert read_pickle(text_of_protocol_0, "a") == {"blobs": [3, 0.5, 7]}


def test_an_ordered_dict_loses_its_attributes():
    ordered = collections.OrderedDict(a=1)
    ordered._metadata = {"version": 2}  # pyright: ignore[reportAttributeAccessIssue]
    found = read_pickle(pickle.dumps(ordered), "a")
    assert found == {"a": 1}
    assert type(found) is dict


def test_keys_are_numbers_strings_and_tuples_of_them():
    tree = {"a": 1, 2: "b", 0.5: None, b"c": True, ("d", 3): [], None: 4}
    assert read_pickle(pickle.dumps(tree), "a") == tree
    for key in [(1, (2, 3)), np.float32(1)]:
        with pytest.raises(CheckpointError, match="keys are not numbers or strings"):
            read_pickle(pickle.dumps({key: 1}), "a")


def test_types_are_read_as_names():
    assert read_pickle(pickle.dumps({"dtype": np.dtype(">f4")}), "a") == {"dtype": ">f4"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (name("numpy", "ndarray") + b"}" + text("shape") + b"Nsb", "changes a _Constructor"),
        (
            call(name("numpy", "dtype"), text("f4")) + b"}" + number((1, "x")) + b"0b",
            "complete pickle",
        ),
        (call(name("numpy", "dtype"), text("f4")) + number((3, "x")) + b"b", "byte order 'x'"),
        (call(name("_codecs", "encode"), text("a"), text("rot13")), "encoding 'rot13'"),
        (number([1]) + text("a") + number(2) + b"s", "sets an item of a list"),
        (text("a") + b"Nb", "changes a str"),
        (b"(" + text("open") + text("file") + b"o", "calls a str"),
        (mapping(a=name("numpy", "ndarray")), "holds a _Constructor"),
    ],
)
def test_the_error_says_what_is_refused(body, message):
    with pytest.raises(CheckpointError, match=f"a.ckpt: .*{message}"):
        read_pickle(program(body), "a.ckpt")
