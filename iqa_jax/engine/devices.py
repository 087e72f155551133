"""Devices: the only module that knows their number.

Work units share nothing, so each device runs the same program on units of its own and no collective
is needed: scores do not depend on the number of devices. ``jit`` of ``shard_map`` over a mesh with
one axis does the work of ``jax.pmap``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from iqa_jax.compilation import compiler_options
from iqa_jax.engine import memory
from iqa_jax.engine.programs import Programs, Shapes
from iqa_jax.engine.step import Step
from iqa_jax.engine.unit_sizes import images_at_once
from iqa_jax.images.resize import Size

AXIS = "units"
"""Name of the mesh's only axis: work units."""


@dataclass(frozen=True)
class Excess:
    """Memory of a step that does not fit.

    Attributes:
      needed: Number of bytes that it would take.
      there: Number of bytes available.
    """

    needed: int
    there: int


def mesh_of(devices: Sequence[Any]) -> Mesh:
    """Mesh of devices, local ones or those of a topology, with work units as its only axis."""
    return Mesh(np.array(devices), (AXIS,), axis_types=(AxisType.Auto,))


def platform_of(mesh: Mesh) -> str:
    """Platform of the devices of a mesh, such as ``cpu`` or ``tpu``."""
    return mesh.devices.flat[0].platform


def trace(step: Step, mesh: Mesh, units: int, versions: int, size: Size) -> jax.stages.Traced:
    """Traces a step for the devices of a mesh, which need not be attached to this machine.

    Args:
      step: Step; shapes instead of arrays are enough.
      mesh: Result of :func:`mesh_of`.
      units: Number of units in a call, a multiple of the number of devices.
      versions: Number of versions in a unit.
      size: Height and width of the images.

    Returns:
      The program for units of this size, to be lowered and compiled: a function of the step, on
      every device, and of the references ``[units, H, W, 3]`` and versions ``[units, V, H, W, 3]``,
      divided among them.
    """
    everywhere, divided = PartitionSpec(), PartitionSpec(AXIS)

    def shape_of(leaf: jax.Array) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(
            leaf.shape, leaf.dtype, sharding=NamedSharding(mesh, everywhere)
        )

    def images(*leading: int) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(
            (*leading, *size, 3), np.uint8, sharding=NamedSharding(mesh, divided)
        )

    # A new function for each size: what JAX caches for a function is freed with it.
    def run(step: Step, *units: jax.Array) -> Sequence[jax.Array]:
        return jax.vmap(step.versions)(*units)

    program = jax.jit(
        jax.shard_map(run, mesh=mesh, in_specs=(everywhere, divided, divided), out_specs=divided),
        compiler_options=compiler_options(platform_of(mesh)),
    )
    return program.trace(jax.tree.map(shape_of, step), images(units), images(units, versions))


def describe_devices() -> dict[str, Any]:
    """Platform, kind and number of the local devices, as JSON."""
    devices = jax.local_devices()
    return {
        "platform": jax.default_backend(),
        "kind": devices[0].device_kind,
        "count": len(devices),
    }


