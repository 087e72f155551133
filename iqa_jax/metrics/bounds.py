"""Upper bounds of read-outs for activations of any size and sign. All lower bounds are 0.

* ``unit``: with channel vectors u and v of at most unit length and non-negative weights w,
  sum_c w_c (u_c - v_c)^2 <= max(w) |u - v|^2 <= 4 max(w) at every position. Opposite vectors along
  the channel of the greatest weight attain it. Layers are added up.
* ``unit_root``: the square root of that.
* ``cosine``: one minus a cosine, at most 2. Weights are those of an inner product.
* ``structure_texture``: a weighted mean of terms less than 2, which are
  1 - (2 m n + k) / (m^2 + n^2 + k) with the means m and n, and 1 - (2 q + k) / (v + z + k) with a
  covariance |q| <= (v + z) / 2.
* ``distance_correlation``: one minus the cosine of two matrices, at most 1. Both are negative
  semi-definite, because sqrt(|x - y|^2 + k) is a distance of negative type, so that their inner
  product is not negative.

The other read-outs grow with the activations without bound.
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
    if readout == "distance_correlation":
        return 1.0
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
