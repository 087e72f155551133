"""Small files of every format that readers meet, and pickles put together by hand."""

import io
import pickle
import struct
import zipfile

import h5py
import numpy as np
import safetensors.numpy

from iqa_jax.weights.conversion import flatten

MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
STORAGE = bytes(range(48))  # of the one storage "0": 12 floats
LEGACY_STORAGE = struct.pack("<q", 12) + STORAGE


def text(value):
    return pickle.BINUNICODE + struct.pack("<I", len(value)) + value.encode()


def python2_text(value):
    """A str of Python 2: bytes without an encoding."""
    return pickle.BINSTRING + struct.pack("<i", len(value)) + value


def number(value):
    return pickle.dumps(value, 2)[2:-1]


def name(module, attribute):
    return f"c{module}\n{attribute}\n".encode()


def many(*items):
    """A tuple."""
    return b"(" + b"".join(items) + b"t"


def call(function, *args):
    return function + many(*args) + b"R"


def mapping(**items):
    return b"}(" + b"".join(text(key) + value for key, value in items.items()) + b"u"


def python2_array(content):
    """What Python 2 wrote for an array; for bytes, an array of no axes around that object."""
    is_array = isinstance(content, np.ndarray)
    dtype = call(name("numpy", "dtype"), python2_text(b"f4" if is_array else b"O8"), b"K\0", b"K\1")
    order = python2_text(b"<" if is_array else b"|")
    dtype += b"(K\3" + order + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
    empty = call(
        name("numpy.core.multiarray", "_reconstruct"),
        name("numpy", "ndarray"),
        number((0,)),
        python2_text(b"b"),
    )
    shape = number(content.shape if is_array else ())
    values = python2_text(content.tobytes()) if is_array else b"](" + content + b"e"
    return empty + b"(K\1" + shape + dtype + b"\x89" + values + b"tb"


def program(body):
    return b"\x80\x02" + body + b"."


def storage(count=12, key="0", kind="FloatStorage", view=b"", module="torch"):
    """A reference to a storage."""
    parts = text("storage"), name(module, kind), text(key), text("cpu"), number(count), view
    return many(*parts) + pickle.BINPERSID


def tensor(elements, offset=0, shape=(3,), strides=(1,)):
    rest = (number(item) for item in (offset, shape, strides, False))
    hooks = call(name("collections", "OrderedDict"))
    return call(name("torch._utils", "_rebuild_tensor_v2"), elements, *rest, hooks)


def as_pickle(data):
    return data


def as_torch_zip(data, compression=zipfile.ZIP_STORED, **others):
    """Others: further entries below archive/."""
    entries = {"data.pkl": data, "byteorder": b"little", "data/0": STORAGE, "version": b"3\n"}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for entry, content in {**entries, **others}.items():
            archive.writestr(f"archive/{entry}", content)
    return file.getvalue()


def as_torchscript(data):
    return as_torch_zip(data, **{"constants.pkl": b"\x80\x02).", "code/__torch__.py": b"1 / 0"})


def as_torch_legacy(data, keys=("0",), storages=LEGACY_STORAGE):
    header = MAGIC + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)
    return header + data + pickle.dumps(list(keys), 2) + storages


def as_npy(data):
    file = io.BytesIO()
    header = {"descr": "|O", "fortran_order": False, "shape": ()}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + data


def as_npz(data):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("weights.npy", as_npy(data))
    return file.getvalue()


CONTAINERS = {
    "pickle": as_pickle,
    "torch zip": as_torch_zip,
    "torchscript": as_torchscript,
    "torch legacy": as_torch_legacy,
    "npy": as_npy,
    "npz": as_npz,
}
"""What wraps a pickle into a file of each format that has one."""


def to_bytes(write, *args, **kwargs):
    """What a function writes that takes a file."""
    file = io.BytesIO()
    write(file, *args, **kwargs)
    return file.getvalue()


def write_h5(file, tree):
    with h5py.File(file, "w") as group:
        for key, array in flatten(tree):
            group.create_dataset(key.replace(".", "/"), data=array)


FORMATS = {
    "npz": lambda arrays: to_bytes(np.savez, **arrays),
    "compressed npz": lambda arrays: to_bytes(np.savez_compressed, **arrays),
    "npy of a dict": lambda arrays: to_bytes(np.save, np.array(arrays, object)),
    "pickle": pickle.dumps,
    "pickle as text": lambda arrays: pickle.dumps(arrays, 0),
    "h5": lambda arrays: to_bytes(write_h5, arrays),
    "safetensors": safetensors.numpy.save,
}
"""From a dict of arrays to a file of each format that is not PyTorch's."""
