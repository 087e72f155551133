"""The supported formats: for each a small intact file and the package's own reader."""

import io
import pickle
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from etils import epath
from PIL import features

from fuzzing import seed_files
from iqa_jax.datasets import inspect, load_dataset, pair_lists
from iqa_jax.datasets.adapters import bapps, csiq, live, tid
from iqa_jax.datasets.inspection import read_headers
from iqa_jax.datasets.joined import read_joined_scores
from iqa_jax.datasets.table import Pair
from iqa_jax.errors import ImageError
from iqa_jax.images.sources import ImageFolder
from iqa_jax.weights.formats.reading import read_checkpoint

Read = Callable[[epath.Path], Any]


@dataclass(frozen=True)
class Format:
    """A file of a format, and its reader.

    Attributes:
      name: Name of the file, relative to the folder with everything its reader needs.
      files: Contents of the file and of others in the folder, by name.
      read: Reads the file at a path; returns numbers, texts, arrays and containers of them.
    """

    name: str
    files: Mapping[str, bytes]
    read: Read

    @property
    def data(self) -> bytes:
        """The contents of the file."""
        return self.files[self.name]

    def write(self, folder: Path) -> Path:
        """Writes all files and returns the path of the one to read."""
        for name, data in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return folder / self.name


def _image(path: epath.Path) -> np.ndarray:
    """Reads the header and then the pixels, which have to agree, as in ``engine.feed``."""
    images = ImageFolder(path.parent)
    header, pixels = images.header(path.name), images.pixels(path.name)
    if pixels.shape[:2] != (header.height, header.width):
        raise ImageError(f"{path}: is {pixels.shape[:2]}, the header said {header}")
    return pixels


def _csv(path: epath.Path) -> list[Pair]:
    table, _ = inspect(load_dataset("csv", data_dir=path))
    return [*table.pairs]


def _pairs(path: epath.Path) -> tuple:
    table = pair_lists.from_csv(path)
    return [*table.pairs], {
        name: str(found) for name, found in read_headers(table.images, table.image_names).items()
    }


def _joined_scores(path: epath.Path) -> dict[str, np.ndarray]:
    return read_joined_scores(path, load_dataset("csv", data_dir=path.parent / "pairs.csv"))


def _rows(load: Callable[[epath.Path], Any]) -> Read:
    """Reads a dataset from the folder of its table."""
    return lambda path: [*load(path.parent).pairs]


def _single(name: str, data: bytes, read: Read) -> Format:
    return Format(name, {name: data}, read)


def _sealed(form: Format, data: bytes, seal: Callable[[bytes], bytes]) -> Format:
    """A format's file as an attacker would write it: the checksums match the change.

    Args:
      form: The format.
      data: Bytes to change.
      seal: Makes the whole file from the bytes.
    """

    def read(path: epath.Path) -> Any:
        whole = path.parent / form.name
        whole.unlink(missing_ok=True)  # it may still be mapped
        whole.write_bytes(seal(path.read_bytes()))
        return form.read(whole)

    return Format("unsealed", {**form.files, "unsealed": data}, read)


def _sealed_entry(form: Format, name: str) -> Format:
    """A format in which an entry of a zip file is changed."""
    with zipfile.ZipFile(io.BytesIO(form.data)) as archive:
        entries = {entry: archive.read(entry) for entry in archive.namelist()}
    return _sealed(form, entries[name], lambda data: seed_files.zipped({**entries, name: data}))


def _images() -> dict[str, Format]:
    exif = seed_files.exif()
    files = {
        "png": seed_files.image("PNG", exif=exif),
        "jpeg": seed_files.image("JPEG", exif=exif),
        "bmp": seed_files.image("BMP"),
        "gif": seed_files.image("GIF", "P"),
        "tiff": seed_files.image("TIFF"),
        "tiff-lzw": seed_files.image("TIFF", compression="tiff_lzw"),
        "ppm": seed_files.image("PPM"),
    }
    if features.check("webp"):
        files["webp"] = seed_files.image("WEBP", exif=exif)
    if features.check("avif"):
        files["avif"] = seed_files.image("AVIF", exif=exif)
    if features.check("jpg_2000"):
        files["jpeg2000"] = seed_files.image("JPEG2000")
    return {kind: _single(f"image.{kind}", data, _image) for kind, data in files.items()}


