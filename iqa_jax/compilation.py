"""Compilation for the local devices, by the programs and by metrics and backbones in Python."""

import functools
import os
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import jax
import numpy as np
from jax.core import Tracer

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_EIGEN = {
    "xla_cpu_experimental_ynn_fusion_type": (
        "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT,LIBRARY_FUSION_TYPE_REDUCE"
    )
}
"""Everything XLA gives to YNNPACK by default except convolutions; Eigen's convolutions make
networks up to twice as fast, see ``scripts/benchmarks/forward.py``."""


@functools.cache
def compiler_options(platform: str | None = None) -> dict[str, str]:
    """Compiler options for the devices of a platform. ``XLA_FLAGS`` takes precedence.

    Args:
      platform: Platform of the devices; None for that of JAX's default devices.
    """
    if (platform or jax.default_backend()) != "cpu" or any(
        name in os.environ.get("XLA_FLAGS", "") for name in _EIGEN
    ):
        return {}
    try:
        jax.jit(lambda: 0, compiler_options=_EIGEN).lower().compile()
    except jax.errors.JaxRuntimeError:  # a later XLA may no longer know the options
        return {}
    return _EIGEN


def compiled(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """A function compiled with :func:`compiler_options` wherever these can be set.

    JAX accepts options only for the outermost ``jit``. Inside any transformation, such as ``jit``,
    ``grad``, ``vmap`` or ``scan``, the function is a plain ``jit``.

    Args:
      function: Function of pytrees.
    """
    inner = jax.jit(function)

    @functools.cache
    def outermost() -> Callable[_Arguments, _Result]:
        # Made at the first call: the options depend on the devices, which are unknown at import.
        return jax.jit(function, compiler_options=compiler_options())

    @functools.wraps(function)
    def call(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        return (inner if _is_traced((args, kwargs)) else outermost())(*args, **kwargs)

    return call


def _is_traced(arguments: object) -> bool:
    """Whether a transformation sees the arguments, or is tracing the code around them."""
    if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(arguments)):
        return True
    return isinstance(jax.lax.iota(np.int32, 1), Tracer)  # needs no transfer from the host
