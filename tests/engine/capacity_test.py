import dataclasses
import math

import jax
import jax.numpy as jnp
import pytest
from etils import epath

from iqa_jax.datasets import Pair, PairTable
from iqa_jax.engine import capacity
from iqa_jax.engine.capacity import check_memory, find_too_large
from iqa_jax.engine.devices import Excess
from iqa_jax.engine.plan import Plan, WorkUnit
from iqa_jax.errors import InputError
from iqa_jax.images.sources import ImageFolder

SIZES = [(side, 2 * side) for side in (7, 3, 9, 5, 1, 8, 2, 6, 4)]
UNITS = [WorkUnit(number, size, (number,)) for number, size in enumerate(SIZES * 2)]


@dataclasses.dataclass
class Runner:
    """A runner whose steps take a gigabyte per pixel."""

    there: float
    compiled: list = dataclasses.field(default_factory=list)

    def excess(self, height, width, versions):
        assert versions == 5
        self.compiled.append((height, width))
        needed = height * width * 10**9
        return Excess(needed, self.there) if needed > self.there else None


def test_where_the_largest_fits_nothing_else_is_compiled():
    runner = Runner(there=162e9)
    assert find_too_large(UNITS, runner, 5, "net") == {}
    assert runner.compiled == [(9, 18)]
    assert find_too_large([], runner, 5, "net") == {}


@pytest.mark.parametrize("sizes", [[(384, 512), (512, 384)], [(512, 384), (384, 512)]])
def test_among_sizes_of_equal_area_the_first_to_run_is_compiled(sizes):
    units = [WorkUnit(number, size, (number,)) for number, size in enumerate(sizes)]
    runner = Runner(there=math.inf)
    find_too_large(units, runner, 5, "net")
    assert runner.compiled == sizes[:1]


@pytest.mark.parametrize("largest", range(9))
def test_the_largest_that_fits_is_ready_and_each_compiled_at_most_once(largest):
    runner = Runner(there=2e9 * largest**2)
    found = find_too_large(UNITS, runner, 5, "net")
    assert sorted(found) == [(side, 2 * side) for side in range(largest + 1, 10)]
    assert len(set(runner.compiled)) == len(runner.compiled) <= 5
    fitting = [size for size in runner.compiled if size[0] <= largest]
    assert not largest or fitting[-1] == (largest, 2 * largest)
    text = "net needs about 162 GB of memory for images of 18x9 pixels, "
    assert found[9, 18].startswith(f"{text}{runner.there / 1e9:.3g} GB are available; resize")


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Kept:
    """A step that prepares 64 channels per pixel, and needs only shapes."""

    weights: object
    label = "net"

    def prepare(self, image):
        return {"layer": image.astype(jnp.float32) @ self.weights}


def test_the_prepared_values_of_one_image_have_to_fit(monkeypatch):
    pairs = [Pair(f"{row}.png", "d.png", math.nan) for row in range(len(UNITS))]
    table = PairTable("made", pairs, ImageFolder(epath.Path("/")), higher_is_better=True)
    work = Plan(table, {}, 1, tuple(UNITS))
    step = Kept(jax.ShapeDtypeStruct((3, 64), jnp.float32))
    needed = 9 * 18 * 64 * 4
    for there in (None, needed):
        monkeypatch.setattr(capacity, "available_memory", lambda there=there: there)
        check_memory(step, work)
    monkeypatch.setattr(capacity, "available_memory", lambda: needed - 1)
    with pytest.raises(InputError, match="2.png: net needs about 4.15e-05 GB .* images of 18x9"):
        check_memory(step, work)
