"""Fills a store unit by unit, continuing where an earlier run stopped."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Self

import numpy as np
from etils import epath

from iqa_jax.engine.plan import Plan, WorkUnit
from iqa_jax.engine.store.arrays import StoredArray, rows_in_chunk
from iqa_jax.engine.store.layout import RECORD, Contents, LayerShape, array_path, create, store_path
from iqa_jax.engine.store.reader import StatisticsStore
from iqa_jax.errors import InputError

_MADE_WITH = "made_with"


class StatisticsWriter:
    """Takes the statistics of work units and writes each chunk of rows once it is full.

    Args:
      store: Destination of the statistics.
      arrays: Layer and statistic of each array to fill; whole arrays are left alone.
      made_with: Software and settings that produce the values, as JSON; an unfinished array that
        was begun with others is refused.
      only: Chunks to fill; None for all.

    Attributes:
      path: Folder of the store.
      store: The store.
      arrays: Layer and statistic of each array that is not whole.

    Raises:
      InputError: If an array was begun with other software or settings, or is damaged.
    """

    def __init__(
        self,
        store: StatisticsStore,
        arrays: Sequence[tuple[str, str]],
        made_with: Mapping[str, Any],
        *,
        only: Collection[int] | None = None,
    ):
        self.path = store.path
        self.store = store
        self._step = rows_in_chunk(len(store.table.pairs))
        self._stored_row = np.argsort(np.asarray(store.contents.rows))
        self._arrays: dict[tuple[str, str], StoredArray] = {}
        self._missing: dict[tuple[str, str], set[int]] = {}
        for layer, statistic in arrays:
            path = array_path(store.path, layer, statistic)
            shape = store.array_shape(layer, statistic)
            array = StoredArray(path, shape, {_MADE_WITH: made_with})
            written = array.written()
            if len(written) < array.chunks:
                _check_same(made_with, array.attributes.get(_MADE_WITH, {}), path, "was begun")
                self._arrays[layer, statistic] = array
                missing = set(range(array.chunks)) - written
                self._missing[layer, statistic] = missing if only is None else missing & {*only}
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
        plan: Plan,
        layers: Callable[[], Mapping[str, LayerShape]],
        arrays: Sequence[tuple[str, str]],
    ) -> Self:
        """Creates a store, or opens the existing one to complete it.

        Args:
          statistics_dir: Parent folder of all stores, ``STATISTICS_DIR/DATASET/MODEL``.
          signature: Everything the statistics depend on, as JSON, with the name of the ``model``; a
            store with another signature is refused.
          made_with: See the class.
          plan: The work; its table is the dataset.
          layers: Returns all layers of the model in forward order, for a new store.
          arrays: See the class.

        Raises:
          InputError: If the existing store has another signature, or for the reasons given for the
            class.
        """
        path = store_path(statistics_dir, plan.table.name, signature["model"])
        if not (path / RECORD).exists():
            sizes = {row: unit.size for unit in plan.units for row in unit.rows}
            contents = Contents(
                signature=signature,
                table=plan.table,
                sizes=[sizes[row] for row in range(len(plan.table.pairs))],
                rows=[row for unit in plan.units for row in unit.rows],
                layers=layers(),
            )
            create(path, contents)
        store = StatisticsStore.at(path)
        check_signature(store, signature)  # even if new: another process may have made it
        return cls(store, arrays, made_with)

    def missing(self, units: Sequence[WorkUnit]) -> list[WorkUnit]:
        """Units with a row in a chunk that is not on disk."""
        return [
            unit
            for unit in units
            if not self._to_fill.isdisjoint(self._stored_row[list(unit.rows)] // self._step)
        ]

    def add(self, rows: Sequence[int], values: Mapping[str, np.ndarray]) -> None:
        """Takes the statistics of some rows of a unit and writes any chunk that is now full.

        Args:
          rows: Positions of the pairs in the table.
          values: ``LAYER/STATISTIC`` -> float32 ``[rows, channels]``.
        """
        stored = self._stored_row[list(rows)]
        chunks = stored // self._step
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
                buffers[name][stored[here] - chunk * self._step] = part
            filled = self._filled.setdefault(chunk, set())
            filled.update(map(int, stored[here]))
            if all(len(filled) == len(buffer) for buffer in buffers.values()):
                self._write(chunk)

    def finish(self) -> None:
        """Waits until all full chunks are on disk."""
        while self._writing:
            self._writing.pop()()

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
    """Refuses a store with another signature.

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
            f"{path}: {how} with {'; '.join(differences)}. Use the same settings again, choose "
            "another statistics_dir, or delete this one to start afresh"
        )


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """A nested record as one level of dotted names."""
    flat = {}
    for name, value in record.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": each for inner, each in _flat(value).items()}
        else:
            flat[name] = value
    return flat
