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


class Windows(NamedTuple):
    """Activations of a layer in windows of n samples.

    Attributes:
      samples: Samples of each window, ``[n, windows]``.
      total: Sum of the absolute values of all samples, at least the authors' constant.
    """

    samples: jax.Array
    total: jax.Array


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
    return Windows(samples, _sum(jnp.abs(samples)) + _STABILITY)


def window_distance(reference: Windows, distorted: Windows) -> jax.Array:
    """Sum over windows of DeepWSD's distance, ``[1]``.

    Args:
      reference: Result of :func:`in_windows`.
      distorted: Result for the other image.
    """
    moved = _transport(*_masses(reference, distorted))
    error = jnp.sum(jnp.square(reference.samples - distorted.samples), axis=0)
    level = moved + 10.0
    weight = jnp.exp(0.5 / level) / jnp.square(level)
    return jnp.sum(moved + error * weight, keepdims=True)


def _masses(reference: Windows, distorted: Windows) -> tuple[jax.Array, jax.Array]:
    """Masses of the reference's samples 0 to n - 2, and how much larger the other image's are.

    With totals R and D, ``d^2 / D - r^2 / R`` is ``((d - r) (d + r) - m (D - R)) / D`` with m the
    mass of r. In this form, what is equal cancels before it is rounded. The larger total has to
    divide; if it is R, the roles are exchanged.
    """
    r, d = reference.samples[:-1], distorted.samples[:-1]
    more = _sum(jnp.abs(distorted.samples) - jnp.abs(reference.samples))
    of_reference, of_distorted = (
        jnp.square(x) / y.total for x, y in ((r, reference), (d, distorted))
    )
    is_larger = more >= 0
    masses = jnp.where(is_larger, of_reference, of_distorted)
    total = jnp.where(is_larger, distorted.total, reference.total)
    return of_reference, ((d - r) * (d + r) - masses * more) / total


def _transport(masses: jax.Array, changes: jax.Array) -> jax.Array:
    """Squared 2-Wasserstein distance of the masses of samples 0 to n - 1, ``[windows]``.

    It is the integral of the squared difference of the two quantile functions. Beyond the smaller
    of two unequal totals, its quantile is the last sample. With r and d the cumulative masses, the
    integral is the sum over samples i of ``|d_i - r_i|``, and over pairs i < k of
    ``2 max(d_i - r_k, 0) + 2 max(r_i - d_k, 0)``. Only the order of the cumulative masses decides
    which of the latter are not 0. They are summed as multiples of the differences ``d_i - r_i`` and
    of single masses, so that no large numbers cancel.

    Args:
      masses: Masses of the reference's samples but the last, ``[n - 1, windows]``.
      changes: How much larger those of the other image are.
    """
    differences = jnp.cumsum(changes, axis=0)
    reference = jnp.cumsum(masses, axis=0)
    reference, distorted = jax.lax.stop_gradient((reference, reference + differences))
    is_rounded = (distorted == reference) & (differences != 0)
    nearest = jnp.nextafter(reference, jnp.where(differences > 0, jnp.inf, -jnp.inf))
    distorted = jnp.where(is_rounded, nearest, distorted)
    # In order also where rounding would exchange two of them.
    reference, distorted = (jax.lax.cummax(each) for each in (reference, distorted))
    passed = _passed(reference, distorted)
    both = passed + _passed(distorted, reference)
    times = jnp.flip(jnp.cumsum(jnp.flip(both, 0), axis=0), 0)
    sign = jnp.sign(jax.lax.stop_gradient(differences))  # the slope of abs at 0 would be 1
    return jnp.sum((2.0 * passed + sign) * differences + 2.0 * times * masses, axis=0)


def _passed(masses: jax.Array, others: jax.Array) -> jax.Array:
    """Number of cumulative masses of later samples below each of the other image's.

    Those of earlier samples that are above it count as -1 each. Equal masses are in the order of
    their samples, so that there are none in equal images.
    """
    places = jnp.arange(len(masses), dtype=jnp.int32)[:, None]

    def below(side: str) -> jax.Array:
        # Comparing all with all would take n times the memory of the activations.
        search = functools.partial(jnp.searchsorted, side=side, method="scan_unrolled")
        return jax.vmap(search, 1, 1)(masses, others)

    later = jnp.maximum(below("left") - places - 1, 0)
    earlier = jnp.minimum(below("right") - places, 0)
    return (later + earlier).astype(masses.dtype)


def _sum(samples: jax.Array) -> jax.Array:
    return jnp.sum(jnp.sum(samples, axis=1))