def _checkpoints() -> dict[str, Format]:
    arrays = seed_files.network()
    files = {
        "pth": seed_files.pth(arrays),
        "pth-legacy": seed_files.legacy_pth(arrays),
        "pickle": pickle.dumps(arrays, 2),
        "npz": seed_files.npz(arrays),
        "npz-deflated": seed_files.npz(arrays, compressed=True),
        "npy": seed_files.npy(arrays["conv.weight"]),
        "h5": seed_files.hdf5(arrays),
        "safetensors": safetensors.numpy.save(arrays),
    }
    return {kind: _single("weights", data, read_checkpoint) for kind, data in files.items()}


def _tables() -> dict[str, Format]:
    png = seed_files.image("PNG")
    versions = [f"a_{level}.png" for level in (1, 2, 3)]
    images = dict.fromkeys(("a.png", *versions), png)
    pairs = seed_files.csv(
        [
            ("reference", "distorted", "score", "distortion", "level", "reference_id"),
            *(("a.png", name, 5.5 - n, "noise", n, "a") for n, name in enumerate(versions)),
        ]
    )
    scores = seed_files.csv(
        [("distorted", "theirs", "other"), *((name, 0.125, 2.5e-3) for name in versions)]
    )
    return {
        "mat": _live(live.REALIGNED),
        "mat-cells": _live(live.REFERENCE_NAMES),
        "npy-bapps": _bapps(),
        "xlsx": _csiq(),
        "txt": _tid(),
        "csv": Format("pairs.csv", {**images, "pairs.csv": pairs}, _csv),
        "csv-pairs": Format("pairs.csv", {**images, "pairs.csv": pairs}, _pairs),
        "csv-scores": Format(
            "scores.csv", {"pairs.csv": pairs, "scores.csv": scores}, _joined_scores
        ),
    }


def _live(name: str) -> Format:
    count = sum(count for _, count, _ in live.FOLDERS)
    references = np.full((1, count), "rapids.bmp", object)
    values = (np.arange(count) % 100).astype(np.uint8)[None]
    scores = {"dmos_new": values, "dmos_std": values // 10, "orgs": values % 2}
    files = {
        live.REALIGNED: seed_files.mat(scores),
        live.REFERENCE_NAMES: seed_files.mat({"refnames_all": references}),
        f"{live.REFERENCES}/rapids.bmp": b"",
    }
    images = (f"{folder}/img1.bmp" for folder, _, _ in live.FOLDERS)  # no file is looked at
    return Format(name, dict.fromkeys(images, b"") | files, _rows(live.load))


def _csiq() -> Format:
    header = ("image", "dst_idx", "dst_type", "dst_lev", "dmos_std", "dmos")
    rows = [(1600, 1, "noise", n, 0.1, n / 8) for n in (1, 2)] + [("trolley", 5, "jpeg", 3, 0.2, 1)]
    images = (
        *("src_imgs/1600.png", "src_imgs/trolley.png", "dst_imgs/jpeg/trolley.JPEG.3.png"),
        *("dst_imgs/awgn/1600.AWGN.1.png", "dst_imgs/awgn/1600.AWGN.2.png"),
    )
    files = {csiq.WORKBOOK: seed_files.xlsx(csiq.SHEET, [header, *rows])}
    return Format(csiq.WORKBOOK, dict.fromkeys(images, b"") | files, _rows(csiq.load))


def _tid() -> Format:
    names = [f"I01_{kind:02}_{level}.bmp" for kind in (1, 2) for level in (1, 2, 3)]
    table = "".join(f"{5.5 - n / 4} {name}\n" for n, name in enumerate(names)).encode()
    images = ("reference_images/I01.BMP", *(f"distorted_images/{name}" for name in names))
    files = dict.fromkeys(images, b"") | {"mos_with_names.txt": table}
    return Format("mos_with_names.txt", files, _rows(tid.load_tid2013))


def _bapps() -> Format:
    subset = "2afc/val/cnn"
    name = f"{subset}/judge/000000.npy"
    images = (f"{subset}/{shown}/000000.png" for shown in ("ref", "p0", "p1"))
    files = dict.fromkeys(images, b"") | {name: seed_files.npy(np.array([0.75], np.float32))}
    return Format(name, files, lambda path: [*bapps.load_2afc(path.parents[4]).pairs])


_WHOLE = _images() | _checkpoints() | _tables()

FORMATS: Mapping[str, Format] = {
    **_WHOLE,
    "png-sealed": _sealed(_WHOLE["png"], _WHOLE["png"].data, seed_files.with_png_checksums),
    "pth-sealed": _sealed_entry(_WHOLE["pth"], "archive/data.pkl"),
    "npz-sealed": _sealed_entry(_WHOLE["npz"], "conv.weight.npy"),
    "xlsx-sealed": _sealed_entry(_WHOLE["xlsx"], "xl/worksheets/sheet2.xml"),
}
"""Formats by name."""
