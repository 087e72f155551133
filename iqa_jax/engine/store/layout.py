"""Paths in a store, and its files other than arrays."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any
from urllib.parse import quote

from etils import epath

from iqa_jax.datasets.records import PAIR_FIELDS, pair_from, table_from, table_record
from iqa_jax.datasets.table import PairTable
from iqa_jax.errors import ImageError, InputError
from iqa_jax.files import appearing_whole
from iqa_jax.images.resize import Size
from iqa_jax.images.sources import ImageSource
from iqa_jax.text import csv_text

RECORD = "zarr.json"
_PAIRS = "pairs.csv"
_COLUMNS = (*PAIR_FIELDS, "height", "width", "row")


@dataclass(frozen=True)
class LayerShape:
    """Shape of a layer.

    Attributes:
      channels: Number of channels, the same for all images.
      positions: Height x width of the layer, by height and width of the image.
    """

    channels: int
    positions: Mapping[Size, int]


@dataclass(frozen=True)
class Contents:
    """Everything in a store except its arrays.

    Attributes:
      signature: Everything the statistics depend on, as JSON.
      table: The pairs, in the dataset's own order.
      sizes: Height and width of each pair's images as they were scored, in the same order.
      rows: Row of the table for each row of the arrays.
      layers: Layers of the model, in forward order.
    """

    signature: Mapping[str, Any]
    table: PairTable
    sizes: Sequence[Size]
    rows: Sequence[int]
    layers: Mapping[str, LayerShape]


@dataclass(frozen=True)
class _NoImages(ImageSource):
    """Images of a table that was read from a store: none can be read."""

    path: epath.Path

    def read(self, name: str) -> bytes:
        raise ImageError(f"{name}: the statistics in {self.path} do not include the images")


def store_path(statistics_dir: epath.PathLike, dataset: str, model: str) -> epath.Path:
    """Folder of the statistics of a model on a dataset.

    Args:
      statistics_dir: Parent folder of all stores.
      dataset: Name of the dataset.
      model: Name of the model.
    """
    return epath.Path(statistics_dir) / file_name(dataset) / file_name(model)


def array_path(path: epath.Path, layer: str, statistic: str) -> epath.Path:
    """Folder of an array.

    Args:
      path: The folder of the store.
      layer: Name of the layer.
      statistic: Name of the statistic.
    """
    return path / statistic / file_name(layer)


def file_name(name: str) -> str:
    """A name as one part of a path; different names give different parts."""
    quoted = quote(name, safe="@+, ")
    return quoted.replace(".", "%2E") if set(quoted) == {"."} else quoted


def create(path: epath.Path, contents: Contents) -> None:
    """Creates the store in ``path`` without any arrays; it appears as a whole.

    An existing store, or one that another process creates at the same time, is left as it is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with appearing_whole(path, replacing=False, last=RECORD) as unfinished:
            unfinished.mkdir()
            _write_contents(unfinished, contents)
    except OSError:
        if not (path / RECORD).exists():
            raise


def _write_contents(path: epath.Path, contents: Contents) -> None:
    pairs = _pairs_text(contents)
    (path / _PAIRS).write_text(pairs)
    record = {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": {
            "signature": contents.signature,
            "dataset": table_record(contents.table),
            "layers": [
                {
                    "name": name,
                    "channels": layer.channels,
                    "positions": {
                        f"{height}x{width}": count
                        for (height, width), count in layer.positions.items()
                    },
                }
                for name, layer in contents.layers.items()
            ],
            "pairs_sha256": _sha256(pairs),
        },
    }
    (path / RECORD).write_text(json.dumps(record, indent=2) + "\n")


def read_contents(path: epath.Path) -> Contents:
    """Reads the store in ``path``, except for its arrays.

    Raises:
      InputError: If there is no store, or it is damaged.
    """
    try:
        attributes = json.loads((path / RECORD).read_text())["attributes"]
        text = (path / _PAIRS).read_bytes().decode()
        if _sha256(text) != attributes["pairs_sha256"]:
            raise ValueError(f"{_PAIRS} was changed")
        rows = [
            (pair_from(row), (int(row["height"]), int(row["width"])), int(row["row"]))
            for row in csv.DictReader(io.StringIO(text, newline=""))
        ]
        in_order = sorted(rows, key=lambda row: row[2])
        return Contents(
            signature=attributes["signature"],
            table=table_from(
                attributes["dataset"], [pair for pair, _, _ in in_order], _NoImages(path)
            ),
            sizes=[size for _, size, _ in in_order],
            rows=[row for _, _, row in rows],
            layers={
                layer["name"]: LayerShape(
                    layer["channels"],
                    {_size(text): count for text, count in layer["positions"].items()},
                )
                for layer in attributes["layers"]
            },
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: not a statistics store, or a damaged one ({error!r}); delete the folder if "
            "there is one, and run iqa extract"
        ) from error


def _pairs_text(contents: Contents) -> str:
    rows = (
        (*astuple(contents.table.pairs[row]), *contents.sizes[row], row) for row in contents.rows
    )
    return csv_text(_COLUMNS, rows, digits=None)


def _size(text: str) -> Size:
    height, width = map(int, text.split("x"))
    return height, width


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
