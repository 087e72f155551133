"""Filling a store: unit by unit, continued where an earlier run stopped."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from etils import epath

from iqa_jax.datasets.table import PairTable
from iqa_jax.engine.plan import Plan, WorkUnit
from iqa_jax.engine.store.arrays import StoredArray, rows_in_chunk
from iqa_jax.engine.store.layout import RECORD, Contents, LayerShape, array_path, create, store_path
from iqa_jax.engine.store.reader import StatisticsStore
from iqa_jax.errors import InputError

_MADE_WITH = "made_with"


class StatisticsWriter:
    """Takes the statistics of work units and keeps them, each chunk of rows when it is full.

    Several processes may fill one store: each is given chunks of its own, and computes every unit
    that has a row in one of them. Nothing is left to be merged.

    Args:
      store: Where they go.
      arrays: Layer and statistic of those that are wanted; what is whole is left alone.
      made_with: What made them, as JSON; an array that something else began is refused.
      process_index: Which of the processes this is.
      process_count: How many processes fill the store.

    Attributes:
      path: The folder of the store.
      arrays: Those of the arrays that are not whole.

    Raises:
      InputError: If an array was begun by something else, or is damaged.
    """

    def __init__(
        self,
        store: StatisticsStore,
        arrays: Sequence[tuple[str, str]],
        made_with: Mapping[str, Any],
        *,
        process_index: int = 0,
        process_count: int = 1,
    ):
        self.path = store.path
        pairs = len(store.table.pairs)
        self._step = rows_in_chunk(pairs)
        self._stored_row = np.argsort(np.asarray(store.contents.rows))
        self._arrays: dict[tuple[str, str], StoredArray] = {}
        self._missing: dict[tuple[str, str], set[int]] = {}
        own = np.array_split(np.arange(-(-pairs // self._step)), process_count)[process_index]
        for layer, statistic in arrays:
            path = array_path(store.path, layer, statistic)
            shape = store.array_shape(layer, statistic)
            array = StoredArray(path, shape, {_MADE_WITH: made_with})
            written = array.written()
            if len(written) < array.chunks:
                _check_same(made_with, array.attributes.get(_MADE_WITH, {}), path, "was begun")
                self._arrays[layer, statistic] = array
                self._missing[layer, statistic] = set(map(int, own)) - written
        self.arrays = tuple(self._arrays)
        self._to_fill = set().union(*self._missing.values())
        self._buffers: dict[int, dict[str, np.ndarray]] = {}
        self._filled: dict[int, set[int]] = {}
        self._writing: list[Callable[[], None]] = []

    @classmethod
    def create_or_continue(
        cls,
        statistics_dir: epath.PathLike,
        *,
        signature: Mapping[str, Any],
        made_with: Mapping[str, Any],
        table: PairTable,
        plan: Plan,
        layers: Callable[[], Mapping[str, LayerShape]],
        arrays: Sequence[tuple[str, str]],
        process_index: int = 0,
        process_count: int = 1,
    ) -> Self:
        """Makes a store, or opens the one that is there to complete it.

        Args:
          statistics_dir: Where stores are: ``STATISTICS_DIR/DATASET/MODEL``.
          signature: What the statistics depend on, as JSON, with the name of the ``model``; a store
            with another one is refused.
          made_with: As for the class.
          table: The dataset.
          plan: Of the table.
          layers: Gives all of the model, in forward order, for a new store.
          arrays: As for the class.
          process_index: As for the class.
          process_count: As for the class.

        Raises:
          InputError: If there is a store with another signature, or as by the class.
        """
        path = store_path(statistics_dir, table.name, signature["model"])
        if not (path / RECORD).exists():
            units = plan.units
            sizes = {row: unit.size for unit in units for row in unit.rows}
            contents = Contents(
                signature=signature,
                table=table,
                sizes=[sizes[row] for row in range(len(table.pairs))],
                rows=[row for unit in units for row in unit.rows],
                layers=layers(),
            )
            create(path, contents)
        store = StatisticsStore.at(path)
        check_signature(store, signature)  # also of a new one, which another process may have made
        return cls(
            store,
            arrays,
            made_with,
            process_index=process_index,
            process_count=process_count,
        )

    def missing(self, units: Sequence[WorkUnit]) -> list[WorkUnit]:
        """Those of the units that this process has to compute."""
        return [unit for unit in units if not self._to_fill.isdisjoint(self._chunks_of(unit))]

    def add(self, unit: WorkUnit, values: Mapping[str, np.ndarray]) -> None:
        """Takes the statistics of a unit; a chunk that is full is written.

        Args:
          unit: The unit.
          values: ``LAYER/STATISTIC`` -> float32 ``[V, channels]``; versions beyond the unit's rows
            are padding.
        """
        rows, chunks = self._stored_row[list(unit.rows)], self._chunks_of(unit)
        for chunk in self._to_fill.intersection(chunks):
            here = np.flatnonzero(chunks == chunk)
            buffers = self._buffers.setdefault(chunk, {})
            for (layer, statistic), array in self._arrays.items():
                name = f"{layer}/{statistic}"
                part = np.asarray(values[name])[here]
                if name not in buffers:
                    length = array.rows_of(chunk)
                    buffers[name] = np.empty(
                        (length.stop - length.start, part.shape[-1]), np.float32
                    )
                buffers[name][rows[here] - chunk * self._step] = part
            filled = self._filled.setdefault(chunk, set())
            filled.update(map(int, rows[here]))
            if all(len(filled) == len(buffer) for buffer in buffers.values()):
                self._write(chunk)

    def finish(self) -> None:
        """Waits until everything that was taken is on disk."""
        while self._writing:
            self._writing.pop()()

    def _chunks_of(self, unit: WorkUnit) -> np.ndarray:
        """The chunk of each row of a unit."""
        return self._stored_row[list(unit.rows)] // self._step

    def _write(self, chunk: int) -> None:
        self.finish()  # the chunk before this one, while this one was being filled
        buffers = self._buffers.pop(chunk)
        self._writing = [
            array.start_writing(chunk, buffers[f"{layer}/{statistic}"])
            for (layer, statistic), array in self._arrays.items()
            if chunk in self._missing[layer, statistic]
        ]
        self._to_fill.discard(chunk)


def check_signature(store: StatisticsStore, signature: Mapping[str, Any]) -> None:
    """Refuses a store of other statistics.

    Raises:
      InputError: If weights, precision, resize or data differ; the message says which.
    """
    _check_same(signature, store.signature, store.path, "was made")


def _check_same(
    now: Mapping[str, Any], there: Mapping[str, Any], path: epath.Path, how: str
) -> None:
    now, there = _flat(now), _flat(there)
    differences = [
        f"{name} {there.get(name)!r}, now {now.get(name)!r}"
        for name in dict.fromkeys([*there, *now])
        if there.get(name) != now.get(name)
    ]
    if differences:
        raise InputError(
            f"{path}: {how} with {'; '.join(differences)}. Use what it {how} with, another "
            "--statistics_dir, or delete it to begin anew"
        )


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record of records by dotted names."""
    flat = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": each for inner, each in _flat(value).items()}
        else:
            flat[name] = value
    return flat
