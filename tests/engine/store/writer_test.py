import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from engine.store import made_up
from etils import epath

from iqa_jax.engine.store import StatisticsStore
from iqa_jax.errors import InputError


@pytest.fixture
def table():
    return made_up.make_table()


def assert_whole(folder, table, arrays=made_up.ARRAYS):
    store = StatisticsStore.open(folder, made_up.SIGNATURE["model"])
    for layer, statistic in arrays:
        assert store.is_whole(layer, statistic)
        found = store.read(layer, statistic)
        np.testing.assert_array_equal(found, made_up.expected(table, layer, statistic))


@pytest.mark.parametrize("versions", [1, 3, 32])
def test_statistics_are_read_in_the_order_of_the_table(versions, table, tmp_path):
    made_up.fill(made_up.make_writer(tmp_path, table, versions=versions), table, versions=versions)
    assert_whole(tmp_path, table)


@pytest.mark.parametrize("units", [0, 1, 6, 11, 23])
def test_continues_and_ends_equal(units, table, tmp_path):
    """Killed after some units: only the half-filled chunk is lost and computed again."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    made_up.fill(made_up.make_writer(whole, table), table)
    made_up.fill(made_up.make_writer(killed, table), table, units)
    kept = made_up.files(killed)
    again = made_up.make_writer(killed, table)
    plan = made_up.make_plan(table)
    done = len(plan.units) - len(again.missing(plan.units))
    assert done <= units
    assert units < 11 or done > 0
    made_up.fill(again, table)
    assert made_up.files(killed) == made_up.files(whole)
    assert kept.items() <= made_up.files(killed).items()
    assert not made_up.make_writer(killed, table).missing(plan.units)


def test_a_unit_is_done_when_all_of_its_arrays_are(table, tmp_path):
    made_up.fill(made_up.make_writer(tmp_path, table), table)
    (path,) = tmp_path.glob("*/*/gram_error/last/c/2/0")
    path.unlink()
    writer = made_up.make_writer(tmp_path, table)
    assert writer.arrays == (("last", "gram_error"),)
    plan = made_up.make_plan(table)
    rows = {row for unit in writer.missing(plan.units) for row in unit.rows}
    order = [row for unit in plan.units for row in unit.rows]
    assert set(order[32:48]) <= rows < set(order)
    made_up.fill(writer, table)
    assert_whole(tmp_path, table)


def test_statistics_and_layers_are_added(table, tmp_path):
    first, second = made_up.ARRAYS[:2], made_up.ARRAYS
    made_up.fill(made_up.make_writer(tmp_path, table, first), table)
    kept = made_up.files(tmp_path)
    writer = made_up.make_writer(tmp_path, table, second)
    assert set(writer.arrays) == set(second) - set(first)
    made_up.fill(writer, table)
    assert kept.items() <= made_up.files(tmp_path).items()
    assert_whole(tmp_path, table)
    assert made_up.make_writer(tmp_path, table, first).arrays == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weights_sha256", "cd"),
        ("precision", "bf16"),
        ("resize", "short:256"),
        ("dataset_fingerprint", "other"),
    ],
)
def test_refuses_another_signature(name, value, table, tmp_path):
    made_up.fill(made_up.make_writer(tmp_path, table), table)
    kept = made_up.files(tmp_path)
    there = made_up.SIGNATURE.get(name)
    complaint = (
        f"was made with {name} {there!r}, now {value!r}. Use the same .*another statistics_dir"
    )
    with pytest.raises(InputError, match=complaint):
        made_up.make_writer(tmp_path, table, signature={**made_up.SIGNATURE, name: value})
    assert made_up.files(tmp_path) == kept


def test_an_array_begun_with_other_software_is_refused(table, tmp_path):
    """It would not be bit-identical; whole arrays are used, and other statistics may be added."""
    newer = {"versions": 3, "software": {"jax": "0.9"}}
    made_up.fill(made_up.make_writer(tmp_path, table, made_up.ARRAYS[:2]), table)
    made_up.fill(made_up.make_writer(tmp_path, table, made_up.ARRAYS[2:4]), table, units=8)
    assert made_up.make_writer(tmp_path, table, made_up.ARRAYS[:2], made_with=newer).arrays == ()
    with pytest.raises(InputError, match="was begun with software.jax '0.8', now '0.9'"):
        made_up.make_writer(tmp_path, table, made_with=newer)
    made_up.fill(made_up.make_writer(tmp_path, table, made_up.ARRAYS[4:], made_with=newer), table)
    assert_whole(tmp_path, table, [*made_up.ARRAYS[:2], *made_up.ARRAYS[4:]])


def test_a_failed_write_is_an_error(table, tmp_path):
    writer = made_up.make_writer(tmp_path, table)
    (folder,) = tmp_path.glob("*/*/gram_error/last")
    (folder / "c").write_text("in the way")
    with pytest.raises(InputError, match="last: cannot be used .*then run again to continue"):
        made_up.fill(writer, table)


SLOWLY = """
import sys, time
from engine.store import made_up
table = made_up.make_table(references=60)
writer = made_up.make_writer(sys.argv[1], table)
for unit in writer.missing(made_up.make_plan(table).units):
    writer.add(unit.rows, made_up.values(table, unit.rows))
    time.sleep(0.02)
