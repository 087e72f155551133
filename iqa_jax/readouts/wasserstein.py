"""DeepWSD's distance of two activations: mass moved between samples, and squared errors.

Liao, Chen, Zhu, Wang, Zhou and Kwong, "DeepWSD: Projecting degradations in perceptual space to
Wasserstein distance in deep feature space", ACM Multimedia (2022), arXiv 2208.03323, as computed by
the authors' program.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

_STABILITY = 1e-6
"""The authors' constant in the sum of the activations."""


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
    the squared difference there: integers that follow from the order of the masses. Beyond the
    smaller of two unequal totals, its quantile is the last sample.

    Args:
      reference: Cumulative masses ``[n - 1, windows]``.
      distorted: Those of the other image.
    """
    # Equal masses are passed in the order of their samples, first that of the reference, so that
    # those of equal images cancel one by one.
    order = jnp.arange(len(reference))
    is_earlier, is_not_later = (
        compare(order[None], order[:, None])[..., None] for compare in (jnp.less, jnp.less_equal)
    )
    r, d = reference, distorted
    d_before_r = jnp.where(is_earlier, d[None] <= r[:, None], d[None] < r[:, None])
    r_before_d = jnp.where(is_not_later, r[None] <= d[:, None], r[None] < d[:, None])
    numbers = order.astype(reference.dtype)[:, None]
    before_r = numbers - _count(d_before_r)
    before_d = _count(r_before_d) - numbers
    return jnp.sum((2 * before_d - 1) * distorted - (2 * before_r + 1) * reference, axis=0)


def _count(is_passed: jax.Array) -> jax.Array:
    return jnp.sum(is_passed, axis=1, dtype=jnp.float32)
