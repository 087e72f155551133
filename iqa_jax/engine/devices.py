"""Devices: the only module that knows how many there are.

Work units share nothing, so each device runs the program of a single one on units of its own and no
collective is needed: the scores are those of one device, whatever their number. What was
``jax.pmap`` is ``jit`` of ``shard_map`` over a mesh with one axis here.

How many images go through a network together depends on their size and the kind of device alone:
the same program computes a score, whatever else is in the table.
"""

import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from iqa_jax.engine import memory
from iqa_jax.engine.step import Step

AXIS = "units"
"""The mesh's one axis: work units."""

_PIXELS_AT_ONCE = {"cpu": 2**17, "gpu": 8 * 384 * 512, "tpu": 8 * 384 * 512}
"""On a CPU more pixels no longer fit the caches, and one large image keeps all cores busy."""

_EIGEN = {
    "xla_cpu_experimental_ynn_fusion_type": (
        "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT,LIBRARY_FUSION_TYPE_REDUCE"
    )
}
"""What XLA gives to YNNPACK by itself, but convolutions: Eigen's make networks up to twice as fast,
see ``scripts/benchmarks/forward.py``."""

_MOST_PROGRAMS = 8
"""Image sizes whose programs are kept for the next model of the same trunk."""

_Shapes = tuple[tuple[int, ...], tuple[int, ...]]
"""Shapes of the references and of the distorted versions that a call takes."""


@dataclass(frozen=True)
class Excess:
    """A step that does not fit.

    Attributes:
      needed: Bytes that it would take.
      there: Bytes that are there for it.
    """

    needed: int
    there: int


