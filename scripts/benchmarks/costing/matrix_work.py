"""The work of a program that needs matrix units: convolutions and products."""

import math
from typing import Any

import jax
from jax.extend.core import Jaxpr

_PASSES = {jax.lax.Precision.DEFAULT: 1, jax.lax.Precision.HIGH: 3, jax.lax.Precision.HIGHEST: 6}
"""Products of bfloat16 that make one of float32."""


def matrix_operations(program: Jaxpr) -> int:
    """Floating-point operations in bfloat16 of a program's convolutions and matrix products.

    They are those of the mathematics: where a program has a form of its own for each platform, the
    one with the fewest operations counts. Those of float32 count once for each pass in bfloat16.

    Args:
      program: The program before it is compiled.
    """
    return sum(map(_of_equation, program.eqns))


def _of_equation(equation: Any) -> int:
    parameters = equation.params
    name = equation.primitive.name
    if name in ("conv_general_dilated", "dot_general"):
        left, right = (operand.aval for operand in equation.invars)
        if name == "dot_general":
            (contracted, _), _ = parameters["dimension_numbers"]
            terms = math.prod(left.shape[axis] for axis in contracted)
        else:
            output = parameters["dimension_numbers"].rhs_spec[0]
            terms = right.size // right.shape[output]
        passes = _passes(parameters["precision"]) if left.dtype.itemsize == 4 else 1
        return 2 * passes * terms * equation.outvars[0].aval.size
    inner = [matrix_operations(each) for each in _programs(parameters)]
    if name == "cond":
        return min(inner)
    return sum(inner) * (parameters["length"] if name == "scan" else 1)


def _passes(precision: Any) -> int:
    chosen = precision if isinstance(precision, tuple) else (precision,)
    return max(_PASSES[each or jax.lax.Precision.DEFAULT] for each in chosen)


def _programs(parameters: dict[str, Any]) -> list[Jaxpr]:
    """Programs inside an equation; the releases of JAX differ in their types."""
    values = jax.tree.leaves(list(parameters.values()), is_leaf=_is_program)
    return [each for each in values if _is_program(each)]


def _is_program(value: Any) -> bool:
    return hasattr(value, "eqns")
