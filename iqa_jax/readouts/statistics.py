"""Per-channel statistics of a pair of activations: all that is kept of a pass through a network.

A statistic is a vector ``[channels]`` in float32, or in one case a single number, ``[1]``. It is
computed in two steps: the preparation of each image, done once for a reference, and the comparison
of two images.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from iqa_jax.readouts.distance_correlation import centred_distances, decorrelation
from iqa_jax.readouts.packing import Packed, mean_over_positions
from iqa_jax.readouts.safe import guarded_sqrt, known_where, rounded
from iqa_jax.readouts.unit_vectors import to_unit_length
from iqa_jax.readouts.wasserstein import in_windows, window_distance


@dataclass(frozen=True)
class Statistic:
    """A statistic of the activations of a layer, ``[height, width, channels]``.

    Attributes:
      prepare: Function from the activations of one image to its prepared form, any pytree.
      compare: Function from the prepared reference and distorted image to ``[channels]``.
      local: Function from the same to ``[height, width, channels]``, whose mean over positions is
        the statistic; None if it is not such a mean.
      is_number: Whether it is one number for the layer, ``[1]``, instead of one per channel.
      is_moment: Whether it is a moment of one of the images; otherwise it is 0 for equal ones.
    """

    prepare: Callable[[jax.Array], Any]
    compare: Callable[[Any, Any], jax.Array]
    local: Callable[[Any, Any], jax.Array] | None = None
    is_number: bool = False
    is_moment: bool = False

    def __call__(self, reference: jax.Array, distorted: jax.Array) -> jax.Array:
        """The statistic of a pair of activations."""
        return self.compare(self.prepare(reference), self.prepare(distorted))

    def of_pair(self, reference: Any, distorted: Any, identical: jax.Array) -> jax.Array:
        """The statistic of two prepared images; exact if they are identical.

        Args:
          reference: The prepared reference.
          distorted: The prepared distorted image.
          identical: Whether all their pixels are equal. Their activations may still differ: they
            may come from two parts of a program that round differently.
        """
        computed = self.compare(reference, distorted)
        known = self.compare(reference, reference) if self.is_moment else jnp.zeros_like(computed)
        return known_where(identical, known, computed)

    def local_of_pair(self, reference: Any, distorted: Any, identical: jax.Array) -> jax.Array:
        """The same at each position, for a statistic that is a mean over positions."""
        assert self.local is not None
        assert not self.is_moment
        computed = self.local(reference, distorted)
        return known_where(identical, jnp.zeros_like(computed), computed)

    def length(self, channels: int) -> int:
        """Number of values for a layer of ``channels``."""
        return 1 if self.is_number else channels


def _difference(reference: jax.Array, distorted: jax.Array) -> jax.Array:
    return rounded(reference) - rounded(distorted)


def _mean(activations: jax.Array) -> jax.Array:
    return mean_over_positions(rounded, [Packed.of(activations)])


def _variance(activations: jax.Array) -> jax.Array:
    # Two passes: a small variance would lose its digits in the difference of two large numbers.
    return mean_over_positions(
        lambda values, mean: jnp.square(rounded(values) - mean),
        [Packed.of(activations)],
        [_mean(activations)],
    )


def _squared_error(reference: Packed, distorted: Packed) -> jax.Array:
    return mean_over_positions(lambda r, d: jnp.square(_difference(r, d)), [reference, distorted])


def _unit_squared_error(reference: Packed, distorted: Packed) -> jax.Array:
    return mean_over_positions(lambda r, d: jnp.square(r - d), [reference, distorted])


def _difference_mean(reference: Packed, distorted: Packed) -> jax.Array:
    return mean_over_positions(_difference, [reference, distorted])


def _difference_variance(reference: Packed, distorted: Packed) -> jax.Array:
    return mean_over_positions(
        lambda r, d, mean: jnp.square(_difference(r, d) - mean),
        [reference, distorted],
        [_difference_mean(reference, distorted)],
    )


def _with_mean(activations: jax.Array) -> tuple[Packed, jax.Array]:
    return Packed.of(activations), _mean(activations)


def _variance_change(
    reference: tuple[Packed, jax.Array], distorted: tuple[Packed, jax.Array]
) -> jax.Array:
    (r, r_mean), (d, d_mean) = reference, distorted

    def product(
        r: jax.Array, d: jax.Array, mean: jax.Array, r_mean: jax.Array, d_mean: jax.Array
    ) -> jax.Array:
        total = (rounded(r) - r_mean) + (rounded(d) - d_mean)
        return (_difference(r, d) - mean) * total

    return mean_over_positions(product, [r, d], [_difference_mean(r, d), r_mean, d_mean])


def _gram_error(reference: jax.Array, distorted: jax.Array) -> jax.Array:
    positions, channels = math.prod(reference.shape[:-1]), reference.shape[-1]
    difference, total = (
        values.reshape(positions, channels)
        for values in (reference - distorted, reference + distorted)
    )
    # R'R - D'D is the symmetric part of (R - D)'(R + D), in which nothing cancels.
    product = jnp.matmul(difference.T, total, precision=jax.lax.Precision.HIGHEST) / positions
    return guarded_sqrt(jnp.sum(jnp.square((product + product.T) / 2), keepdims=True)).reshape(1)


def _of_reference(moment: Callable[[jax.Array], jax.Array]) -> Statistic:
    return Statistic(moment, lambda r, d: r, is_moment=True)


def _of_distorted(moment: Callable[[jax.Array], jax.Array]) -> Statistic:
    return Statistic(moment, lambda r, d: d, is_moment=True)


squared_error = Statistic(Packed.of, _squared_error)
"""Mean over positions of ``(r - d)^2``: Euclidean read-outs."""

unit_squared_error = Statistic(
    to_unit_length,
    _unit_squared_error,
    lambda r, d: jnp.square(r.unpacked() - d.unpacked()),
)
"""The same for channel vectors scaled to unit length at each position: LPIPS's distance before its
linear layers (Zhang et al. 2018, equation 1)."""

mean_reference = _of_reference(_mean)
"""Mean over positions of the activations of the reference."""

mean_distorted = _of_distorted(_mean)
"""Mean over positions of the activations of the distorted image."""

variance_reference = _of_reference(_variance)
"""Population variance over positions of the activations of the reference."""

variance_distorted = _of_distorted(_variance)
"""Population variance over positions of the activations of the distorted image."""

difference_mean = Statistic(Packed.of, _difference_mean)
"""Mean over positions of ``r - d``: the difference of the two means, but exactly 0 for equal
activations, in whatever order a compiler sums each of them."""

difference_variance = Statistic(Packed.of, _difference_variance)
"""Variance over positions of ``r - d``, exactly 0 for equal images. It replaces the covariance,
``(variance_reference + variance_distorted - difference_variance) / 2``, whose comparison with the
variances would cost a small distance its digits."""

variance_change = Statistic(_with_mean, _variance_change)
"""``variance_reference - variance_distorted``, but exactly 0 for equal images and without the
rounding error of two large variances in a small difference: the mean over positions of the product
of the deviations of ``r - d`` and of ``r + d`` from their means."""

gram_error = Statistic(rounded, _gram_error, is_number=True)
"""``[1]``: Frobenius norm of ``G_r - G_d`` with ``G = F^T F / N``, F the activations of an image as
``[N, channels]`` (Gatys et al. 2015, arXiv 1505.07376). The difference is computed from that of the
activations, so that it is exactly 0 for equal images; it costs as much as one Gram matrix."""


def _wasserstein_error(side: int) -> Statistic:
    return Statistic(
        lambda activations: in_windows(rounded(activations), side),
        window_distance,
        is_number=True,
    )


wasserstein_error = _wasserstein_error(4)
"""``[1]``: DeepWSD's distance, summed over windows of 16 samples; see
:mod:`iqa_jax.readouts.wasserstein`."""

wasserstein_error_16 = _wasserstein_error(16)
"""The same for windows of 16 x 16 samples, which DeepWSD uses for large images."""

decorrelation_error = Statistic(
    lambda activations: centred_distances(rounded(activations)), decorrelation, is_number=True
)
"""``[1]``: one minus the distance correlation of the channels, DeepDC's distance; see
:mod:`iqa_jax.readouts.distance_correlation`."""

STATISTICS: Mapping[str, Statistic] = {
    "squared_error": squared_error,
    "unit_squared_error": unit_squared_error,
    "mean_reference": mean_reference,
    "mean_distorted": mean_distorted,
    "variance_reference": variance_reference,
    "variance_distorted": variance_distorted,
    "difference_mean": difference_mean,
    "difference_variance": difference_variance,
    "variance_change": variance_change,
    "gram_error": gram_error,
    "wasserstein_error": wasserstein_error,
    "wasserstein_error_16": wasserstein_error_16,
    "decorrelation_error": decorrelation_error,
}
