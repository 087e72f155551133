"""Malicious files: nothing is executed, and little memory is allocated."""

import os
import pickle
import random
import struct
import tracemalloc
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from assembler import (
    CONTAINERS,
    FORMATS,
    STORAGE,
    as_torch_zip,
    call,
    mapping,
    name,
    program,
    storage,
    tensor,
    text,
)
from etils import epath

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.formats.reading import read_checkpoint

GOLDEN = Path(__file__).parents[1] / "golden" / "checkpoints"


@pytest.fixture
def path(tmp_path):
    return epath.Path(tmp_path) / "weights.txt"


class Call:
    """An object that pickles as a function call."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def nested(function, *args):
    """A call of a function obtained from the builtins with getattr."""
    got = call(name("builtins", "getattr"), name("builtins", "object"), text(function))
    return program(call(got, *map(text, args)))


def dotted(*names):
    """A dotted name, which protocol 4 resolves attribute by attribute."""
    words = (b"\x8c" + bytes([len(word)]) + word.encode() for word in names)
    return b"\x80\x04" + b"".join(words) + b"\x93."


def hostile_programs(marker):
    """Pickles that would create the file ``marker``, or could lead to that, and the names used."""
    touch = f"__import__('pathlib').Path({str(marker)!r}).touch()"
    posix = os.system.__module__
    return {
        "system": (pickle.dumps(Call(os.system, f"touch {marker}")), f"{posix}.system"),
        "eval": (pickle.dumps(Call(eval, touch)), "builtins.eval"),
        "eval of Python 2": (program(call(name("__builtin__", "eval"), text(touch))), "eval"),
        "exec in depth": (pickle.dumps({"a": [Call(exec, touch)]}), "builtins.exec"),
        "getattr": (nested("__subclasses__"), "builtins.getattr"),
        "a dotted name": (dotted("builtins", "object.__class__"), "builtins.object.__class__"),
        "dotted through NumPy": (dotted("numpy", "ndarray.__class__"), "numpy.ndarray.__class__"),
        "import": (program(call(name("importlib", "import_module"), text("os"))), "importlib"),
        "instance": (b"(S'" + touch.encode() + b"'\ni__builtin__\neval\n.", "__builtin__.eval"),
        "object": (b"\x80\x02(c__builtin__\neval\n" + text(touch) + b"o.", "__builtin__.eval"),
        "new object": (program(name("subprocess", "Popen") + b"(t\x81"), "subprocess.Popen"),
        "NumPy's loader": (pickle.dumps(Call(np.load, "a.npy")), "load"),
        "torch.load": (program(call(name("torch", "load"), text("a"))), "torch.load"),
        "a bytes loader": (
            program(call(name("torch.storage", "_load_from_bytes"), b"U\1a")),
            "torch.storage._load_from_bytes",
        ),
        "a whole network": (
            program(name("torchvision.models.resnet", "ResNet") + b")\x81"),
            "torchvision.models.resnet.ResNet",
        ),
        "an extension": (b"\x80\x02\x82\x01.", "extension 1"),
        "a call of a string": (program(call(text("open"), text(str(marker)))), "calls a str"),
        "a call of a call": (
            program(call(call(name("collections", "OrderedDict")), text("a"))),
            "calls a dict",
        ),
        "a changed constructor": (
            program(name("collections", "OrderedDict") + b"}" + text("a") + b"Nsb"),
            "changes a _Constructor",
        ),
        "a set": (pickle.dumps({1, 2}), "set"),
    }


@pytest.mark.parametrize("wrap", CONTAINERS.values(), ids=CONTAINERS)
@pytest.mark.parametrize("kind", hostile_programs(""))
def test_nothing_is_executed(path, tmp_path, wrap, kind):
    marker = tmp_path / "executed"
    data, named = hostile_programs(marker)[kind]
    path.write_bytes(wrap(data))
    with pytest.raises(CheckpointError, match=rf"weights.txt: .*{named}"):
        read_checkpoint(path)
    assert not marker.exists()


@pytest.mark.parametrize("kind", ["system", "eval", "eval of Python 2", "exec in depth", "object"])
def test_the_hostile_programs_do_harm_when_unpickled(tmp_path, kind):
    marker = tmp_path / "executed"
    pickle.loads(hostile_programs(marker)[kind][0])
    assert marker.exists()


BIG = 2**62

GREEDY = {
    "LONG4": b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"abc.",
    "negative LONG4": b"\x80\x02\x8b" + struct.pack("<i", -5) + b"abc.",
    "BINBYTES8": b"\x80\x04\x8e" + struct.pack("<Q", BIG) + b"abc.",
    "BINUNICODE8": b"\x80\x04\x8d" + struct.pack("<Q", BIG) + b"abc.",
    "BYTEARRAY8": b"\x80\x05\x96" + struct.pack("<Q", BIG) + b"abc.",
    "BYTEARRAY8 of gigabytes": b"\x80\x05\x96" + struct.pack("<Q", 2**36) + b"abc.",
    "FRAME": b"\x80\x04\x95" + struct.pack("<Q", BIG) + b"abc.",
    "negative BINSTRING": b"\x80\x02T" + struct.pack("<i", -5) + b"abc.",
    "no memo": b"\x80\x02j\xff\xff\xff\x7f.",
    "a decimal number": b"L" + b"9" * 100_000 + b"L\n.",
    "marks": b"\x80\x02" + b"(" * 1000 + b".",
    "one string encoded over and over": program(
        text("a" * 100_000)
        + b"q\x01"
        + call(name("_codecs", "encode"), b"h\1", text("latin1")) * 900
    ),
    "one dict copied over and over": program(
        mapping(**{f"key{i}": b"N" for i in range(10_000)})
        + b"q\x01"
        + call(name("collections", "OrderedDict"), b"h\1") * 900
    ),
    "a key that takes forever to hash": program(b"Nq\x01" + b"h\1h\1\x86q\1" * 60 + b"0}h\1Ns"),
    "keys of pairs that take forever to hash": program(
        b"Nq\x01"
        + b"h\1h\1\x86q\1" * 60
        + b"0"
        + call(name("collections", "OrderedDict"), b"](h\1Nla")
    ),
    "a reference that takes forever to print": program(b"Nq\x01" + b"h\1h\1\x86q\1" * 60 + b"Q"),
}


@pytest.mark.parametrize("wrap", CONTAINERS.values(), ids=CONTAINERS)
@pytest.mark.parametrize("data", GREEDY.values(), ids=GREEDY)
def test_greedy_pickles_are_errors(path, wrap, data):
    path.write_bytes(wrap(data))
    tracemalloc.start()
    with pytest.raises(CheckpointError, match=r"weights.txt: "):
        read_checkpoint(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 26


WHOLE = program(mapping(a=tensor(storage())))


@pytest.mark.parametrize(
    "entry", ["../../x", "archive/../../x", "/etc/x", "\\x", "..\\x", "archive/data/../0"]
)
def test_archives_with_names_that_lead_out_of_them(tmp_path, entry):
    path = epath.Path(tmp_path) / "a" / "b" / "weights.txt"
    path.parent.mkdir(parents=True)
    before = set(tmp_path.rglob("*"))
    path.write_bytes(as_torch_zip(WHOLE))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry, b"x")
    with pytest.raises(CheckpointError, match="leads out of the archive"):
        read_checkpoint(path)
    assert set(tmp_path.rglob("*")) == before | {Path(path)}


def test_archives_with_a_duplicate_entry(path):
    path.write_bytes(as_torch_zip(WHOLE))
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("archive/data.pkl", WHOLE)
    with pytest.raises(CheckpointError, match="archive/data.pkl twice"):
        read_checkpoint(path)


@pytest.mark.parametrize("bomb", ["data/0", "data.pkl"])
def test_archives_that_grow(path, bomb):
    content = WHOLE + bytes(1 << 28)
    path.write_bytes(as_torch_zip(WHOLE, zipfile.ZIP_DEFLATED, **{bomb: content}))
    assert path.stat().length < 1 << 20
    with pytest.raises(CheckpointError, match="too much for a file of"):
        read_checkpoint(path)


def test_archives_that_lie_about_the_size_of_an_entry(path):
    path.write_bytes(as_torch_zip(WHOLE, zipfile.ZIP_DEFLATED, **{"data/0": bytes(1000)}))
    data = path.read_bytes()
    for size in (10, 2000, 2**31):
        path.unlink()
        path.write_bytes(data.replace(struct.pack("<I", 1000), struct.pack("<I", size)))
        with pytest.raises(CheckpointError):
            read_checkpoint(path)


def test_archives_that_claim_an_entry_is_empty(path):
    """A length of 0 means no limit to zlib, and 64 MB are a thousand times the file's size."""
    path.write_bytes(as_torch_zip(WHOLE, zipfile.ZIP_DEFLATED, **{"data/0": bytes(1 << 26)}))
    data = path.read_bytes().replace(struct.pack("<I", 1 << 26), bytes(4))
    path.unlink()
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match="data/0 does not have 0 bytes"):
            read_checkpoint(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["npz", "compressed npz", "torch zip"])
