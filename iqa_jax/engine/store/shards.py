"""A store in shards: groups of chunks of rows that several processes fill."""

from collections.abc import Sequence

from iqa_jax.engine.store.arrays import StoredArray, rows_in_chunk
from iqa_jax.engine.store.layout import array_path
from iqa_jax.engine.store.reader import StatisticsStore

_LEAST_ROWS = 256
"""Fewer rows would not fill an accelerator for long."""


class StoreShards:
    """The shards of some arrays of a store.

    Args:
      store: The store; the arrays must have been begun.
      arrays: Layer and statistic of each array.
    """

    def __init__(self, store: StatisticsStore, arrays: Sequence[tuple[str, str]]):
        rows = len(store.table.pairs)
        self._group = -(-_LEAST_ROWS // rows_in_chunk(rows))
        self._arrays = [
            StoredArray(
                array_path(store.path, layer, statistic), store.array_shape(layer, statistic)
            )
            for layer, statistic in arrays
        ]
        self._chunks = max((array.chunks for array in self._arrays), default=0)

    @property
    def count(self) -> int:
        """Number of shards."""
        return -(-self._chunks // self._group)

    def chunks(self, number: int) -> range:
        """The chunks of a shard."""
        return range(number * self._group, min((number + 1) * self._group, self._chunks))

    def finished(self) -> list[int]:
        """Numbers of the shards whose chunks are on disk."""
        written = set(range(self._chunks)).intersection(*(each.written() for each in self._arrays))
        return [number for number in range(self.count) if written.issuperset(self.chunks(number))]

    def is_finished(self, number: int) -> bool:
        """Whether the chunks of a shard are on disk."""
        return number in self.finished()
