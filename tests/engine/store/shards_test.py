"""A store in shards of several chunks of rows."""

import pytest
from engine.store import made_up

from iqa_jax.engine.store import StatisticsWriter, StoreShards, shards


@pytest.fixture
def writer(tmp_path):
    return made_up.make_writer(tmp_path, made_up.make_table())


def test_chunks_are_grouped(writer, monkeypatch):
    """60 rows in chunks of 16."""
    assert StoreShards(writer.store, writer.arrays).count == 1
    monkeypatch.setattr(shards, "_LEAST_ROWS", 40)
    found = StoreShards(writer.store, writer.arrays)
    assert [list(found.chunks(number)) for number in range(found.count)] == [[0, 1, 2], [3]]
    assert StoreShards(writer.store, []).count == 0


def test_a_shard_is_filled_alone_and_finished_once_all_arrays_are(writer, tmp_path, monkeypatch):
    monkeypatch.setattr(shards, "_LEAST_ROWS", 32)
    found = StoreShards(writer.store, writer.arrays)
    assert not found.finished()
    only = found.chunks(1)
    some = StatisticsWriter(writer.store, writer.arrays, made_up.MADE_WITH, only=only)
    made_up.fill(some, writer.store.table)
    assert found.finished() == [1]
    assert not found.is_finished(0)
    (path,) = tmp_path.glob("*/*/gram_error/last/c/3/0")
    path.unlink()
    assert not found.is_finished(1)
    assert not list(tmp_path.glob("*/*/*/*/c/0/0"))
