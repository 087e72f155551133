import gc
import weakref
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding, PartitionSpec
from metrics import computed

from iqa_jax.engine import devices
from iqa_jax.engine import programs as programs_of_a_run
from iqa_jax.engine.devices import UnitRunner, programs_together
from iqa_jax.engine.programs import Programs
from iqa_jax.metrics.pair_function import PairFunction
from iqa_jax.metrics.pixels import PIXEL_METRICS, PixelScores
from iqa_jax.pytrees import register_pytree

NAMES = ("alexnet/relu1/l2", "alexnet/relu5/unit", "alexnet/input/rmse")


@pytest.fixture(scope="module")
def function(checkpoints):
    return computed.load(*NAMES, checkpoints_dir=checkpoints)


@pytest.fixture
def units(rng):
    """Eight references with two versions each."""
    reference = rng.integers(0, 256, (8, 64, 72, 3)).astype(np.uint8)
    return reference, rng.integers(0, 256, (8, 2, 64, 72, 3)).astype(np.uint8)


def scores(function, units, count):
    """Of all units, on the first ``count`` devices."""
    devices = jax.local_devices()[:count]
    runner = UnitRunner(function, devices=devices)
    assert runner.unit_count(384, 512) == count
    batches = [
        jax.device_get(runner(*(array[start : start + count] for array in units)))
        for start in range(0, len(units[0]), count)
    ]
    return {name: np.concatenate([batch[name] for batch in batches]) for name in NAMES}


def test_eight_devices_are_there():
    assert devices.describe_devices()["count"] == len(jax.local_devices()) == 8


@pytest.mark.parametrize("count", [2, 8])
def test_devices_give_the_scores_of_one_device(function, units, count):
    one, several = scores(function, units, 1), scores(function, units, count)
    for name in NAMES:
        assert one[name].shape == (8, 2)
        np.testing.assert_array_equal(one[name], several[name])


def test_pmap_of_the_same_step_gives_the_same_scores(function, units, monkeypatch):
    monkeypatch.setattr(devices, "compiler_options", lambda _: {})  # pmap knows none
    ours = scores(function, units, 8)
    theirs = jax.pmap(PairFunction.versions, in_axes=(None, 0, 0))(function, *units)
    theirs = computed.named(function, theirs)
    for name in NAMES:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-6)


def test_a_step_of_shapes_is_compiled_for_the_devices_of_a_mesh(function, units):
    mesh = devices.mesh_of(jax.local_devices()[:4])
    assert devices.platform_of(mesh) == "cpu"
    shapes = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), function)
    program = devices.trace(shapes, mesh, 8, 2, (64, 72)).lower().compile()
    everywhere = NamedSharding(mesh, PartitionSpec())
    divided = NamedSharding(mesh, PartitionSpec(devices.AXIS))
    found = program(jax.device_put(function, everywhere), *jax.device_put(units, divided))
    expected = jax.device_get(UnitRunner(function)(*units))
    for name, values in zip(NAMES, found, strict=True):
        assert len(values.sharding.device_set) == 4
        np.testing.assert_allclose(values, expected[name], rtol=1e-5)


def test_results_lie_on_all_devices(function, units):
    found = UnitRunner(function)(*units)
    assert len(found[NAMES[0]].sharding.device_set) == 8


def test_several_units_at_once_on_each_device(function, units):
    several = jax.device_get(UnitRunner(function, devices=one_device())(*units))
    alone = scores(function, units, 1)
    for name in NAMES:
        np.testing.assert_allclose(alone[name], several[name], rtol=1e-5)


def test_a_score_does_not_depend_on_its_place(function, units, rng):
    """Whatever the other units of a call are, and how many of them are padding: to the bit."""
    runner = UnitRunner(function, devices=one_device())
    together = jax.device_get(runner(*units))
    order = rng.permutation(8)
    moved = jax.device_get(runner(*(array[order] for array in units)))
    padded = jax.device_get(runner(*(only_third(array) for array in units)))
    for name in NAMES:
        np.testing.assert_array_equal(together[name][order], moved[name], err_msg=name)
        np.testing.assert_array_equal(together[name][2], padded[name][2], err_msg=name)


def only_third(array):
    kept = np.zeros_like(array)
    kept[2] = array[2]
    return kept


def one_device():
    return jax.local_devices()[:1]


def test_a_call_takes_units_for_every_device(function):
    runner = UnitRunner(function, devices=jax.local_devices()[:2])
    assert runner.unit_count(384, 512) == 2
    assert runner.unit_count(64, 128) == 32


@register_pytree
@dataclass(frozen=True)
class Difference:
    factor: jax.Array
    label, names = "difference", ("difference",)

    def prepare(self, image):
        return image

    def versions(self, reference, distorted):
        error = jnp.mean(jnp.abs(distorted - reference[None]), axis=(1, 2, 3))
        return (self.factor * error.astype(self.factor.dtype),)


TWO = np.float32(2)


def small(height, factor=TWO, **options):
    """A call's worth of images of a height, on two devices."""
    runner = UnitRunner(Difference(factor), devices=jax.local_devices()[:2], **options)
    count = runner.unit_count(height, 300)
    shape = (count, height, 300, 3)
    return runner, np.zeros(shape, np.uint8), np.ones((count, 2, *shape[1:]), np.uint8)


@pytest.fixture
def compiled(monkeypatch):
    """The programs that are compiled, by weak references."""
    made, compile_step = [], UnitRunner._compile

    def spy(runner, shapes):
        program = compile_step(runner, shapes)
        made.append(weakref.ref(program))
        return program

    monkeypatch.setattr(UnitRunner, "_compile", spy)
    return made


