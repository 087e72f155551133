"""DeepWSD's distance of two activations: mass moved between samples, and squared errors.

Liao, Chen, Zhu, Wang, Zhou and Kwong, "DeepWSD: Projecting degradations in perceptual space to
Wasserstein distance in deep feature space", ACM Multimedia (2022), arXiv 2208.03323, as computed by
the authors' program.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

_STABILITY = 1e-6
"""The authors' constant in the sum of the activations."""

_ROUNDING = 1e-6
"""Relative difference of two cumulative masses in float32 that may be equal."""


class Windows(NamedTuple):
    """Activations of a layer in windows of n samples.

    Attributes:
      samples: Samples of each window, ``[n, windows]``.
      masses: Mass of the samples up to each but the last, ``[n - 1, windows]``.
    """

    samples: jax.Array
    masses: jax.Array


def in_windows(activations: jax.Array, side: int) -> Windows:
    """Divides activations into windows of ``side ** 2`` samples.

    As in the authors' program, the samples of a window are not neighbours: with all activations in
    one row, channel by channel, they are ``1 / side ** 2`` of the row apart. In a layer of 64
    channels, a window of 16 samples is therefore one position in every fourth channel. Height and
    width are first rounded to multiples of ``side``, at least one: rows are added (zeros) or
    removed below, columns on the left.

    The mass of a sample x is ``x^2 / sum |x|`` over the layer. (The program sums x, which is the
    same after a ReLU and would make masses negative elsewhere.)

    Args:
      activations: float32 ``[height, width, channels]``.
      side: Side of a window.
    """
    height, width, _ = activations.shape
    rows, columns = (max(1, round(size / side)) * side for size in (height, width))
    padding = ((0, rows - height, 0), (columns - width, 0, 0), (0, 0, 0))
    zero = jnp.zeros((), activations.dtype)
    padded = jax.lax.pad(activations, zero, padding)
    samples = jnp.moveaxis(padded, -1, 0).reshape(side**2, -1)
    total = jnp.sum(jnp.sum(jnp.abs(samples), axis=1)) + _STABILITY
    return Windows(samples, jnp.cumsum(jnp.square(samples[:-1]) / total, axis=0))


def window_distance(reference: Windows, distorted: Windows) -> jax.Array:
    """Sum over windows of DeepWSD's distance, ``[1]``.

    Args:
      reference: Result of :func:`in_windows`.
      distorted: Result for the other image.
    """
    moved = _transport(reference.masses, distorted.masses)
    error = jnp.sum(jnp.square(reference.samples - distorted.samples), axis=0)
    level = moved + 10.0
    weight = jnp.exp(0.5 / level) / jnp.square(level)
    return jnp.sum(moved + error * weight, keepdims=True)


def _transport(reference: jax.Array, distorted: jax.Array) -> jax.Array:
    """Squared 2-Wasserstein distance of the masses of samples 0 to n - 1, ``[windows]``.

    It is the integral of the squared difference of the two quantile functions. Each of them rises
    by 1 at every cumulative mass, so the integral is a sum of these masses, times minus the rise of
    the squared difference there: numbers that follow from the order of the masses. Beyond the
    smaller of two unequal totals, its quantile is the last sample.

    Args:
      reference: Cumulative masses ``[n - 1, windows]``.
      distorted: Those of the other image.
    """
    rises = 2.0 * jnp.arange(len(reference), dtype=reference.dtype)[:, None] + 1.0
    return jnp.sum(
        (2.0 * _passed(reference, distorted) - rises) * distorted
        + (2.0 * _passed(distorted, reference) - rises) * reference,
        axis=0,
    )


def _passed(masses: jax.Array, others: jax.Array) -> jax.Array:
    """Number of cumulative masses of one image that come before each of the other's.

    Masses that only rounding separates are passed in the order of their samples, and those of the
    same sample at once (half is before): equal images have a distance and a slope of 0.
    """
    masses, others = jax.lax.stop_gradient((masses, others))
    places = jnp.arange(len(masses), dtype=jnp.int32)[:, None]
    # Comparing all with all would take n times the memory of the activations.
    search = jax.vmap(functools.partial(jnp.searchsorted, method="scan_unrolled"), 1, 1)
    earlier = jnp.minimum(search(masses, others * (1.0 + _ROUNDING)), places)
    later = jnp.maximum(search(masses, others * (1.0 - _ROUNDING)) - places, 0)
    is_same = jnp.abs(masses - others) <= _ROUNDING * others
    return (earlier + later).astype(masses.dtype) + jnp.where(is_same, 0.5, 0.0)
