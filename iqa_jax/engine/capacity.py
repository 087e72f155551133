"""Which images are too large for the memory that is there, known before anything is computed."""

import bisect
import math
from collections.abc import Mapping, Sequence

import jax
import numpy as np

from iqa_jax.engine.devices import Excess, UnitRunner, available_memory
from iqa_jax.engine.plan import Plan, WorkUnit
from iqa_jax.engine.step import Step
from iqa_jax.errors import InputError
from iqa_jax.images.resize import Size


def find_too_large(
    units: Sequence[WorkUnit], runner: UnitRunner, versions: int, label: str
) -> Mapping[Size, str]:
    """The sizes at which a compiled step would take more memory than there is.

    Memory grows with the size: what is compiled are the largest size and, where that does not fit,
    a few others, to find the largest that fits, which is ready to run when this returns.

    Args:
      units: Units that are to be computed, in their order: of sizes with as many pixels the first
        one is compiled, which is the first to run.
      runner: The step on the devices.
      versions: V, the number of versions in a unit.
      label: Name of the step in messages.

    Returns:
      Why each of the sizes cannot be computed.
    """
    sizes = sorted(dict.fromkeys(unit.size for unit in units), key=math.prod, reverse=True)
    found: dict[Size, Excess] = {}

    def fits(size: Size) -> bool:
        excess = runner.excess(*size, versions)
        if excess:
            found[size] = excess
        return not excess

    if not sizes or fits(sizes[0]):
        return {}
    too_large = sizes[: bisect.bisect_left(sizes, True, lo=1, key=fits)]
    smallest = too_large[-1]
    return {
        size: _reason(
            label,
            size,
            found[smallest].needed * math.prod(size) / math.prod(smallest),
            found[smallest].there,
        )
        for size in too_large
    }


def check_memory(step: Step, plan: Plan) -> None:
    """Refuses images so large that what is kept of one alone does not fit.

    Nothing is compiled: it takes no time, and what passes may still not fit.

    Args:
      step: What is to be computed; shapes in the place of its arrays are enough.
      plan: The plan.

    Raises:
      InputError: If there are such images; the message names one of the largest.
    """
    unit = max(plan.units, key=lambda unit: math.prod(unit.size))
    image = jax.ShapeDtypeStruct((*unit.size, 3), np.uint8)
    kept = jax.eval_shape(type(step).prepare, step, image)
    needed = sum(math.prod(each.shape) * each.dtype.itemsize for each in jax.tree.leaves(kept))
    there = available_memory()
    if there is not None and needed > there:
        name = plan.table.pairs[unit.rows[0]].reference
        raise InputError(f"{name}: {_reason(step.label, unit.size, needed, there)}")


def _reason(label: str, size: Size, needed: float, there: float) -> str:
    height, width = size
    return (
        f"{label} needs about {_gigabytes(needed)} GB of memory for images of {width}x{height} "
        f"pixels, {_gigabytes(there)} GB are there; --resize, fewer layers or --precision=bf16 "
        "need less"
    )


def _gigabytes(count: float) -> str:
    return f"{count / 1e9:.3g}"