writer.finish()
"""


def test_a_killed_process_continues_and_ends_equal(tmp_path):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    table = made_up.make_table(references=60)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen([sys.executable, "-c", SLOWLY, killed], env=environment) as process:
        deadline = time.monotonic() + 120
        while not list(killed.glob("*/*/gram_error/last/c/3/0")) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    writer, plan = made_up.make_writer(killed, table), made_up.make_plan(table)
    assert 0 < len(writer.missing(plan.units)) < len(plan.units)
    made_up.fill(writer, table)
    made_up.fill(made_up.make_writer(whole, table), table)
    for name, data in made_up.files(whole).items():
        assert (killed / name).read_bytes() == data, name
    assert StatisticsStore.open(epath.Path(killed), "mine.py:net").layers == tuple(made_up.LAYERS)


@pytest.mark.parametrize("dataset", ["ab", "cd"])
def test_two_writers_that_create_a_store_at_once(dataset, table, tmp_path):
    """The second starts and finishes while the first is about to write."""
    other = {**made_up.SIGNATURE, "dataset_fingerprint": dataset}
    turned = dataclasses.replace(table, pairs=[*reversed(table.pairs)])

    def make_another():
        made_up.make_writer(tmp_path, turned if dataset == "cd" else table, signature=other)
        return made_up.LAYERS

    def make():
        signature = {**made_up.SIGNATURE, "dataset_fingerprint": "ab"}
        return made_up.make_writer(tmp_path, table, layers=make_another, signature=signature)

    if dataset == "cd":
        with pytest.raises(InputError, match="was made with dataset_fingerprint 'cd', now 'ab'"):
            make()
    else:
        made_up.fill(make(), table)
        assert_whole(tmp_path, table)
    store = StatisticsStore.open(tmp_path, made_up.SIGNATURE["model"])
    assert store.signature == other
    assert len(store.table.pairs) == len(table.pairs)
    (folder,) = tmp_path.iterdir()
    assert [path.name for path in folder.iterdir()] == [store.path.name]


def test_the_remains_of_a_killed_creation_are_not_a_store(table, tmp_path):
    made_up.fill(made_up.make_writer(tmp_path, table), table)
    (path,) = tmp_path.glob("*/*")
    path.rename(path.with_name(f".{path.name}.1.unfinished"))
    with pytest.raises(InputError, match="it has: nothing"):
        StatisticsStore.open(tmp_path, made_up.SIGNATURE["model"])
    made_up.fill(made_up.make_writer(tmp_path, table), table)
    assert_whole(tmp_path, table)
