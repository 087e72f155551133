"""Upper bounds of read-outs, whatever the activations are.

At a position, u and v are the channel vectors of two images at unit length (at most, for vectors
near 0), w are non-negative channel weights:

* ``unit``: sum_c w_c (u_c - v_c)^2 <= max(w) |u - v|^2 <= 4 max(w), attained by opposite vectors
  along the channel of the greatest weight; layers are added up. ``unit_root`` is its square root.
* ``cosine``: one minus a cosine, at most 2. Weights are those of an inner product.
* ``structure_texture``: both terms, 1 - (2 a b + k) / (a^2 + b^2 + k) with means in the place of a
  and b, and 1 - (2 q + k) / (v + z + k) with a covariance |q| <= (v + z) / 2, are less than 2, and
  so is their weighted mean.

The other read-outs grow without bound with the activations.
"""

import math
from collections.abc import Sequence

import jax
import numpy as np
from jax.core import Tracer

_OPPOSITE = 4.0
"""Squared distance of two opposite vectors of unit length."""


def highest_distance(readout: str, weights: Sequence[jax.Array | None]) -> float:
    """Upper bound of a read-out, in exact arithmetic.

    Args:
      readout: Key of ``READOUTS``.
      weights: Channel weights of each layer; None for weights of 1.

    Returns:
      Infinity where there is no bound, or where weights are traced and so unknown.
    """
    if readout in ("cosine", "structure_texture"):
        return 2.0
    if readout not in ("unit", "unit_root"):
        return math.inf
    highest = sum(_OPPOSITE * _greatest(each) for each in weights)
    return highest if readout == "unit" else math.sqrt(highest)


def _greatest(weights: jax.Array | None) -> float:
    if weights is None:
        return 1.0
    if isinstance(weights, Tracer) or not isinstance(weights, jax.Array | np.ndarray):
        return math.inf
    return float(np.max(np.asarray(weights)))
