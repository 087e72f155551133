"""TPU chips: their limits, and their compiler on a machine without one."""

import importlib.util
import os
from dataclasses import dataclass

import jax
from jax.experimental import topologies
from jax.sharding import Mesh

from iqa_jax.engine.devices import mesh_of
from iqa_jax.errors import InputError


@dataclass(frozen=True)
class Chip:
    """Limits of a chip, as its maker states them.

    Attributes:
      accelerator: What libtpu calls a machine with some of them.
      flops: Floating-point operations a second of the matrix units, in bfloat16.
      hertz: Clock rate.
      bandwidth: Bytes a second between the chip and its main memory.
      memory: Bytes of its main memory.
    """

    accelerator: str
    flops: float
    hertz: float
    bandwidth: float
    memory: float

    @property
    def flops_a_cycle(self) -> float:
        """Operations of the matrix units in a cycle."""
        return self.flops / self.hertz

    @property
    def bytes_a_cycle(self) -> float:
        """Bytes that the main memory moves in a cycle."""
        return self.bandwidth / self.hertz


CHIPS = {
    "v5e": Chip("v5litepod-4", 197e12, 1.503e9, 819e9, 16e9),
    "v5p": Chip("v5p-8", 459e12, 1.75e9, 2765e9, 95e9),
    "v6e": Chip("v6e-4", 918e12, 1.75e9, 1640e9, 32e9),
}
"""Chips by the first part of the name of a topology; https://cloud.google.com/tpu/docs."""


def chip_of(topology: str) -> Chip:
    """Chip of a topology such as ``v5e:2x2``.

    Raises:
      InputError: If its limits are not listed here.
    """
    kind = topology.partition(":")[0]
    if kind not in CHIPS:
        raise InputError(f"topology: expected {', '.join(CHIPS)}, then :2x2, got {topology!r}")
    return CHIPS[kind]


def mesh_of_topology(topology: str) -> Mesh:
    """Mesh of the chips of a topology, for which programs can be compiled but not run.

    Raises:
      InputError: If libtpu is not installed, or there is no such topology.
    """
    chip = chip_of(topology)
    if importlib.util.find_spec("libtpu") is None:
        raise InputError(
            "libtpu, which holds the TPU compiler, is missing; install it into a folder of its own "
            "and add that to the path: pip install --no-deps --target=FOLDER libtpu, then "
            "PYTHONPATH=FOLDER python scripts/benchmarks/tpu_cost.py"
        )
    # The compiler alone needs no lock: no TPU is opened.
    os.environ.update(ALLOW_MULTIPLE_LIBTPU_LOAD="true", TPU_SKIP_MDS_QUERY="1")
    os.environ.setdefault("TPU_WORKER_HOSTNAMES", "localhost")
    os.environ.setdefault("TPU_ACCELERATOR_TYPE", chip.accelerator)
    jax.config.update("jax_platforms", "cpu")
    try:
        found = topologies.get_topology_desc(platform="tpu", topology_name=topology)
    except jax.errors.JaxRuntimeError as error:
        raise InputError(f"topology: {topology!r} is unknown to libtpu: {error}") from error
    return mesh_of(found.devices)
