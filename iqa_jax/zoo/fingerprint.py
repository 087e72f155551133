"""Hash of a function's computation, the same in every process.

JAX traces the function to a program. The program's text and the values of all its arrays define the
computation, whichever files the arrays came from. The one exception is a callback into Python,
whose code is not part of the program; in that case the results for one image are hashed too.
"""

import hashlib
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Jaxpr, Literal

from iqa_jax.backbones import Activations, from_function

_SIZE = 256
_ADDRESS = re.compile(r" at 0x\w+")
_CALLBACK = "callback"


def program_fingerprint(function: Callable[[jax.Array], Activations]) -> bytes:
    """SHA-256 of the program and arrays of a backbone function.

    Args:
      function: Function from images ``[B, H, W, 3]`` in [0, 1] to named activations.

    Raises:
      InputError: If it does not return named activations.
    """
    network = from_function(function)
    order = []

    def run(images: jax.Array) -> Activations:
        activations = network.apply({}, images)
        order.extend(activations)
        return activations

    traced = jax.make_jaxpr(run)(jax.ShapeDtypeStruct((1, _SIZE, _SIZE, 3), jnp.float32))
    sha256 = hashlib.sha256(repr(order).encode())
    with np.printoptions(threshold=sys.maxsize, floatmode="unique"):
        sha256.update(_ADDRESS.sub("", str(traced)).encode())
    equations = []
    for jaxpr, constants in _programs(traced.jaxpr, traced.consts, set()):
        equations += jaxpr.eqns
        for array in constants:
            _add(sha256, array)
    for equation in equations:
        for each in equation.invars:
            if isinstance(each, Literal):
                _add(sha256, each.val)
    if any(_CALLBACK in equation.primitive.name for equation in equations):
        for array in run(_probe()).values():
            _add(sha256, array)
    return sha256.digest()


def _programs(
    jaxpr: Jaxpr, constants: Sequence[Any], seen: set[int]
) -> Iterator[tuple[Jaxpr, Sequence[Any]]]:
    """Yields a program and those it calls, each once, with the arrays that they close over."""
    if id(jaxpr) in seen:
        return
    seen.add(id(jaxpr))
    yield jaxpr, constants
    for equation in jaxpr.eqns:
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=_is_program):
            if _is_program(inner):
                inner_jaxpr = getattr(inner, "jaxpr", inner)  # a closed jaxpr wraps another one
                yield from _programs(inner_jaxpr, getattr(inner, "consts", ()), seen)


def _is_program(value: Any) -> bool:
    return hasattr(value, "eqns")


def _add(sha256: Any, array: Any) -> None:
    if jnp.issubdtype(getattr(array, "dtype", np.float32), jax.dtypes.prng_key):
        array = jax.random.key_data(array)
    values = np.ascontiguousarray(array)
    sha256.update(f"{values.dtype} {values.shape}\n".encode())
    sha256.update(values.reshape(-1).view(np.uint8).data)


def _probe() -> jax.Array:
    """A noise image: the top bytes of a multiplicative sequence."""
    ramp = jnp.arange(_SIZE * _SIZE * 3, dtype=jnp.uint32) * jnp.uint32(2654435761)
    return (ramp >> 24).astype(jnp.float32).reshape(1, _SIZE, _SIZE, 3) / 255
