"""Parameters of untrained networks, the controls of the study.

They separate the effect of training from that of the architecture.
"""

import math
import zlib
from collections.abc import Mapping

import numpy as np

from iqa_jax.weights.conversion import Shaped

_CONSTANTS = {
    "bias": 0.0,
    "scale": 1.0,
    "mean": 0.0,
    "var": 1.0,
    "layer_scale": 1e-6,
    "beta": 1.0,
    "gamma": 1.0,
}
"""Initial values by the last part of a parameter's name."""

_EMBEDDINGS = {"cls_token": 0.02, "pos_embed": 0.02, "register_tokens": 0.02}
"""Standard deviations of the tokens and positions of a transformer, as its authors draw them."""


def initial_parameters(shapes: Mapping[str, Shaped], seed: int) -> dict[str, np.ndarray]:
    """Kernels drawn as in He et al. 2015 (arXiv 1502.01852), and constants for almost all others.

    The tokens and positions of a transformer are drawn with a standard deviation of 0.02. What is
    drawn depends only on its name, its shape and the seed, and is the same on every machine.

    Args:
      shapes: Shapes of the parameters, by name.
      seed: Non-negative integer.

    Returns:
      Float32 arrays by name.
    """
    return {name: _initial(name, tuple(value.shape), seed) for name, value in shapes.items()}


def _initial(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    leaf = name.rpartition(".")[2]
    if leaf in _CONSTANTS:
        return np.full(shape, _CONSTANTS[leaf], np.float32)
    # NumPy guarantees the stream of this legacy generator; that of the new one may change.
    random = np.random.RandomState([seed, zlib.crc32(name.encode())])
    deviation = _EMBEDDINGS.get(leaf) or math.sqrt(2 / math.prod(shape[:-1]))
    return (random.standard_normal(shape) * deviation).astype(np.float32)
