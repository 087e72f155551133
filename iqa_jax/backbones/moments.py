"""Moments of batch normalisations, from the activations of some images."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from iqa_jax.backbones.layers import BatchNorm
from iqa_jax.backbones.registry import abstract_module

_STORED = jnp.bfloat16
"""Moments are rounded to the eight digits of this type, so that they are the same everywhere."""


def measured_moments(
    architecture: str, parameters: Mapping[str, np.ndarray], x: np.ndarray
) -> dict[str, np.ndarray]:
    """The mean and variance that every batch normalisation of a network finds, layer by layer.

    Each layer sees what those before it have normalised. Computed in float64 and rounded, they are
    the same on every machine.

    Args:
      architecture: Key of ``backbones.ARCHITECTURES``.
      parameters: Float32 parameters by dotted name; their moments are ignored.
      x: Preprocessed images ``[B, H, W, C]``.

    Returns:
      Float32 arrays by the dotted names of the moments.
    """
    module = abstract_module(architecture)
    for _, node in nnx.iter_graph(module):
        if isinstance(node, BatchNorm):
            node.use_running_average, node.momentum = False, 0.0
    graph, state = nnx.split(module)
    paths = {".".join(map(str, path)): path for path, _ in nnx.to_flat_state(state)}
    moments = {name: path for name, path in paths.items() if name.endswith((".mean", ".var"))}

    def measure(parameters: Mapping[str, jax.Array], x: jax.Array) -> dict[str, jax.Array]:
        flat = [
            (path, leaf.replace(parameters[".".join(map(str, path))]))
            for path, leaf in nnx.to_flat_state(state)
        ]
        filled = nnx.merge(graph, nnx.from_flat_state(flat))
        filled(x)
        found = dict(nnx.to_flat_state(nnx.state(filled)))
        return {name: found[path][...] for name, path in moments.items()}

    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):  # for Flax
        exact = {name: jnp.asarray(each, jnp.float64) for name, each in parameters.items()}
        found = jax.jit(measure)(exact, jnp.asarray(x, jnp.float64))
        return {name: _rounded(np.asarray(each)) for name, each in found.items()}


def _rounded(values: np.ndarray) -> np.ndarray:
    return values.astype(_STORED).astype(np.float32)