class UnitRunner:
    """Runs a step over work units on all local devices.

    The step is compiled once for each image size. Only a few programs are kept, so memory does not
    grow with the number of sizes.

    Args:
      step: Step to run; its arrays, such as parameters, are put on every device once.
      programs: Programs of the run so far, to be reused and extended; None for none.
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
        self._mesh = mesh_of(devices)
        self._platform = platform_of(self._mesh)
        self._device_count = len(devices)
        self._sharded = NamedSharding(self._mesh, PartitionSpec(AXIS))
        self._step = jax.device_put(step, NamedSharding(self._mesh, PartitionSpec()))
        self._names = tuple(step.names)
        self._at_once: dict[Size, int] = {}
        self._programs = programs or Programs()
        self._programs.use((self._mesh, *_kind(self._step)))

    def unit_count(self, height: int, width: int) -> int:
        """Number of units of an image size in one call."""
        size = height, width
        if size not in self._at_once:
            self._at_once[size] = images_at_once(self._step, size, self._platform)
        return self._device_count * self._at_once[size]

    def excess(self, height: int, width: int, versions: int) -> Excess | None:
        """Compiles the step for images of a size, unless done before, and checks its memory.

        On an accelerator, whose memory is always the same, the number of units is halved until they
        fit.

        Args:
          height: Height of the images.
          width: Width of the images.
          versions: Number of versions in a unit.

        Returns:
          Needed and available memory if the step does not fit; its program is then dropped. None
          if the step can run, or its memory is unknown.
        """
        size = height, width
        found = self._excess(self._shapes_of(*size, versions))
        while found and self._platform != "cpu" and self._at_once[size] > 1:
            self._at_once[size] //= 2
            found = self._excess(self._shapes_of(*size, versions))
        return found

    def compile_ahead(self, height: int, width: int, versions: int) -> None:
        """Starts to compile the step for images of a size that will follow, in a thread.

        Args:
          height: Height of the images.
          width: Width of the images.
          versions: Number of versions in a unit.
        """
        self._programs.compile_ahead(self._shapes_of(height, width, versions), self._compile)

    def close(self) -> None:
        """Waits until nothing is being compiled; the runner remains usable."""
        self._programs.stop()

    def _excess(self, shapes: Shapes) -> Excess | None:
        try:
            program = self._programs.get(shapes, self._compile)
        except jax.errors.JaxRuntimeError as error:  # the compiler found it
            sizes = re.findall(r"([\d.]+)G\b", str(error))
            if "RESOURCE_EXHAUSTED" not in str(error) or len(sizes) < 2:
                raise
            needed, there = (round(float(size) * 2**30) for size in sizes[:2])
            return Excess(needed, there)
        needed, there = self._needed(program), available_memory()
        if needed is not None and there is not None and needed > there:
            self._programs.drop(shapes)
            return Excess(needed, there)
        return None

    def put(self, reference: np.ndarray, distorted: np.ndarray) -> tuple[jax.Array, jax.Array]:
        """Starts the transfer of :meth:`unit_count` units and does not wait for it.

        Args:
          reference: ``uint8`` ``[units, H, W, 3]``.
          distorted: ``uint8`` ``[units, V, H, W, 3]``.

        Returns:
          Both, on the devices.
        """
        return jax.device_put((reference, distorted), self._sharded)

    def __call__(
        self, reference: np.ndarray | jax.Array, distorted: np.ndarray | jax.Array
    ) -> Mapping[str, jax.Array]:
        """Starts the computation of :meth:`unit_count` units and does not wait for it.

        Args:
          reference: ``uint8`` ``[units, H, W, 3]``; transferred unless it is on the devices.
          distorted: ``uint8`` ``[units, V, H, W, 3]``; so are these.

        Returns:
          ``{name: [units, V]}``, still on the devices.
        """
        program = self._programs.get((reference.shape, distorted.shape), self._compile)
        units = jax.device_put((reference, distorted), self._sharded)
        return dict(zip(self._names, program(self._step, *units), strict=True))

    def _shapes_of(self, height: int, width: int, versions: int) -> Shapes:
        units, image = self.unit_count(height, width), (height, width, 3)
        return (units, *image), (units, versions, *image)

    def _compile(self, shapes: Shapes) -> jax.stages.Compiled:
        units, versions, height, width, _ = shapes[1]
        traced = trace(self._step, self._mesh, units, versions, (height, width))
        return traced.lower().compile()

    def _needed(self, program: jax.stages.Compiled) -> int | None:
        """Bytes of :func:`available_memory` that a program takes; None if unknown."""
        sizes = program.memory_analysis()
        if sizes is None:
            return None
        # An accelerator has memory of its own; devices of a CPU share that of the machine.
        sharing = self._device_count if self._platform == "cpu" else 1
        return sharing * (
            sizes.argument_size_in_bytes + sizes.output_size_in_bytes + sizes.temp_size_in_bytes
        )


def programs_together(steps: Sequence[Step]) -> list[int]:
    """Positions of steps in an order in which those that share programs are consecutive."""
    first: dict[object, int] = {}
    return sorted(range(len(steps)), key=lambda place: first.setdefault(_kind(steps[place]), place))


def _kind(step: Step) -> tuple[object, ...]:
    """Structure, shapes and types of a step: steps of the same kind share their programs."""
    leaves, structure = jax.tree.flatten(step)
    return structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves)


def available_memory() -> int | None:
    """Number of bytes available to a step on one of these devices; None if unknown."""
    if jax.default_backend() == "cpu":
        return memory.available()
    statistics = jax.local_devices()[0].memory_stats() or {}
    return statistics.get("bytes_limit")
