"""Several processes that share the shards of a work, simulated by threads and by turns."""

import json
import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from etils import epath

from iqa_jax import buckets
from iqa_jax.engine import claims as claims_module
from iqa_jax.engine import shards as module
from iqa_jax.engine.claims import STALE, Claims
from iqa_jax.engine.shards import shards_to_do
from iqa_jax.engine.shares import Share


class Done:
    """Shards whose results are numbers in memory, each with the processes that computed it."""

    def __init__(self, count):
        self.count = count
        self.by = {}

    def finished(self):
        return list(self.by)

    def is_finished(self, number):
        return number in self.by

    def finish(self, number, process):
        self.by.setdefault(number, []).append(process)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PAUSE", 0.01)
    monkeypatch.setattr(claims_module, "RENEWED", 0.05)
    return epath.Path(tmp_path) / "claims"


def to_do(shards, folder, index, count):
    share = Share(index, count)
    return shards_to_do(shards, share, Claims(folder, share))


def test_a_process_alone_does_everything(folder):
    shards = Done(5)
    for number in to_do(shards, folder, 0, 1):
        shards.finish(number, 0)
    assert list(shards.by) == [0, 1, 2, 3, 4]


def test_what_is_finished_is_not_done_again(folder):
    shards = Done(5)
    shards.by = {1: [9], 3: [9]}
    for number in to_do(shards, folder, 0, 1):
        shards.finish(number, 0)
    assert list(shards.by) == [1, 3, 0, 2, 4]
    assert not list(to_do(Done(0), folder, 0, 1))


@pytest.mark.parametrize("indices", [[0, 1, 2], [0, 0, 0]])
@pytest.mark.parametrize("count", [3, None])
def test_processes_at_once_do_each_shard_once(indices, count, folder):
    shards = Done(40)
    barrier = threading.Barrier(len(indices))

    def process(place, index):
        barrier.wait()
        for number in to_do(shards, folder, index, count):
            shards.finish(number, place)

    threads = [threading.Thread(target=process, args=each) for each in enumerate(indices)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(shards.by) == list(range(40))
    assert all(len(by) == 1 for by in shards.by.values())


def test_the_shards_of_others_are_taken_when_nobody_works_on_them(folder):
    shards = Done(6)
    for number in to_do(shards, folder, 1, 3):
        shards.finish(number, 1)
    assert list(shards.by) == [1, 4, 5, 3, 2, 0]


def test_a_process_leaves_what_a_living_one_works_on(folder):
    shards = Done(2)
    other = to_do(shards, folder, 0, 2)
    held = next(other)
    for number in to_do(shards, folder, 1, 2):
        shards.finish(number, 1)
    assert (held, shards.by) == (0, {1: [1]})


def test_a_process_waits_for_a_shard_that_is_nearly_finished(folder, monkeypatch):
    monkeypatch.setattr(claims_module, "RENEWED", 60.0)
    shards = Done(2)
    other = to_do(shards, folder, 0, 2)
    held = next(other)
    timer = threading.Timer(0.2, shards.finish, (held, 0))
    timer.start()
    for number in to_do(shards, folder, 1, 2):
        shards.finish(number, 1)
    assert shards.by == {1: [1], 0: [0]}


def test_the_shard_of_a_process_that_is_gone_is_taken_over(folder, monkeypatch):
    monkeypatch.setattr(claims_module, "RENEWED", 60.0)
    monkeypatch.setattr(claims_module, "_is_running", lambda process: True)
    shards = Done(2)
    path = Claims(folder, Share(0, 2)).take(0)
    path.write_text(path.read_text().replace(str(os.getpid()), "1"))
    before = Path(path).stat().st_mtime - STALE + 0.2
    os.utime(path, (before, before))
    for number in to_do(shards, folder, 1, 2):
        shards.finish(number, 1)
    assert shards.by == {1: [1], 0: [1]}
    assert (folder / "00000000.1").exists()


def test_looks_at_a_bucket_cost_the_same_however_many_shards_there_are(
    bucket, store_requests, monkeypatch
):
    """The claims of others are read once, after that a look is a few requests for all of them."""
    looks, count = [], 12
    others = Claims(bucket / "claims", Share(0, 2))
    for path in map(others.take, range(count)):
        content = json.loads(path.read_text())
        buckets.write(path, json.dumps({**content, "host": "elsewhere"}).encode())

    def renew_in_the_end(_):
        looks.append(len(store_requests))
        for piece in range(count if len(looks) == 3 else 0):
            buckets.touch(bucket / "claims" / f"{piece:08d}.0")
        store_requests.clear()

    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=renew_in_the_end))
    store_requests.clear()
    assert not list(to_do(Done(count), bucket / "claims", 1, 2))
    looks.append(len(store_requests))
    first, *later = looks
    assert count <= first <= count + 8
    assert len(later) == 3
    assert max(later) <= 4


def test_an_error_ends_the_claim(folder):
    shards = Done(2)

    def fail():
        for _ in to_do(shards, folder, 0, 1):
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    for number in to_do(shards, folder, 0, 1):
        shards.finish(number, 0)
    assert list(shards.by) == [0, 1]