def images_at_once(height: int, width: int) -> int:
    """How many images of a size go through a network together on one of these devices."""
    pixels = _PIXELS_AT_ONCE.get(jax.default_backend(), _PIXELS_AT_ONCE["cpu"])
    return max(1, pixels // (height * width))


@functools.cache
def compiler_options() -> dict[str, str]:
    """What XLA is told when it compiles for these devices; what ``XLA_FLAGS`` says comes first."""
    if jax.default_backend() != "cpu" or any(
        name in os.environ.get("XLA_FLAGS", "") for name in _EIGEN
    ):
        return {}
    try:
        jax.jit(lambda: 0, compiler_options=_EIGEN).lower().compile()
    except jax.errors.JaxRuntimeError:  # the options are not for ever
        return {}
    return _EIGEN


def describe_devices() -> dict[str, Any]:
    """What the scores were computed on, as JSON."""
    devices = jax.local_devices()
    return {
        "platform": jax.default_backend(),
        "kind": devices[0].device_kind,
        "count": len(devices),
    }


class Programs:
    """Compiled steps of a run, shared by models of one trunk that follow each other.

    What a step is called, and which weights it has, is no part of its program. Programs of one step
    are kept, of a few image sizes at most: memory grows neither with the number of models nor with
    that of sizes.
    """

    def __init__(self):
        self._kind: object = None
        self._by_shapes: dict[_Shapes, jax.stages.Compiled] = {}

    def of(self, kind: object) -> dict[_Shapes, jax.stages.Compiled]:
        """The programs of a kind of step, which take the place of those of another."""
        if kind != self._kind:
            self._kind, self._by_shapes = kind, {}
        return self._by_shapes


class UnitRunner:
    """Runs a step over work units on all local devices.

    The step is compiled once for each image size. Of many sizes most programs are given up when the
    next size comes, so that memory does not grow with their number.

    Args:
      step: What is computed; its arrays, such as parameters, are put on every device once.
      programs: Programs of the run so far, to be used again and added to; None for none.
      devices: Devices to use; all local ones if empty.
    """

    def __init__(
        self,
        step: Step,
        *,
        programs: Programs | None = None,
        devices: Sequence[Any] = (),
    ):
        devices = devices or jax.local_devices()
        self._mesh = Mesh(np.array(devices), (AXIS,), axis_types=(AxisType.Auto,))
        self._device_count = len(devices)
        self._sharded = NamedSharding(self._mesh, PartitionSpec(AXIS))
        self._step = jax.device_put(step, NamedSharding(self._mesh, PartitionSpec()))
        self._names = tuple(step.names)
        self._programs = (programs or Programs()).of((self._mesh, *_kind(self._step)))

    def unit_count(self, height: int, width: int) -> int:
        """Number of units of an image size that a call takes."""
        return self._device_count * images_at_once(height, width)

    def excess(self, height: int, width: int, versions: int) -> Excess | None:
        """Compiles the step for images of a size, if it is not, and looks at the memory it takes.

        Args:
          height: Height of the images.
          width: Width of the images.
          versions: Number of versions in a unit.

        Returns:
          What is needed and what is there, if that is less; the program is then not kept. None if
          the step can run, or nobody knows.
        """
        shapes = self._shapes_of(height, width, versions)
        needed, there = self._needed(self._program(shapes)), available_memory()
        if needed is not None and there is not None and needed > there:
            del self._programs[shapes]
            return Excess(needed, there)
        return None

    def __call__(self, reference: np.ndarray, distorted: np.ndarray) -> Mapping[str, jax.Array]:
        """Starts the computation of :meth:`unit_count` units and does not wait for it.

        Args:
          reference: ``[units, H, W, 3]``.
          distorted: ``[units, V, H, W, 3]``.

        Returns:
          Name -> ``[units, V]``, to be fetched when they are needed.
        """
        program = self._program((reference.shape, distorted.shape))
        units = jax.device_put((reference, distorted), self._sharded)
        return dict(zip(self._names, program(self._step, *units), strict=True))

    def _program(self, shapes: _Shapes) -> jax.stages.Compiled:
        if shapes not in self._programs:
            if len(self._programs) == _MOST_PROGRAMS:
                self._programs.popitem()  # the latest: the first sizes come first in the next model
            self._programs[shapes] = self._compile(shapes)
        return self._programs[shapes]

    def _shapes_of(self, height: int, width: int, versions: int) -> _Shapes:
        units, image = self.unit_count(height, width), (height, width, 3)
        return (units, *image), (units, versions, *image)

    def _compile(self, shapes: _Shapes) -> jax.stages.Compiled:
        def run(step: Step, *units: jax.Array) -> Sequence[jax.Array]:
            return jax.vmap(step.versions)(*units)

        # A function for each size: what JAX remembers of a function goes with the function.
        compiled = jax.jit(
            jax.shard_map(
                run,
                mesh=self._mesh,
                in_specs=(PartitionSpec(), PartitionSpec(AXIS), PartitionSpec(AXIS)),
                out_specs=PartitionSpec(AXIS),
            ),
            compiler_options=compiler_options(),
        )
        units = [jax.ShapeDtypeStruct(shape, np.uint8, sharding=self._sharded) for shape in shapes]
        return compiled.lower(self._step, *units).compile()

    def _needed(self, program: jax.stages.Compiled) -> int | None:
        """Bytes that a program takes where :func:`available_memory` is; None if unknown."""
        sizes = program.memory_analysis()
        if sizes is None:
            return None
        # An accelerator has its memory for itself, devices of a CPU share that of the machine.
        sharing = self._device_count if jax.default_backend() == "cpu" else 1
        return sharing * (
            sizes.argument_size_in_bytes + sizes.output_size_in_bytes + sizes.temp_size_in_bytes
        )


def programs_together(steps: Sequence[Step]) -> list[int]:
    """The order in which steps that share their programs follow each other, as positions."""
    first: dict[object, int] = {}
    return sorted(range(len(steps)), key=lambda place: first.setdefault(_kind(steps[place]), place))


def _kind(step: Step) -> tuple[object, ...]:
    """What a step is compiled for: steps of the same kind share their programs."""
    leaves, structure = jax.tree.flatten(step)
    return structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves)


def available_memory() -> int | None:
    """Bytes that a step can take on one of these devices; None if nobody knows."""
    if jax.default_backend() == "cpu":
        return memory.available()
    statistics = jax.local_devices()[0].memory_stats() or {}
    return statistics.get("bytes_limit")
