"""Reads a store."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self
from urllib.parse import unquote

import numpy as np
from etils import epath

from iqa_jax.datasets.table import PairTable
from iqa_jax.engine.store.arrays import StoredArray
from iqa_jax.engine.store.layout import (
    RECORD,
    Contents,
    LayerShape,
    array_path,
    file_name,
    read_contents,
)
from iqa_jax.errors import InputError
from iqa_jax.files import UNFINISHED
from iqa_jax.readouts.statistics import STATISTICS
from iqa_jax.revisions import REVISIONS


@dataclass(frozen=True)
class StatisticsStore:
    """The statistics of a model on the pairs of a dataset.

    Attributes:
      path: The folder.
      contents: Everything except the arrays.
    """

    path: epath.Path
    contents: Contents

    @classmethod
    def open(
        cls, statistics_dir: epath.PathLike, model: str, *, dataset: str | None = None
    ) -> Self:
        """Opens the store of a model.

        Args:
          statistics_dir: Parent folder of all stores, ``STATISTICS_DIR/DATASET/MODEL``.
          model: Name of the model.
          dataset: Name of the dataset; None if only one has the model, or if ``statistics_dir`` is
            the folder of a dataset.

        Raises:
          InputError: If there is no such store or there are several, it is damaged, or a formula or
            network that computed its statistics has changed since.
        """
        folder = epath.Path(statistics_dir)
        if dataset is None and (folder / file_name(model) / RECORD).exists():
            return cls._current(folder / file_name(model))
        found = sorted(folder.glob(f"*/*/{RECORD}")) if folder.exists() else []
        folders = [path.parent for path in found if not path.parent.name.endswith(UNFINISHED)]
        names = [(unquote(path.parent.name), unquote(path.name)) for path in folders]
        wanted = [name for name in names if name[1] == model and dataset in (None, name[0])]
        if not wanted:
            there = ", ".join(map("/".join, names)) or "nothing"
            of_dataset = f" on {dataset}" if dataset else ""
            raise InputError(
                f"{folder}: has no statistics of {model}{of_dataset}; it has: {there}; compute "
                f"them with iqa extract --models={model}"
            )
        if len(wanted) > 1:
            raise InputError(
                f"{folder}: has statistics of {model} on {len(wanted)} datasets, "
                f"{', '.join(name for name, _ in wanted)}; name one of them as dataset (as "
                "test_dataset for test_statistics_dir), or give its folder"
            )
        (dataset, model), *_ = wanted
        return cls._current(folder / file_name(dataset) / file_name(model))

    @classmethod
    def _current(cls, path: epath.Path) -> Self:
        store = cls.at(path)
        recorded = store.signature.get("revisions", {})
        changed = [name for name, number in recorded.items() if REVISIONS.get(name) != number]
        if changed or not recorded:
            raise InputError(
                f"{path}: was made before {', '.join(changed) or 'revisions were recorded'}"
                f"{' changed' if changed else ''}; delete it and run iqa extract again"
            )
        return store

    @classmethod
    def at(cls, path: epath.Path) -> Self:
        """Opens the store in the folder ``path``.

        Raises:
          InputError: If there is none, or it is damaged.
        """
        return cls(path, read_contents(path))

    @property
    def table(self) -> PairTable:
        """The pairs in the dataset's own order, without their images."""
        return self.contents.table

    @property
    def signature(self) -> Mapping[str, Any]:
        """Everything the statistics depend on, as JSON."""
        return self.contents.signature

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.signature["model"]

    @property
    def dataset(self) -> str:
        """Name of the dataset."""
        return self.table.name

    @property
    def model_layers(self) -> Mapping[str, LayerShape]:
        """Every layer of the model in forward order, stored or not."""
        return self.contents.layers

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that have statistics, in forward order."""
        return tuple(dict.fromkeys(layer for layer, _ in self.arrays))

    @cached_property
    def arrays(self) -> tuple[tuple[str, str], ...]:
        """Layer and statistic of every array that was begun, in forward order."""
        folders = (path.parent for path in self.path.glob(f"*/*/{RECORD}"))
        begun = {(unquote(folder.name), folder.parent.name) for folder in folders}
        return tuple(
            (layer, statistic)
            for layer in self.model_layers
            for statistic in STATISTICS
            if (layer, statistic) in begun
        )

    def is_whole(self, layer: str, statistic: str) -> bool:
        """Whether an array has values for every pair."""
        if (layer, statistic) not in self.arrays:
            return False
        return self._array(layer, statistic).is_whole()

    def positions(self, layer: str) -> np.ndarray:
        """Height x width of a layer for each pair, int64 ``[pairs]``.

        Raises:
          InputError: If the model has no such layer.
        """
        positions = self._shape(layer).positions
        return np.array([positions[size] for size in self.contents.sizes], np.int64)

    def read(self, layer: str, statistic: str) -> np.ndarray:
        """A statistic of all pairs in the order of the table, float32 ``[pairs, channels]``.

        Raises:
          InputError: If the store has no such array, or it is unfinished or damaged.
        """
        self._shape(layer)
        if (layer, statistic) not in self.arrays:
            there = dict.fromkeys(statistic for _, statistic in self.arrays)
            raise InputError(
                f"{self.path}: has no {statistic} of {layer}; it has {', '.join(there) or 'none'} "
                f"of {', '.join(self.layers) or 'no layer'}; add it with iqa extract "
                f"--layers={layer} --statistics={statistic}"
            )
        stored = self._array(layer, statistic).read()
        values = np.empty_like(stored)
        values[np.asarray(self.contents.rows)] = stored
        return values

    def _array(self, layer: str, statistic: str) -> StoredArray:
        return StoredArray(
            array_path(self.path, layer, statistic), self.array_shape(layer, statistic)
        )

    def array_shape(self, layer: str, statistic: str) -> tuple[int, int]:
        """Rows and length of an array, whether or not it is in the store."""
        length = STATISTICS[statistic].length(self._shape(layer).channels)
        return len(self.table.pairs), length

    def _shape(self, layer: str) -> LayerShape:
        if layer not in self.model_layers:
            raise InputError(
                f"{self.model} has no layer {layer}; it has: {', '.join(self.model_layers)}"
            )
        return self.model_layers[layer]
