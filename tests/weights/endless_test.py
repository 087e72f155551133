"""Small files that would take forever, or all memory, if every path through them were followed."""

import io
import itertools
import signal
import zipfile

import h5py
import numpy as np
import pytest
from assembler import (
    CONTAINERS,
    as_npy,
    as_torch_legacy,
    call,
    many,
    mapping,
    name,
    number,
    program,
    python2_array,
    text,
    to_bytes,
)
from etils import epath

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.conversion import convert, flatten
from iqa_jax.weights.formats import pickle_machine
from iqa_jax.weights.formats.reading import read_checkpoint, unwrap

_SECONDS = 10
"""Each file takes far less, and without the limits would take far more."""


@pytest.fixture(autouse=True)
def nothing_takes_for_ever():
    def fail(*_):
        pytest.fail(f"takes more than {_SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def arrays_of(tmp_path):
    """The arrays that a conversion reads from a file, before it considers any network."""

    def read(data):
        path = epath.Path(tmp_path) / "a.weights"
        path.write_bytes(data)
        return convert(dict(flatten(unwrap(read_checkpoint(path)))), {})

    return read


GET, PUT = b"h\1", b"q\1"


def doubled(pair, first=b"N"):
    """A container of twice the previous one, sixty levels deep."""
    return first + PUT + b"0" + 60 * (pair + PUT + b"0") + GET


_DICTS = doubled(b"}(" + text("a") + GET + text("b") + GET + b"u")
_LISTS = doubled(b"](" + GET + GET + b"e", number(1.5))
_TUPLES = doubled(GET + GET + b"\x86")
_MANY = [number(i) + b"N\x86" for i in range(3000)]

ENDLESS = {
    "dicts that are shared": (program(_DICTS), "holds more than 100000 names"),
    "lists that are shared": (program(mapping(a=_LISTS)), "a is a list, expected an array"),
    "a tuple copied into a dict over and over": (
        program(
            many(many(*_MANY) + PUT + b"0", *[call(name("collections", "OrderedDict"), GET)] * 9000)
        ),
        "a copy of a container takes",
    ),
    "many arguments over and over": (
        program(many(*_MANY) + PUT + (name("numpy", "ndarray") + GET + b"R") * 9000),
        "calls something with 3000 arguments",
    ),
    "a long name over and over": (
        program(b"N" + PUT + b"0" + 50 * (b"}" + text("a" * 900) + GET + b"s" + PUT + b"0") + GET),
        "holds a name of 18.. characters",
    ),
    "keys with the same hash": (
        program(b"}(" + b"".join(number(i * (2**61 - 1)) + b"N" for i in range(1, 9000)) + b"u"),
        "keys are too large",
    ),
}


WRAPS = {**CONTAINERS, "torch legacy": lambda data: as_torch_legacy(data, (), b"")}


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
@pytest.mark.parametrize(("data", "message"), ENDLESS.values(), ids=ENDLESS)
def test_pickles(arrays_of, wrap, data, message):
    with pytest.raises(CheckpointError, match=message) as raised:
        arrays_of(wrap(data))
    assert "\n" not in str(raised.value)


def test_a_key_that_would_take_forever_to_hash_once_resolved(arrays_of):
    key = python2_array(_TUPLES)
    with pytest.raises(CheckpointError, match="keys are not numbers or strings"):
        arrays_of(as_npy(program(b"}" + key + b"Ns")))


def test_arrays_around_one_list_share_it(tmp_path):
    path = epath.Path(tmp_path) / "a.npy"
    shared = b"](" + b"N" * 100 + b"e" + PUT + b"0"
    path.write_bytes(as_npy(program(shared + b"](" + python2_array(GET) * 3 + b"e")))
    first, second, third = read_checkpoint(path)
    assert first is second is third


def test_a_pickle_of_too_many_instructions(arrays_of, monkeypatch):
    monkeypatch.setattr(pickle_machine, "_MOST_STEPS", 1000)
    with pytest.raises(CheckpointError, match="a pickle of more than 1000 instructions"):
        arrays_of(program(b"N0" * 600 + b"}"))
    assert not arrays_of(program(b"N0" * 400 + b"}"))


def h5(fill):
    file = io.BytesIO()
    with h5py.File(file, "w", libver="latest") as root:
        fill(root)
    return file.getvalue()


def _groups_that_are_shared(root):
    groups = [root.create_group(f"g{level}") for level in range(60)]
    for group, inner in itertools.pairwise(groups):
        group["left"] = group["right"] = inner
    groups[-1]["a"] = np.ones(2)


def _deep_groups(root):
    root.create_group("/".join("g" * 300))


def _tiny_chunks(root):
    root.create_dataset("a", (15_000_000,), "u1", chunks=(1,))


def _a_huge_chunk(root):
    options = {"chunks": (1 << 28,), "maxshape": (None,), "compression": "gzip"}
    root.create_dataset("a", (1,), "u1", **options)


def _a_huge_shape(root):
    root.create_dataset("a", (2**47, 2**47), "f4", chunks=(64, 64))


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        (_groups_that_are_shared, "holds more than 100000 names"),
        (_deep_groups, "holds groups nested more than 100 deep"),
        (_tiny_chunks, "too much for a file of"),
        (_a_huge_chunk, "too much for a file of"),
        (_a_huge_shape, "too much for a file of"),
    ],
)
def test_h5(arrays_of, fill, message):
    with pytest.raises(CheckpointError, match=message) as raised:
        arrays_of(h5(fill))
    assert "\n" not in str(raised.value)


def test_h5_reads_an_object_with_several_names_once(tmp_path):
    path = epath.Path(tmp_path) / "a.h5"

    def fill(root):
        root["a/x"] = np.arange(3)
        root["b"] = root["a"]
        root["c"] = root["a/x"]

    path.write_bytes(h5(fill))
    found = read_checkpoint(path)
    assert found["a"] is found["b"]
    assert found["a"]["x"] is found["c"]


def test_archives_whose_entries_overlap(arrays_of):
    """Many names for the same bytes would each be read and checked."""
    array = to_bytes(np.save, np.zeros(1000))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("00.npy", array)
        first = archive.infolist()[0]
        for index in range(1, 40):
            entry = zipfile.ZipInfo(f"{index:02}.npy")
            entry.header_offset, entry.CRC = first.header_offset, first.CRC
            entry.file_size = entry.compress_size = len(array)
            archive.filelist.append(entry)
            archive.NameToInfo[entry.filename] = entry
        archive._didModify = True
    with pytest.raises(CheckpointError, match="has entries of 325120 bytes in"):
        arrays_of(file.getvalue())


def test_thousands_of_arrays_pass(arrays_of):
    count = 5000
    body = b"".join(text(f"layer{i}.running_mean") + b"K\1" for i in range(count))
    with pytest.raises(CheckpointError, match=rf"and {count - 100} more$"):
        arrays_of(program(b"}(" + body + b"u"))
