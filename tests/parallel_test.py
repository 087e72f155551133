import jax
import numpy as np
import pytest

from iqa_jax import parallel
from iqa_jax.comparison import Comparison, load_comparison
from iqa_jax.parallel import UnitRunner
from iqa_jax.readouts import ReadoutName

NAMES = ("alexnet/relu1/l2", "alexnet/relu5/unit", "alexnet/input/rmse")


@pytest.fixture(scope="module")
def comparison(checkpoints):
    return load_comparison([*map(ReadoutName.parse, NAMES)], checkpoints_dir=checkpoints)


@pytest.fixture
def units(rng):
    """Eight references with two versions each."""
    reference = rng.integers(0, 256, (8, 64, 72, 3)).astype(np.uint8)
    return reference, rng.integers(0, 256, (8, 2, 64, 72, 3)).astype(np.uint8)


def scores(comparison, units, count):
    """Of all units, on the first ``count`` devices."""
    devices = jax.local_devices()[:count]
    runner = UnitRunner(Comparison.versions, comparison, devices=devices)
    assert runner.unit_count == count
    batches = [
        jax.device_get(runner(*(array[start : start + count] for array in units)))
        for start in range(0, len(units[0]), count)
    ]
    return {name: np.concatenate([batch[name] for batch in batches]) for name in NAMES}


def test_eight_devices_are_there():
    assert parallel.describe_devices()["count"] == len(jax.local_devices()) == 8


@pytest.mark.parametrize("count", [2, 8])
def test_devices_give_the_scores_of_one_device(comparison, units, count):
    one, several = scores(comparison, units, 1), scores(comparison, units, count)
    for name in NAMES:
        assert one[name].shape == (8, 2)
        np.testing.assert_array_equal(one[name], several[name])


def test_pmap_of_the_same_step_gives_the_same_scores(comparison, units):
    ours = scores(comparison, units, 8)
    theirs = jax.pmap(Comparison.versions, in_axes=(None, 0, 0))(comparison, *units)
    for name in NAMES:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-6)


def test_results_lie_on_all_devices(comparison, units):
    found = UnitRunner(Comparison.versions, comparison)(*units)
    assert len(found[NAMES[0]].sharding.device_set) == 8


def test_several_units_at_once_on_each_device(comparison, units):
    devices = jax.local_devices()[:2]
    runner = UnitRunner(Comparison.versions, comparison, units_at_once=4, devices=devices)
    assert runner.unit_count == 8
    one, several = scores(comparison, units, 1), jax.device_get(runner(*units))
    for name in NAMES:
        np.testing.assert_allclose(one[name], several[name], rtol=1e-4)


def test_one_image_at_a_time_on_a_cpu():
    assert parallel.images_at_once() == 1
