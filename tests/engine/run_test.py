from dataclasses import dataclass

import jax.numpy as jnp
import pytest

from iqa_jax.datasets import inspect, load_dataset
from iqa_jax.engine import devices
from iqa_jax.engine import run as engine
from iqa_jax.engine.devices import UnitRunner
from iqa_jax.engine.plan import plan
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


@pytest.fixture
def dataset(pair_folder):
    return inspect(load_dataset("csv", pair_folder / "pairs.csv"))


def compute(dataset, **options):
    table, headers = dataset
    work = plan(table, headers, versions=2, resize=options.get("resize"))
    runner = UnitRunner(Difference())
    found = engine.compute(table, work, work.units, runner, label="net", **options)
    return {row: done for done in found for row in done.unit.rows}


def test_images_that_cannot_be_decoded_fail_their_pairs(pair_folder):
    for name in ("a_2.png", "b.png"):
        data = (pair_folder / name).read_bytes()
        (pair_folder / name).write_bytes(data[: len(data) // 2])
    dataset = inspect(load_dataset("csv", pair_folder / "pairs.csv"))
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


def test_the_number_of_sizes_is_told_where_it_is_large(dataset, tmp_path, capsys, monkeypatch):
    compute(dataset)
    assert "image sizes" not in capsys.readouterr().err
    monkeypatch.setattr(engine, "_FEW_SIZES", 1)
    compute(dataset)
    told = capsys.readouterr().err
    assert "net: 2 image sizes: each is compiled once, about " in told
    assert "--resize=exact:HEIGHTxWIDTH makes it one" in told
    compute(dataset, resize=Resize("exact:20x30"))
    assert "image sizes" not in capsys.readouterr().err
