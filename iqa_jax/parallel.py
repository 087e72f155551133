"""Devices: the only module that knows how many there are.

Work units share nothing, so each device runs the program of a single one on units of its own and no
collective is needed: the scores are those of one device, whatever their number. What was
``jax.pmap`` is ``jit`` of ``shard_map`` over a mesh with one axis here.

How many images go through a network together depends on their size and the kind of device alone:
the same program computes a score, whatever else is in the table.
"""

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

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

UnitStep = Callable[[Any, jax.Array, jax.Array], Mapping[str, jax.Array]]


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


class UnitRunner:
    """Runs a step over work units on all local devices.

    Args:
      step: ``(constants, reference [H, W, 3], distorted [V, H, W, 3])`` -> name -> ``[V]``.
      constants: First argument of the step, such as parameters; put on every device once.
      devices: Those to use; all local ones if empty.
    """

    def __init__(
        self,
        step: UnitStep,
        constants: Any,
        *,
        devices: Sequence[Any] = (),
    ):
        devices = devices or jax.local_devices()
        mesh = Mesh(np.array(devices), (AXIS,), axis_types=(AxisType.Auto,))
        self._device_count = len(devices)
        self._sharded = NamedSharding(mesh, PartitionSpec(AXIS))
        self._constants = jax.device_put(constants, NamedSharding(mesh, PartitionSpec()))

        def run(constants: Any, *units: jax.Array) -> Mapping[str, jax.Array]:
            return jax.vmap(lambda *unit: step(constants, *unit))(*units)

        self._run = jax.jit(
            jax.shard_map(
                run,
                mesh=mesh,
                in_specs=(PartitionSpec(), PartitionSpec(AXIS), PartitionSpec(AXIS)),
                out_specs=PartitionSpec(AXIS),
            ),
            compiler_options=compiler_options(),
        )

    def unit_count(self, height: int, width: int) -> int:
        """Number of units of an image size that a call takes."""
        return self._device_count * images_at_once(height, width)

    def __call__(self, reference: np.ndarray, distorted: np.ndarray) -> Mapping[str, jax.Array]:
        """Starts the computation of :meth:`unit_count` units and does not wait for it.

        Args:
          reference: ``[units, H, W, 3]``.
          distorted: ``[units, V, H, W, 3]``.

        Returns:
          Name -> ``[units, V]``, to be fetched when they are needed.
        """
        units = jax.device_put((reference, distorted), self._sharded)
        return self._run(self._constants, *units)
