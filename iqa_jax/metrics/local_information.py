"""Information at each position of a band that an observer could gain from two images.

Wang and Li, IEEE Trans. Image Processing 20 (2011), section III. The neighbourhood of a position is
modelled as a Gaussian vector times a local scale, and the distorted band as a local gain times the
reference plus noise; both are seen with further noise. The information is that of what is seen of
the reference about itself and of what is seen of the distorted band about itself, less what the two
share.
"""

import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.metrics.linear_resizing import product, resizing
from iqa_jax.readouts.safe import guarded_sqrt, ratio

_NOISE = 0.4
_LEAST_VARIANCE = 1e-15
"""Constants of the authors' script, in squared levels; a lower variance counts as none."""

_BASIS = np.array([(1, 1, 1), (1, 0, -1), (1, -2, 1)]) / np.sqrt([[3], [2], [6]])
"""Orthonormal vectors for three neighbours. A mean and differences are less correlated than the
neighbours, which keeps the inverse of their covariance exact, and all but the mean give their
variance; nothing else changes."""

_ROUNDING = 1e-12
"""Share of the largest variance up to which another is the rounding of float32."""

_RIDGE = 4e-6
"""Added to the variances relative to their size, as much as rounding may take from the inverse of a
covariance: a periodic image may lack a difference. It changes no golden score by more than 3e-7."""


class Band(NamedTuple):
    """One image at one scale.

    Attributes:
      neighbours: The 3 x 3 neighbours of each position that has all of them, in an orthonormal
        basis: ``[9, h - 2, w - 2]``. The first is three times their mean.
      scales: Squares of the local scales, ``[h - 2, w - 2]``.
      eigenvalues: Those of the covariance of neighbours, ``[9]``, or ``[10]`` with a parent.
    """

    neighbours: jax.Array
    scales: jax.Array
    eigenvalues: jax.Array


def prepare(plane: jax.Array, parent: jax.Array | None) -> Band:
    """Prepares a band ``[h, w]``, and the next coarser one if it counts as a neighbour."""
    neighbours = together = _neighbours(plane)
    if parent is not None:
        inner = _enlarged(parent, *plane.shape)[None, 1:-1, 1:-1]
        together = jnp.concatenate([neighbours, inner])
    vectors = together.reshape(len(together), -1)
    # Row by row: the sums stay short, which keeps float32 exact.
    rows = jnp.swapaxes(together, 0, 1)
    covariance = jnp.mean(product(rows, jnp.swapaxes(rows, 1, 2)), axis=0) / rows.shape[2]
    white = product(_whitening(covariance), vectors)
    scales = jnp.mean(jnp.square(white), axis=0).reshape(plane.shape[0] - 2, -1)
    return Band(neighbours, scales, jnp.maximum(_eigenvalues(covariance), 0.0))


def information(reference: Band, distorted: Band) -> jax.Array:
    """Information in bits, ``[h - 2, w - 2]``."""
    change = distorted.neighbours - reference.neighbours
    variance, distorted_variance, change_variance, covariance = (
        jnp.sum(first[1:] * second[1:], axis=0) / len(first)
        for first, second in (
            (reference.neighbours, reference.neighbours),
            (distorted.neighbours, distorted.neighbours),
            (change, change),
            (change, reference.neighbours),
        )
    )
    is_flat = variance < _LEAST_VARIANCE
    is_lost = distorted_variance < _LEAST_VARIANCE
    change_gain = jnp.where(is_flat, 0.0, ratio(covariance, variance))
    gain = jnp.where(is_flat | is_lost, 0.0, 1 + change_gain)
    noise = jnp.maximum(change_variance - change_gain * covariance, 0.0)
    noise = jnp.where(is_lost, 0.0, noise)
    signal = (noise + (1 + jnp.square(gain)) * _NOISE) * reference.scales
    terms = signal[None] * reference.eigenvalues[:, None, None] + (_NOISE * noise)[None]
    return jnp.sum(jnp.log1p(terms / _NOISE**2), axis=0) / math.log(2)


@jax.custom_jvp
def _eigenvalues(covariance: jax.Array) -> jax.Array:
    """Eigenvalues of a symmetric matrix, with slopes also where some of them are equal.

    JAX's own slopes divide by their differences, because they are those of the vectors, too.
    """
    return jnp.linalg.eigvalsh(covariance, symmetrize_input=False)


@_eigenvalues.defjvp
def _eigenvalues_jvp(
    primals: tuple[jax.Array], tangents: tuple[jax.Array]
) -> tuple[jax.Array, jax.Array]:
    (covariance,), (change,) = primals, tangents
    values, vectors = jnp.linalg.eigh(covariance, symmetrize_input=False)
    return values, jnp.sum(vectors * product(change, vectors), axis=0)


def _whitening(covariance: jax.Array) -> jax.Array:
    """Matrix that makes vectors with a covariance ``[N, N]`` uncorrelated, of variance 1."""
    variances = jnp.diagonal(covariance)
    is_rounding = variances <= _ROUNDING * jnp.max(variances)
    deviations = guarded_sqrt(jnp.where(is_rounding, 0.0, variances))[:, None]
    correlation = ratio(covariance, deviations * deviations.T)
    identity = jnp.eye(len(covariance), dtype=covariance.dtype)
    ridge = jnp.where(deviations == 0, 1.0, _RIDGE) * identity
    root = jnp.linalg.cholesky(correlation + ridge, symmetrize_input=False)
    inverse = jax.scipy.linalg.solve_triangular(root, identity, lower=True)
    return ratio(inverse, deviations.T)


def _neighbours(plane: jax.Array) -> jax.Array:
    """Coefficients of 3 x 3 neighbours in an orthonormal basis, ``[9, h - 2, w - 2]``."""
    for axis in (-2, -1):
        size = plane.shape[axis] - 2
        first, middle, last = (
            jax.lax.slice_in_dim(plane, start, start + size, axis=axis) for start in range(3)
        )
        plane = jnp.stack([a * first + b * middle + c * last for a, b, c in _BASIS.tolist()])
    return plane.reshape(9, *plane.shape[-2:])


def _enlarged(plane: jax.Array, height: int, width: int) -> jax.Array:
    """A coarser band at the positions of the next finer one."""
    rows, columns = (
        jnp.asarray(_enlarging(*sizes)) for sizes in zip(plane.shape, (height, width), strict=True)
    )
    return product(product(rows, plane), columns.T)


@functools.lru_cache(maxsize=32)
def _enlarging(old: int, new: int) -> np.ndarray:
    """Weights of old positions in new ones, ``[new, old]``, with the ends continued linearly."""
    fine = resizing(old, 4 * old - 3)
    ends = 2 * fine[[0, -1]] - fine[[1, -2]]
    return np.concatenate([ends[:1], fine[1::2], ends[1:]])[:new].astype(np.float32)
