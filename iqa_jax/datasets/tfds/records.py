"""Contents of a stored dataset: the format of its TFDS records, and the facts about its table.

All splits of a TFDS dataset have the same record format. In the split ``images`` each record holds
the ``name`` and encoded file of one image; in the split ``pairs`` each is a row of the pair table,
which finds its two images by their positions in ``images``. Fields of the other split are absent:
None, or NaN for the scores.

TFDS stores floating-point numbers in 32 bits; the scores are stored as the bytes of their 64.
"""

import functools
import hashlib
import math
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from etils import epath

from iqa_jax.datasets.records import pair_from, table_from, table_record
from iqa_jax.datasets.table import Pair, PairTable, fingerprint
from iqa_jax.errors import DatasetError
from iqa_jax.images.blocks import BlockImages
from iqa_jax.images.checked import CheckedImages
from iqa_jax.images.decode import Header
from iqa_jax.images.sources import ImageFolder, ImageSource

BUILDER = "image_quality"
FEATURES_FILE = "features.json"
FILE_FORMAT = "array_record"
VERSION = "1.2.0"
IMAGES = "images"
PAIRS = "pairs"

_TEXTS_OF_IMAGES = {
    "name": "images: name of the image in the dataset's folder",
    "image": "images: the encoded file, as it was found",
}
_TEXTS_OF_PAIRS = {
    "reference": "pairs: name of the reference image",
    "distorted": "pairs: name of the distorted image",
    "distortion": "pairs: type of the distortion",
    "level": "pairs: strength of the distortion, counted within its type",
    "reference_id": "pairs: what the reference shows",
}
_INTEGERS = {
    "reference_record": "pairs: position of the reference in the split images, from 0",
    "distorted_record": "pairs: position of the distorted image in the split images, from 0",
    "reference_length": "pairs: length of the reference's file in bytes",
    "distorted_length": "pairs: length of the distorted image's file in bytes",
    "reference_checksum": "pairs: CRC-32 of the reference's file",
    "distorted_checksum": "pairs: CRC-32 of the distorted image's file",
    "height": "pairs: height of both images in pixels",
    "width": "pairs: width of both images in pixels",
}
_SCORES = {
    "score": "pairs: what people thought of the distorted image",
    "score_std": "pairs: standard deviation of the opinions; NaN if not published",
}
_ABSENT = {
    **dict.fromkeys((*_TEXTS_OF_IMAGES, *_TEXTS_OF_PAIRS, *_INTEGERS)),
    **dict.fromkeys(_SCORES, math.nan),
}


def config_name(dataset: str) -> str:
    """Name of a dataset's configuration: TFDS would take what follows a colon for a version."""
    return dataset.replace(":", ".")


def features() -> tfds.features.FeaturesDict:
    """Fields of a record, each with its split and meaning."""
    texts = _TEXTS_OF_IMAGES | _TEXTS_OF_PAIRS
    fields = {
        **{name: _optional(np.object_, text) for name, text in texts.items()},
        **{name: _optional(np.int64, text) for name, text in _INTEGERS.items()},
        **{
            name: tfds.features.Tensor(shape=(), dtype=np.float64, encoding="bytes", doc=text)
            for name, text in _SCORES.items()
        },
    }
    return tfds.features.FeaturesDict(fields)


@functools.cache
def features_config() -> str:
    """Content of the file ``features.json`` of every stored dataset."""
    with tempfile.TemporaryDirectory() as folder:
        features().save_config(folder)
        return (epath.Path(folder) / FEATURES_FILE).read_text()


def image_record(name: str, data: bytes) -> dict[str, Any]:
    """Record of an image and its encoded file."""
    return {**_ABSENT, "name": name, "image": data}


def pair_record(
    pair: Pair, headers: Mapping[str, Header], positions: Mapping[str, int]
) -> dict[str, Any]:
    """Record of a row.

    Args:
      pair: The row.
      headers: Headers of its images by name; both images have the same size.
      positions: Positions of its images in the split ``images``, by name.
    """
    reference, distorted = headers[pair.reference], headers[pair.distorted]
    return {
        **_ABSENT,
        **vars(pair),
        "reference_record": positions[pair.reference],
        "distorted_record": positions[pair.distorted],
        "reference_length": reference.length,
        "distorted_length": distorted.length,
        "reference_checksum": reference.checksum,
        "distorted_checksum": distorted.checksum,
        "height": distorted.height,
        "width": distorted.width,
    }


def pair_of(record: Mapping[str, Any]) -> Pair:
    """The row from its :func:`pair_record`."""
    texts = {name: record[name].decode() for name in _TEXTS_OF_PAIRS}
    return pair_from({**record, **texts})


def images_of(record: Mapping[str, Any]) -> dict[str, tuple[int, Header]]:
    """Position and header of a row's two images, by name."""
    return {
        record[role].decode(): (
            record[f"{role}_record"],
            Header(
                *(record["height"], record["width"]),
                *(record[f"{role}_length"], record[f"{role}_checksum"]),
            ),
        )
        for role in ("reference", "distorted")
    }


def facts(dataset: str, table: PairTable, headers: Mapping[str, Header]) -> dict[str, Any]:
    """Everything known about the table as a whole, as JSON, with its :func:`table_sha256`.

    Args:
      dataset: Key of the table's adapter.
      table: Table to store.
      headers: Headers of its images, in order of first appearance in the rows.

    Raises:
      DatasetError: If the images are neither files as they are nor blocks of such files.
    """
    known = {
        "dataset": dataset,
        "name": table.name,
        "target": table.target,  # the checksum depends on the order
        **table_record(table, nan=None),
        "blocks": _blocks(table.images),
        "fingerprint": fingerprint(table, headers),
    }
    return {**known, "sha256": table_sha256(known, table.pairs, headers)}


def table_sha256(
    known: Mapping[str, Any], pairs: Sequence[Pair], headers: Mapping[str, Header]
) -> str:
    """SHA-256 over everything except the pixels: equal for two builds of one copy.

    Args:
      known: Facts about the table; ``sha256`` itself is ignored.
      pairs: The rows.
      headers: Headers of their images, in order of first appearance in the rows.
    """
    rows = [
        (
            *(getattr(pair, name) for name in _TEXTS_OF_PAIRS),
            float(pair.score),
            float(pair.score_std),
        )
        for pair in pairs
    ]
    named = {name: fact for name, fact in known.items() if name != "sha256"}
    return hashlib.sha256(repr((named, rows, dict(headers))).encode()).hexdigest()


def table_of(known: Mapping[str, Any], pairs: list[Pair], images: ImageSource) -> PairTable:
    """The stored table.

    Args:
      known: Result of :func:`facts`.
      pairs: The rows.
      images: The stored files.
    """
    blocks = known["blocks"]
    return table_from(known, pairs, BlockImages(images, **blocks) if blocks else images)


def _optional(dtype: Any, meaning: str) -> tfds.features.Scalar:
    return tfds.features.Scalar(dtype, optional=True, doc=meaning)


def _blocks(images: ImageSource) -> dict[str, int] | None:
    """Parameters of ``BlockImages``; None if the files are not made of blocks."""
    match images:
        case BlockImages(source=ImageFolder(), size=size, block=block, is_filtered=is_filtered):
            return {"size": size, "block": block, "is_filtered": is_filtered}
        case ImageFolder():
            return None
        case CheckedImages(source=source):
            return _blocks(source)
    raise DatasetError(f"images of the kind {type(images).__name__} cannot be stored")
