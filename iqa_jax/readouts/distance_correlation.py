"""DeepDC's distance of two activations: one minus the distance correlation of their channels.

Zhu, Chen, Zhu, Wang and Lin, "DeepDC: Deep distance correlation as a perceptual image quality
evaluator", arXiv 2211.04927 (2022), as computed by the authors' program.
"""

import jax
import jax.numpy as jnp

from iqa_jax.readouts.safe import guarded_sqrt, ratio

_STABILITY = 1e-5
"""The authors' constant in each squared distance."""

_CORRELATION_STABILITY = 1e-6
"""The authors' constant in numerator and denominator of the correlation."""


def centred_distances(activations: jax.Array) -> jax.Array:
    """Distances of all pairs of channels, from which the means of rows and columns are subtracted.

    The distance of two channels is ``sqrt(|x - y|^2 / C^2 + 1e-5)``.

    Args:
      activations: float32 ``[height, width, C]``.

    Returns:
      float32 ``[C, C]``.
    """
    channels = activations.shape[-1]
    rows = activations.reshape(-1, channels)
    products = jnp.matmul(rows.T, rows, precision=jax.lax.Precision.HIGHEST)
    squares = jnp.diagonal(products)
    squared = jnp.maximum(squares[:, None] + squares[None, :] - 2.0 * products, 0.0)
    distances = jnp.sqrt(squared / channels**2 + _STABILITY)
    means = jnp.mean(distances, axis=0)
    return distances - means[:, None] - means[None, :] + jnp.mean(means)


def decorrelation(reference: jax.Array, distorted: jax.Array) -> jax.Array:
    """One minus the correlation of two matrices of distances, ``[1]``.

    0 to 1; NaN for a layer of one channel, whose matrix is always 0.

    Args:
      reference: Result of :func:`centred_distances`.
      distorted: Result for the other image.
    """
    if reference.size == 1:
        return jnp.full((1,), jnp.nan)
    # 1 - <r, d> / (|r| |d|) = (|r - d|^2 - (|r| - |d|)^2) / (2 |r| |d|), as for the read-out
    # cosine, so that the distances of similar images keep their digits.
    difference = reference - distorted
    r, d = (guarded_sqrt(_sum(jnp.square(each))) for each in (reference, distorted))
    gap = ratio(_sum(difference * (reference + distorted)), r + d)
    across = _sum(jnp.square(difference)) - jnp.square(gap)
    return ratio(across / 2.0, r * d + _CORRELATION_STABILITY)


def _sum(matrix: jax.Array) -> jax.Array:
    return jnp.sum(jnp.sum(matrix, axis=0), keepdims=True)
