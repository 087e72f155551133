"""Datasets that ``iqa build`` stored, read back through TFDS without TensorFlow."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import tensorflow_datasets as tfds
from etils import epath

from iqa_jax.datasets.table import PairTable
from iqa_jax.datasets.tfds.records import (
    BUILDER,
    FEATURES_FILE,
    FILE_FORMAT,
    IMAGES,
    PAIRS,
    VERSION,
    config_name,
    features_config,
    images_of,
    pair_of,
    table_of,
    table_sha256,
)
from iqa_jax.datasets.tfds.stored_pixels import reading, with_stored_pixels
from iqa_jax.errors import DatasetError, ImageError, MissingImageError
from iqa_jax.images.decode import Header
from iqa_jax.images.sources import ImageSource

_NOT_OURS = "is not a dataset that iqa build stored"
_REBUILD = "rebuild it from the dataset's own files"

_CLASS = re.compile(r'"(?:pythonClassName|python_class_name|type)"\s*:\s*"([^"]*)"')


@dataclass(frozen=True)
class StoredImages(ImageSource):
    """Encoded images in ArrayRecord files; any number of threads may read them, in any order.

    Attributes:
      folder: Folder of the files.
      records: Records of the split ``images``.
      index: Position among these, and header, of each image by name.
    """

    folder: epath.Path
    records: Sequence[Mapping[str, Any]]
    index: Mapping[str, tuple[int, Header]]

    def read(self, name: str) -> bytes:
        """Encoded bytes of the image ``name``, as they were in the dataset's folder.

        Raises:
          ImageError: If there is no such image, or the files are damaged or belong to another
            build.
        """
        position, header = self._find(name)
        with reading(ImageError, name):
            record = self.records[position]
            stored, data = record["name"].decode(), record["image"]
        if stored != name or not header.is_of(data):
            raise ImageError(f"{name}: its place in {self.folder} holds another image")
        return data

    def header(self, name: str, *, checksum: bool = True) -> Header:
        """Header of the image ``name``, recorded when the dataset was built.

        Raises:
          ImageError: If there is no such image.
        """
        return self._find(name)[1]

    def _find(self, name: str) -> tuple[int, Header]:
        if name not in self.index:
            raise MissingImageError(f"{name}: there is no such image in {self.folder}")
        return self.index[name]


@dataclass(frozen=True)
class Stored:
    """A stored dataset.

    Attributes:
      known: Facts about the table; see ``records.facts``.
      images: Records of the split ``images``.
      pairs: Records of the split ``pairs``, in the order of the table.
    """

    known: Mapping[str, Any]
    images: Sequence[Mapping[str, Any]]
    pairs: Sequence[Mapping[str, Any]]


def load_tfds(dataset: str, tfds_dir: epath.PathLike) -> PairTable:
    """Reads the table of a stored dataset; its images are read from the ArrayRecord files.

    Where decoded pixels are stored as well, they are read in place of being decoded. The table
    equals that of the folder it was built from, row by row and to the last bit; only
    ``images`` is another source of the same files.

    Args:
      dataset: Key of ``DATASETS``.
      tfds_dir: Folder given to ``iqa build``.

    Raises:
      DatasetError: If the stored dataset is missing, damaged or of another version.
    """
    folder = dataset_folder(dataset, tfds_dir)
    if not folder.is_dir():
        raise DatasetError(_what_is_there(dataset, epath.Path(tfds_dir)))
    stored = open_stored(folder)
    if stored.known["dataset"] != dataset:
        found = stored.known["dataset"]
        raise DatasetError(f"{folder}: expected the dataset {dataset}, found {found}")
    pairs, index = [], {}
    for position in range(len(stored.pairs)):
        with reading(DatasetError, f"{folder}: row {position + 1}"):
            record = stored.pairs[position]
            pairs.append(pair_of(record))
            index.update(images_of(record))
    headers = {name: header for name, (_, header) in index.items()}
    if table_sha256(stored.known, pairs, headers) != stored.known["sha256"]:
        raise DatasetError(f"{folder}: is damaged: its rows are not those that were stored")
    table = table_of(stored.known, pairs, StoredImages(folder, stored.images, index))
    positions = {name: position for name, (position, _) in index.items()}
    return replace(table, images=with_stored_pixels(table.images, folder, positions))


def dataset_folder(dataset: str, tfds_dir: epath.PathLike) -> epath.Path:
    """Folder in which a dataset is stored.

    Raises:
      DatasetError: If ``tfds_dir`` is in a bucket, where ArrayRecord files cannot be opened.
    """
    if "://" in os.fspath(tfds_dir):
        raise DatasetError(
            f"tfds_dir: expected a folder of the file system, found {tfds_dir}; ArrayRecord files "
            "cannot be opened in a bucket: mount it (gcsfuse), or copy the folder"
        )
    return epath.Path(tfds_dir).expanduser() / BUILDER / config_name(dataset) / VERSION


def open_stored(folder: epath.Path) -> Stored:
    """Opens the stored dataset in a folder; no record is read yet.

    Raises:
      DatasetError: If files are missing, or are not those of a stored dataset.
    """
    try:
        _check_features(folder)
        _check_info(folder)
        builder: Any = tfds.builder_from_directory(folder)
        known = dict(builder.info.metadata.items())
        files = [path for split in (IMAGES, PAIRS) for path in builder.info.splits[split].filepaths]
    except DatasetError:
        raise
    except Exception as error:  # TFDS raises errors of many types
        raise DatasetError(f"{folder}: {_NOT_OURS} ({error})") from error
    if "sha256" not in known:
        raise DatasetError(f"{folder}: {_NOT_OURS}")
    missing = [file.name for file in files if not file.exists()]
    if missing:
        raise DatasetError(
            f"{folder}: is incomplete: there is no {', '.join(missing)}; delete the folder and "
            "rebuild the dataset"
        )
    sources = builder.as_data_source([IMAGES, PAIRS])
    return Stored(known, *sources)


def _check_features(folder: epath.Path) -> None:
    """Rejects fields other than ours: TFDS would import whatever module the file names."""
    text = (folder / FEATURES_FILE).read_text()
    expected = features_config()
    if json.loads(text) != json.loads(expected):
        strange = sorted(set(_CLASS.findall(text)) - set(_CLASS.findall(expected)))
        found = f"classes {', '.join(strange)}" if strange else "other fields"
        raise DatasetError(
            f"{folder}: {_NOT_OURS}: expected the fields of version {VERSION} in {FEATURES_FILE}, "
            f"found {found}; {_REBUILD}"
        )


def _check_info(folder: epath.Path) -> None:
    """Rejects a description that would lead TFDS to other readers, or to files elsewhere."""
    core: Any = tfds.core
    info = core.dataset_info.read_proto_from_builder_dir(folder)
    found = {
        "name": info.name,
        "version": info.version,
        "file format": info.file_format,
        "other file formats": list(info.alternative_file_formats),
        "fields": info.HasField("features"),
        "splits": sorted((split.name, split.filepath_template) for split in info.splits),
    }
    template = core.naming.DEFAULT_FILENAME_TEMPLATE
    expected = {
        "name": BUILDER,
        "version": VERSION,
        "file format": FILE_FORMAT,
        "other file formats": [],
        "fields": False,
        "splits": [(split, template) for split in (IMAGES, PAIRS)],
    }
    for what, value in expected.items():
        if found[what] != value:
            raise DatasetError(
                f"{folder}: {_NOT_OURS}: expected the {what} in dataset_info.json to be {value}, "
                f"found {found[what]}; {_REBUILD}"
            )


def _what_is_there(dataset: str, tfds_dir: epath.Path) -> str:
    """Message for a folder that does not hold a dataset, with the datasets that it does hold."""
    folders = sorted((tfds_dir.expanduser() / BUILDER).glob("*/*/dataset_info.json"))
    stored = [f"{path.parent.parent.name} {path.parent.name}" for path in folders]
    return (
        f"{tfds_dir}: expected {config_name(dataset)} {VERSION} in it, found "
        f"{', '.join(stored) or 'no stored dataset'}; build it with: "
        f"iqa build --dataset={dataset} --data_dir=... --tfds_dir={tfds_dir}"
    )