def run_small(height, factor=TWO, **options):
    """Twice; the values are those of the factor."""
    runner, reference, distorted = small(height, factor, **options)
    assert runner.excess(height, 300, 2) is None
    for _ in range(2):
        values = jax.device_get(runner(reference, distorted))["difference"]
        np.testing.assert_array_equal(values, np.full((2, 2), factor))


def test_steps_of_one_kind_share_their_programs(compiled):
    programs = Programs()
    for factor in np.float32([2, 4]):
        for height in (400, 500):
            run_small(height, factor, programs=programs)
    assert len(compiled) == 2


def test_another_kind_of_step_takes_the_place_of_the_one_before(compiled):
    programs = Programs()
    for factor in (np.float32(2), np.float16(2), np.float32(2)):
        run_small(400, factor, programs=programs)
    gc.collect()
    assert [program() is not None for program in compiled] == [False, False, True]


def test_programs_do_not_grow_with_the_number_of_sizes(compiled, monkeypatch):
    """The first stay, for the next model."""
    monkeypatch.setattr(programs_of_a_run, "_MOST", 2)
    programs = Programs()
    for height in (400, 401, 402):
        run_small(height, programs=programs)
    gc.collect()
    assert [program() is not None for program in compiled] == [True, False, True]
    run_small(400, programs=programs)
    assert len(compiled) == 3


def test_steps_of_one_kind_follow_each_other():
    kinds = (np.float32, np.float16, np.float32, np.float16)
    steps = [Difference(kind(place)) for place, kind in enumerate(kinds)]
    assert programs_together(steps) == [0, 2, 1, 3]


def test_a_step_that_does_not_fit_is_not_kept(compiled, monkeypatch):
    runner, reference, distorted = small(400)
    images = 2 * 3 * 400 * 300 * 3  # two units of three images
    monkeypatch.setattr(devices, "available_memory", lambda: images)
    excess = runner.excess(400, 300, 2)
    assert excess.there == images < excess.needed < 40 * images
    gc.collect()
    assert [program() for program in compiled] == [None]
    monkeypatch.setattr(devices, "available_memory", lambda: excess.needed)
    assert runner.excess(400, 300, 2) is None
    monkeypatch.setattr(devices, "available_memory", lambda: None)
    assert runner.excess(500, 300, 2) is None
    runner(reference, distorted)


def as_if_on_a_gpu(monkeypatch, runner):
    monkeypatch.setattr(runner, "_platform", "gpu")
    return runner


def test_an_accelerator_takes_as_many_units_as_fit(monkeypatch):
    runner = as_if_on_a_gpu(monkeypatch, small(400)[0])
    assert runner.unit_count(100, 120) == 2 * 128
    monkeypatch.setattr(devices, "available_memory", lambda: None)
    assert runner.excess(100, 120, 2) is None
    needed = runner._needed(runner._compile(runner._shapes_of(100, 120, 2)))
    monkeypatch.setattr(devices, "available_memory", lambda: needed // 3)
    assert runner.excess(100, 120, 2) is None
    assert runner.unit_count(100, 120) == 2 * 32
    monkeypatch.setattr(devices, "available_memory", lambda: 1)
    assert runner.excess(100, 120, 2).there == 1
    assert runner.unit_count(100, 120) == 2


OUT_OF_MEMORY = (
    "RESOURCE_EXHAUSTED: E1000: CompileTimeHbmOom: Ran out of memory on HBM, the total memory "
    "required for HLO temporaries (19.07G) exceeds available HBM (15.75G). HLO module: jit_run."
)


@pytest.mark.parametrize("count", [1, 3, 1000])
def test_the_compiler_of_an_accelerator_refuses_what_does_not_fit(monkeypatch, count):
    runner = as_if_on_a_gpu(monkeypatch, small(400)[0])
    compile_step = runner._compile

    def compile_few(shapes):
        if shapes[0][0] > 2 * count:
            raise jax.errors.JaxRuntimeError(OUT_OF_MEMORY)
        return compile_step(shapes)

    monkeypatch.setattr(runner, "_compile", compile_few)
    assert runner.excess(100, 120, 2) is None
    assert runner.unit_count(100, 120) == 2 * min(128, 2 ** (count.bit_length() - 1))


def test_other_faults_of_the_compiler_are_raised(monkeypatch):
    def fails(_):
        raise jax.errors.JaxRuntimeError("INTERNAL: 3G of 2G")

    runner = small(400)[0]
    monkeypatch.setattr(runner, "_compile", fails)
    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
        runner.excess(400, 300, 2)


def test_what_the_compiler_refuses_alone_is_too_large(monkeypatch):
    def fails(_):
        raise jax.errors.JaxRuntimeError(OUT_OF_MEMORY)

    runner = as_if_on_a_gpu(monkeypatch, small(400)[0])
    monkeypatch.setattr(runner, "_compile", fails)
    excess = runner.excess(400, 300, 2)
    assert (round(excess.needed / 2**30, 2), excess.there / 2**30) == (19.07, 15.75)


def test_memory_is_that_of_the_device_or_of_the_machine(monkeypatch):
    assert 2**20 < devices.available_memory() < 2**50

    class Device:
        def memory_stats(self):
            return {"bytes_limit": 7}

    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(jax, "local_devices", lambda: [Device()])
    assert devices.available_memory() == 7


@pytest.mark.parametrize("name", PIXEL_METRICS)
def test_every_metric_of_pixels_can_be_divided_among_devices(name):
    step = PixelScores((name,))
    traced = devices.trace(step, devices.mesh_of(jax.devices()), 8, 2, (176, 180))
    assert [each.shape for each in jax.tree.leaves(traced.out_info)] == [(8, 2)]
