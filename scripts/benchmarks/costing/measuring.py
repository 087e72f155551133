"""Compiles a step and counts its cost."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
from jax.sharding import Mesh

from costing.chips import chip_of
from costing.hlo import Charge, charges
from costing.matrix_work import matrix_operations
from costing.rows import Row
from iqa_jax.engine.devices import trace
from iqa_jax.engine.step import Step
from iqa_jax.errors import InputError


def measure(step: Step, mesh: Mesh, asked: Row) -> tuple[Row, Sequence[Charge]]:
    """Compiles a step and counts its cost.

    Args:
      step: The step; shapes instead of arrays are enough.
      mesh: Chips of the topology.
      asked: What to compile, without costs.

    Returns:
      The same with its costs, and the charges of its instructions.

    Raises:
      InputError: If the chip has too little memory for the step, or its cost cannot be counted.
    """
    chip = chip_of(asked.topology)
    images = asked.units * (asked.versions + 1)
    started_at = time.monotonic()
    units = asked.units * mesh.size
    traced = trace(step, mesh, units, asked.versions, (asked.height, asked.width))
    try:
        compiled = traced.lower().compile()
    except jax.errors.JaxRuntimeError as error:  # such as a lack of memory
        raise InputError(str(error).partition("\n")[0]) from error
    seconds = time.monotonic() - started_at
    charged = charges(compiled.as_text() or "", chip.bytes_a_cycle)
    memory: Any = compiled.memory_analysis()
    outside = memory.argument_size_in_bytes + memory.output_size_in_bytes
    moved = outside + 2 * sum(each.bytes_kept for each in charged)
    row = replace(
        asked,
        kilocycles_per_image=sum(each.cycles for each in charged) / images / 1e3,
        matrix_limit=matrix_operations(traced.jaxpr.jaxpr) / chip.flops_a_cycle / images / 1e3,
        memory_bound=moved / chip.bytes_a_cycle / images / 1e3,
        temp_gib=memory.temp_size_in_bytes / 2**30,
        compile_seconds=seconds,
    )
    return row, charged