def test_archives_with_a_changed_byte(path, rng, kind):
    """Only the archive's checksums protect the bytes of the values."""
    arrays = {"a": rng.normal(size=(4, 6)).astype(np.float32)}
    data = as_torch_zip(WHOLE) if kind == "torch zip" else FORMATS[kind](arrays)
    values = {"npz": arrays["a"].tobytes(), "torch zip": STORAGE}.get(kind, data[60:100])
    first = data.index(values)
    for place in range(first, first + len(values)):
        damaged = bytearray(data)
        damaged[place] ^= 1
        path.unlink(missing_ok=True)
        path.write_bytes(bytes(damaged))
        with pytest.raises(CheckpointError, match="is damaged|is not a complete|does not have"):
            read_checkpoint(path)


def test_archives_with_a_changed_name(path):
    data = FORMATS["npz"]({"weight": np.ones(3)})
    for place in (data.index(b"weight.npy"), data.rindex(b"weight.npy")):
        path.unlink(missing_ok=True)
        path.write_bytes(data[:place] + b"height.npy" + data[place + 10 :])
        with pytest.raises(CheckpointError, match="not where the archive's directory says"):
            read_checkpoint(path)


def test_archives_whose_directory_swallows_an_entry(path):
    data = bytearray(FORMATS["npz"]({"a": np.ones(3), "b": np.ones(2)}))
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 1)
    data[first + 32] = len(data[second:]) - 22  # length of the first entry's comment
    path.write_bytes(bytes(data))
    with pytest.raises(CheckpointError, match="has 1 entries, not 2"):
        read_checkpoint(path)


