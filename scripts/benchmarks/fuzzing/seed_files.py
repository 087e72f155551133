"""Small intact files of the supported formats, always the same.

Images have 16x12 pixels, networks two small layers, tables a few rows; only LIVE's tables need a
value for each of its 982 images. PyTorch's files are assembled by hand, in the layout of its
``torch/serialization.py``.
"""

import io
import pickle
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping

import h5py
import numpy as np
import openpyxl
import scipy.io
from PIL import Image

_MOMENT = b"2026-01-01T00:00:00Z"
_PNG_SIGNATURE = 8
"""Bytes before the first chunk."""

_LEGACY_HEADER = (
    0x1950A86A20F9469CFC6C,
    1001,
    {"protocol_version": 1001, "little_endian": True},
)


def photograph() -> Image.Image:
    """An RGB image with gradients and noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:12, :16]
    slopes = np.stack([16 * x, 20 * y, 8 * x + 10 * y], -1)
    return Image.fromarray(np.clip(slopes + rng.normal(0, 8, (12, 16, 3)), 0, 255).astype(np.uint8))


def image(kind: str, mode: str = "RGB", **options: object) -> bytes:
    """The photograph as a file of one of Pillow's formats, saved with ``options``."""
    file = io.BytesIO()
    photograph().convert(mode).save(file, kind, **options)
    return file.getvalue()


def exif() -> bytes:
    """Metadata of a camera, including that it was held sideways."""
    tags = Image.Exif()
    tags[0x0112] = 6
    tags[0x010F] = "A maker of cameras"
    tags[0x011A] = 72.0
    tags.get_ifd(0x8769).update({0x9003: "2026:01:01 00:00:00", 0x829A: 0.01})
    tags.get_ifd(0x8825).update({1: "N", 2: (46.0, 57.0, 0.5)})
    return tags.tobytes()


def network() -> dict[str, np.ndarray]:
    """The arrays of a convolution and a linear layer, ``float32``, by their names in PyTorch."""
    rng = np.random.default_rng(0)
    shapes = {"conv.weight": (3, 2, 2, 2), "conv.bias": (3,), "fc.weight": (2, 3), "fc.bias": (2,)}
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def pth(arrays: Mapping[str, np.ndarray]) -> bytes:
    """A state dict as PyTorch saves it since 1.6."""
    storages = {f"archive/data/{key}": a.tobytes() for key, a in enumerate(arrays.values())}
    ends = {"archive/byteorder": b"little", **storages, "archive/version": b"3\n"}
    return zipped({"archive/data.pkl": _state_dict(arrays), **ends})


def legacy_pth(arrays: Mapping[str, np.ndarray]) -> bytes:
    """A state dict as PyTorch saved it before 1.6."""
    keys = [str(key) for key in range(len(arrays))]
    storages = (struct.pack("<q", array.size) + array.tobytes() for array in arrays.values())
    header = (pickle.dumps(part, 2) for part in _LEGACY_HEADER)
    return b"".join((*header, _state_dict(arrays, None), pickle.dumps(keys, 2), *storages))


def npy(array: np.ndarray) -> bytes:
    """An array as NumPy saves it."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(arrays: Mapping[str, np.ndarray], *, compressed: bool = False) -> bytes:
    """Arrays as NumPy saves them."""
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **arrays)  # pyright: ignore[reportArgumentType]
    return file.getvalue()


def hdf5(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays as Keras saves them: a group for each layer."""
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        root.attrs["backend"] = b"tensorflow"
        for name, array in arrays.items():
            root.create_dataset(name.replace(".", "/"), data=array)
    return file.getvalue()


def mat(variables: Mapping[str, np.ndarray]) -> bytes:
    """Variables as MATLAB saves them without compression."""
    file = io.BytesIO()
    scipy.io.savemat(file, variables)
    data = file.getvalue()
    return b"MATLAB 5.0 MAT-file".ljust(116) + data[116:]  # in place of the time of writing


def xlsx(sheet: str, rows: list[tuple]) -> bytes:
    """A workbook whose second sheet is a table that does not start in the corner."""
    workbook = openpyxl.Workbook()
    cells = workbook.create_sheet(sheet)
    for row_number, row in enumerate(rows, 4):
        for column_number, cell in enumerate(row, 4):
            cells.cell(row_number, column_number, cell)
    file = io.BytesIO()
    workbook.save(file)
    with zipfile.ZipFile(file) as archive:
        entries = {
            name: re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", _MOMENT, archive.read(name))
            for name in archive.namelist()
        }
    return zipped(entries, zipfile.ZIP_DEFLATED)


def csv(rows: list[tuple]) -> bytes:
    """A table of comma-separated values."""
    return "".join(",".join(map(str, row)) + "\n" for row in rows).encode()


def zipped(entries: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip file without times."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in entries.items():
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return file.getvalue()


def with_png_checksums(data: bytes) -> bytes:
    """A PNG with corrected checksums of all chunks, as far as they can be followed."""
    sealed, start = bytearray(data), _PNG_SIGNATURE
    while (end := start + 8 + int.from_bytes(data[start : start + 4], "big")) + 4 <= len(data):
        sealed[end : end + 4] = zlib.crc32(data[start + 4 : end]).to_bytes(4, "big")
        start = end + 4
    return bytes(sealed)


def _state_dict(arrays: Mapping[str, np.ndarray], *view: None) -> bytes:
    """The pickle: tensors, each covering a whole storage that is kept elsewhere."""
    items = (
        _pickled(name) + _tensor(str(key), array, view)
        for key, (name, array) in enumerate(arrays.items())
    )
    ordered = _call("collections", "OrderedDict")
    return b"\x80\x02" + ordered + b"(" + b"".join(items) + b"u."


def _tensor(key: str, array: np.ndarray, view: tuple[None, ...]) -> bytes:
    storage = b"(%s%s%stQ" % (
        _pickled("storage"),
        _name("torch", "FloatStorage"),
        b"".join(map(_pickled, (key, "cpu", array.size, *view))),
    )
    strides = tuple(stride // array.itemsize for stride in array.strides)
    rest = map(_pickled, (0, array.shape, strides, False))
    hooks = _call("collections", "OrderedDict")
    return _call("torch._utils", "_rebuild_tensor_v2", storage, *rest, hooks)


def _call(module: str, name: str, *arguments: bytes) -> bytes:
    return _name(module, name) + b"(" + b"".join(arguments) + b"tR"


def _name(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def _pickled(value: object) -> bytes:
    return pickle.dumps(value, 2).removeprefix(b"\x80\x02").removesuffix(b".")
