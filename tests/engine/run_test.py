import threading
from dataclasses import dataclass, replace

import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.datasets import inspect, load_dataset
from iqa_jax.engine import devices
from iqa_jax.engine import run as engine
from iqa_jax.engine.devices import UnitRunner
from iqa_jax.engine.plan import make_plan
from iqa_jax.engine.waits import WAITS
from iqa_jax.errors import ImageError, InputError
from iqa_jax.images.resize import Resize
from iqa_jax.pytrees import register_pytree


@register_pytree
@dataclass(frozen=True)
class Difference:
    label, names = "net", ("difference",)

    def prepare(self, image):
        return image

    def versions(self, reference, distorted):
        error = distorted.astype(jnp.float32) - reference.astype(jnp.float32)[None]
        return (jnp.mean(jnp.abs(error), axis=(1, 2, 3)),)


class Kept:
    """A sink in memory that has some rows already, and takes a limited number of units."""

    def __init__(self, there=(), most=99):
        self.there, self.most = there, most
        self.values, self.is_finished = {}, False

    def missing(self, units):
        return [unit for unit in units if not set(unit.rows) <= set(self.there)]

    def add(self, rows, values):
        if len(self.values) >= self.most:
            raise KeyboardInterrupt
        assert values["difference"].shape == (len(rows),)
        self.values |= dict(zip(rows, values["difference"], strict=True))

    def finish(self):
        self.is_finished = True


@pytest.fixture
def dataset(pair_folder):
    return inspect(load_dataset("csv", data_dir=pair_folder / "pairs.csv"))


def compute(dataset, *, resize=None, **options):
    work = make_plan(*dataset, versions=2, resize=resize)
    runner = UnitRunner(Difference())
    found = engine.compute(work, work.units, runner, label="net", **options)
    return {row: done for done in found for row in (*done.rows, *done.failed)}


def test_only_missing_values_are_computed(dataset):
    work, kept = make_plan(*dataset, versions=3), Kept(there=(0, 1, 2, 4, 5))
    outcome = engine.fill(kept, work, Difference())
    assert sorted(kept.values) == [3, 6, 7, 8]
    assert kept.is_finished
    assert not outcome.failed
    assert not outcome.unread
    assert outcome.pairs_per_second > 0
    for row, value in kept.values.items():
        pair = work.table.pairs[row]
        reference, distorted = (work.pixels(name) for name in (pair.reference, pair.distorted))
        expected = np.abs(distorted.astype(float) - reference).mean()
        assert value == pytest.approx(expected, rel=1e-5)


def test_what_a_run_waits_for_is_known(dataset):
    before = replace(WAITS)
    engine.fill(Kept(), make_plan(*dataset, versions=1), Difference())
    assert WAITS.images > before.images
    assert WAITS.values > before.values


def test_a_full_sink_runs_nothing(dataset, monkeypatch):
    monkeypatch.setattr(engine, "UnitRunner", lambda *_, **__: pytest.fail("put on the devices"))
    work = make_plan(*dataset)
    assert engine.fill(Kept(there=range(9)), work, Difference()) == engine.Outcome()


def test_an_interrupted_run_finishes_what_was_taken(dataset):
    kept = Kept(most=1)
    with pytest.raises(KeyboardInterrupt):
        engine.fill(kept, make_plan(*dataset, versions=1), Difference())
    assert len(kept.values) == 1
    assert kept.is_finished


@pytest.mark.parametrize("name", ["a_2.png", "b.png"])
def test_rows_that_failed_are_not_taken(name, pair_folder):
    data = (pair_folder / name).read_bytes()
    (pair_folder / name).write_bytes(data[: len(data) // 2])
    work = make_plan(*inspect(load_dataset("csv", data_dir=pair_folder / "pairs.csv")), versions=3)
    kept = Kept()
    outcome = engine.fill(kept, work, Difference(), tolerant=True)
    failed = {row for row, pair in enumerate(work.table.pairs) if name in vars(pair).values()}
    assert outcome.failed.keys() == failed
    assert kept.values.keys() == set(range(9)) - failed
    assert outcome.unread == {name}


def test_images_that_cannot_be_decoded_fail_their_pairs(pair_folder):
    for name in ("a_2.png", "b.png"):
        data = (pair_folder / name).read_bytes()
        (pair_folder / name).write_bytes(data[: len(data) // 2])
    dataset = inspect(load_dataset("csv", data_dir=pair_folder / "pairs.csv"))
    done = compute(dataset, tolerant=True)
    failed = {row: each.failed[row] for row, each in done.items() if row in each.failed}
    assert failed.keys() == {1, 4, 5}
    assert failed[1].startswith("a_2.png: is damaged")
    assert failed[4] == failed[5]
    assert set().union(*(each.unread for each in done.values())) == {"a_2.png", "b.png"}
    with pytest.raises(ImageError, match="a_2.png"):
        compute(dataset)


def test_too_large_images_end_a_run_before_it_begins(dataset, monkeypatch):
    monkeypatch.setattr(devices, "available_memory", lambda: 1000)
    with pytest.raises(InputError, match="^a.png: net needs about .* for images of 80x72 pixels"):
        compute(dataset)
    done = compute(dataset, tolerant=True)
    assert len(done) == 9
    assert all("net needs about" in each.failed[row] for row, each in done.items())


def test_a_large_number_of_sizes_is_reported(dataset, caplog, monkeypatch):
    caplog.set_level("INFO", "iqa_jax")
    compute(dataset)
    assert "image sizes" not in caplog.text
    monkeypatch.setattr(engine, "_FEW_SIZES", 1)
    compute(dataset)
    told = caplog.text
    assert "net: 2 image sizes: each is compiled once, about " in told
    assert "resize=exact:HEIGHTxWIDTH makes it one" in told
    caplog.clear()
    compute(dataset, resize=Resize("exact:20x30"))
    assert "image sizes" not in caplog.text


def test_the_next_size_is_compiled_while_one_is_computed(dataset, monkeypatch):
    compiled, compile_step = [], UnitRunner._compile

    def spy(runner, shapes):
        compiled.append((shapes[0][1:3], threading.current_thread().name.partition("_")[0]))
        return compile_step(runner, shapes)

    monkeypatch.setattr(UnitRunner, "_compile", spy)
    assert len(compute(dataset)) == 9
    assert compiled == [((72, 80), "MainThread"), ((64, 64), "compiler")]
    assert not any(thread.name.startswith("compiler") for thread in threading.enumerate())
