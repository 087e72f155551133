"""Finds images that are too large for the available memory before anything is computed."""

import bisect
import math
from collections.abc import Mapping, Sequence

from iqa_jax.engine.devices import Excess, UnitRunner, available_memory
from iqa_jax.engine.plan import Plan, WorkUnit
from iqa_jax.engine.step import Step
from iqa_jax.engine.unit_sizes import prepared_bytes
from iqa_jax.errors import InputError
from iqa_jax.images.resize import Size


def find_too_large(
    units: Sequence[WorkUnit], runner: UnitRunner, versions: int, label: str
) -> Mapping[Size, str]:
    """The sizes at which a compiled step would need more memory than is available.

    Memory grows with the size: the largest size is compiled and, if it does not fit, a few others,
    to find the largest that does. That one is ready to run when this returns.

    Args:
      units: Units to compute, in order. Where several sizes have equally many pixels, the first is
        compiled, because it runs first.
      runner: The step on the devices.
      versions: V, the number of versions in a unit.
      label: Name of the step in messages.

    Returns:
      Reason for each size that cannot be computed.
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
    """Refuses images so large that the prepared values of a single one do not fit into memory.

    Nothing is compiled, so the check takes no time; images that pass may still be too large.

    Args:
      step: The computation; shapes instead of arrays are enough.
      plan: The plan.

    Raises:
      InputError: If there are such images; the message names one of the largest.
    """
    unit = max(plan.units, key=lambda unit: math.prod(unit.size))
    needed, there = prepared_bytes(step, unit.size), available_memory()
    if there is not None and needed > there:
        name = plan.table.pairs[unit.rows[0]].reference
        raise InputError(f"{name}: {_reason(step.label, unit.size, needed, there)}")


def _reason(label: str, size: Size, needed: float, there: float) -> str:
    height, width = size
    return (
        f"{label} needs about {_gigabytes(needed)} GB of memory for images of {width}x{height} "
        f"pixels, {_gigabytes(there)} GB are available; resize, fewer layers or "
        "precision=bf16 reduce the need"
    )


def _gigabytes(count: float) -> str:
    return f"{count / 1e9:.3g}"
