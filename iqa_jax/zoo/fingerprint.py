"""What a function computes, as a hash that is the same in every process.

JAX traces the function to its program. The text of the program and the values of all arrays in it
say what is computed, whatever files the arrays came from. Only what the program calls back into
Python for is not in it; then the results for one image are hashed too.
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
    """A hash of the program and the arrays of a backbone function.

    Args:
      function: From images ``[B, H, W, 3]`` in [0, 1] to named activations.

    Raises:
      InputError: If it returns something else.
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
    """A program and those that it calls, each once, with the arrays that they close over."""
    if id(jaxpr) in seen:
        return
    seen.add(id(jaxpr))
    yield jaxpr, constants
    for equation in jaxpr.eqns:
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=_is_program):
            if _is_program(inner):
                inner_jaxpr = getattr(inner, "jaxpr", inner)  # of one that has its constants
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
    """An image of noise: every byte of a multiplicative sequence."""
    ramp = jnp.arange(_SIZE * _SIZE * 3, dtype=jnp.uint32) * jnp.uint32(2654435761)
    return (ramp >> 24).astype(jnp.float32).reshape(1, _SIZE, _SIZE, 3) / 255
