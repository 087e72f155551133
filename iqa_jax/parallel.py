"""Devices: the only module that knows how many there are.

Work units share nothing, so each device runs the program of a single one on units of its own and no
collective is needed: the scores are those of one device, whatever their number. What was
``jax.pmap`` is ``jit`` of ``shard_map`` over a mesh with one axis here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

AXIS = "units"
"""The mesh's one axis: work units."""

_IMAGES_AT_ONCE = {"cpu": 1, "gpu": 8, "tpu": 8}
"""On a CPU one image fills all cores, and a batch of them no longer fits the caches."""

UnitStep = Callable[[Any, jax.Array, jax.Array], Mapping[str, jax.Array]]


def images_at_once() -> int:
    """How many distorted images should go through a network together on one of these devices."""
    return _IMAGES_AT_ONCE.get(jax.default_backend(), 1)


def describe_devices() -> dict[str, Any]:
    """What the scores were computed on, as JSON."""
    devices = jax.local_devices()
    return {
        "platform": jax.default_backend(),
        "kind": devices[0].device_kind,
        "count": len(devices),
    }


class UnitRunner:
    """Runs a step over work units on all local devices.

    Args:
      step: ``(constants, reference [H, W, 3], distorted [V, H, W, 3])`` -> name -> ``[V]``.
      constants: First argument of the step, such as parameters; put on every device once.
      units_at_once: How many units go through the step together on each device.
      devices: Those to use; all local ones if empty.

    Attributes:
      unit_count: Number of units that a call takes.
    """

    def __init__(
        self,
        step: UnitStep,
        constants: Any,
        *,
        units_at_once: int = 1,
        devices: Sequence[Any] = (),
    ):
        devices = devices or jax.local_devices()
        mesh = Mesh(np.array(devices), (AXIS,), axis_types=(AxisType.Auto,))
        self.unit_count = len(devices) * units_at_once
        self._sharded = NamedSharding(mesh, PartitionSpec(AXIS))
        self._constants = jax.device_put(constants, NamedSharding(mesh, PartitionSpec()))

        def run(constants: Any, *units: jax.Array) -> Mapping[str, jax.Array]:
            at_once = units_at_once if units_at_once > 1 else None
            return jax.lax.map(lambda unit: step(constants, *unit), units, batch_size=at_once)

        self._run = jax.jit(
            jax.shard_map(
                run,
                mesh=mesh,
                in_specs=(PartitionSpec(), PartitionSpec(AXIS), PartitionSpec(AXIS)),
                out_specs=PartitionSpec(AXIS),
            )
        )

    def __call__(self, reference: np.ndarray, distorted: np.ndarray) -> Mapping[str, jax.Array]:
        """Starts the computation of ``unit_count`` units and does not wait for it.

        Args:
          reference: ``[unit_count, H, W, 3]``.
          distorted: ``[unit_count, V, H, W, 3]``.

        Returns:
          Name -> ``[unit_count, V]``, to be fetched when they are needed.
        """
        units = jax.device_put((reference, distorted), self._sharded)
        return self._run(self._constants, *units)