def test_h5_that_refers_to_other_files(path, tmp_path):
    (tmp_path / "other.h5").write_bytes(FORMATS["h5"]({"a": np.ones(2)}))
    (tmp_path / "raw").write_bytes(bytes(8))
    layout = h5py.VirtualLayout((2,), "f8")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "a", (2,))
    for fill in (
        lambda file: file.update({"a": h5py.ExternalLink("other.h5", "/a")}),
        lambda file: file.update({"a": h5py.SoftLink("/b")}),
        lambda file: file.create_virtual_dataset("a", layout),
        lambda file: file.create_dataset("a", (2,), "f4", external=[("raw", 0, 8)]),
        lambda file: file.create_group("g").update({"a": file["g"]}),
        lambda file: file.update({"a": file["/"]}),
        lambda file: file.update({"a": np.dtype("f4")}),
    ):
        path.unlink(missing_ok=True)
        with h5py.File(path, "w") as file:
            fill(file)
        with pytest.raises(
            CheckpointError, match=r"another file|is a link|inside itself|not an arr"
        ):
            read_checkpoint(path)


def test_h5_of_other_things_and_without_end(path):
    for values, message in (
        ({"data": np.array([b"text"])}, "only numbers"),
        ({"data": np.zeros(2, "f4,i4")}, "only numbers"),
        ({"shape": (2**40,), "dtype": "f4", "chunks": (1024,)}, "too much for a file of"),
    ):
        path.unlink(missing_ok=True)
        with h5py.File(path, "w") as file:
            file.create_dataset("a", **values)
        with pytest.raises(CheckpointError, match=message):
            read_checkpoint(path)


@pytest.fixture
def every_format(rng):
    """A small complete file of every format."""
    arrays = {"a": rng.normal(size=(4, 6)).astype(np.float32), "b": np.arange(3)}
    golden = [*GOLDEN.glob("v*.pth"), GOLDEN / "torchscript.pth"]
    files = {file.name: file.read_bytes() for file in golden}
    return files | {kind: written(arrays) for kind, written in FORMATS.items()}


def test_truncated_files(every_format, tmp_path):
    for kind, data in every_format.items():
        ends = {*range(40), *range(0, len(data), 97), *range(len(data) - 40, len(data))}
        for end in ends:
            path = epath.Path(tmp_path) / f"{kind} {end}"
            path.write_bytes(data[:end])
            with pytest.raises(CheckpointError):
                read_checkpoint(path)


def test_damaged_files(every_format, tmp_path):
    # HDF5 is left out: the C library that reads it does not promise as much.
    chance = random.Random(0)
    for kind, data in every_format.items():
        for trial in range(0 if kind == "h5" else 150):
            damaged = bytearray(data)
            for _ in range(chance.randint(1, 4)):
                damaged[chance.randrange(len(data))] = chance.randrange(256)
            path = epath.Path(tmp_path) / f"{kind} {trial}"
            path.write_bytes(bytes(damaged))
            try:
                read_checkpoint(path)
            except CheckpointError:
                continue
