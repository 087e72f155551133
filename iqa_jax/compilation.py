"""Compilation for the local devices, by the programs and by metrics and backbones in Python."""

import functools
import os
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

import jax
import numpy as np
from jax.core import Tracer

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

_Options = Mapping[str, str | bool]

_EIGEN: _Options = {
    "xla_cpu_experimental_ynn_fusion_type": (
        "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT,LIBRARY_FUSION_TYPE_REDUCE"
    )
}
"""Everything XLA gives to YNNPACK by default except convolutions."""

LIBRARIES: Mapping[str, _Options] = {
    "oneDNN": {**_EIGEN, "xla_cpu_experimental_onednn_custom_call": True},
    "Eigen": _EIGEN,
}
"""Options that give the convolutions of a CPU to a library, the fastest library first; see
``scripts/benchmarks/forward.py``."""

_PROBE = tuple(jax.ShapeDtypeStruct(shape, np.float32) for shape in ((1, 9, 9, 32), (3, 3, 32, 32)))
"""Images and kernel of a small convolution."""


def compiler_options(platform: str | None = None) -> dict[str, str | bool]:
    """Compiler options for the devices of a platform. ``XLA_FLAGS`` takes precedence.

    Args:
      platform: Platform of the devices; None for that of JAX's default devices.
    """
    _, options = _convolutions(platform or jax.default_backend())
    return dict(options)


def convolution_library(platform: str | None = None) -> str:
    """Library that computes convolutions: oneDNN, Eigen or YNNPACK on a CPU, else XLA itself.

    Libraries add in different orders, so the scores of networks differ in their last digits.

    Args:
      platform: Platform of the devices; None for that of JAX's default devices.

    Returns:
      Name of the library that is used with :func:`compiler_options`.
    """
    library, _ = _convolutions(platform or jax.default_backend())
    return library


@functools.cache
def _convolutions(platform: str) -> tuple[str, _Options]:
    """Library and options for the devices of a platform."""
    if platform != "cpu":
        return "XLA", {}
    named = {option for options in LIBRARIES.values() for option in options}
    if not any(option in os.environ.get("XLA_FLAGS", "") for option in named):
        for library, options in LIBRARIES.items():
            if has_library(library):
                return library, options
    return _library_with({}) or "XLA", {}


def has_library(library: str) -> bool:
    """Whether the compiler gives convolutions on a CPU to a library if it is asked to.

    Args:
      library: Key of :data:`LIBRARIES`.
    """
    return _library_with(LIBRARIES[library]) == library


def _library_with(options: _Options) -> str | None:
    """Library that computes a convolution on a CPU; None if XLA does not know the options.

    Some versions of XLA know an option and ignore it: only the compiled program shows the library.
    """
    probe = jax.jit(
        lambda images, kernel: jax.lax.conv_general_dilated(
            images, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        ),
        compiler_options=dict(options),
    )
    try:
        with jax.default_device("cpu"):
            program = probe.lower(*_PROBE).compile().as_text() or ""
    except jax.errors.JaxRuntimeError:
        return None
    marks = {"__onednn$convolution": "oneDNN", "ynn": "YNNPACK"}
    return next((library for mark, library in marks.items() if mark in program), "Eigen")


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
