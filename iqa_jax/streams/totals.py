"""Totals of scores that arrive batch by batch, from which means and standard errors follow.

Totals are joined with the formulas of Chan, Golub and LeVeque (1983), which need neither the scores
nor differences of large sums. In plain float32 each join would round to the size of the mean, and
after 100,000 batches a batch changes the mean by less than that. Therefore the mean and the sum of
squared deviations are each kept as a float32 number and its rounding error (Knuth's TwoSum).

Over 10^7 scores the mean differs from that in float64 by less than 1e-8 of the largest score, and
the standard error by less than 1e-7 of itself. Counts are integers: they are exact up to 2^31 - 1.
"""

from dataclasses import dataclass
from typing import Self

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.pytrees import register_pytree


@dataclass(frozen=True)
class Summary:
    """Mean score of a metric over the pairs of some batches.

    Attributes:
      mean: Mean score; NaN without scores.
      standard_error: Standard error of the mean if the pairs are independent of each other; NaN
        with fewer than two scores.
      count: Number of scores in the mean.
      nan_count: Number of pairs that are left out because their score is not a finite number, which
        a pixel that is not finite implies.
    """

    mean: float
    standard_error: float
    count: int
    nan_count: int


@register_pytree
@dataclass(frozen=True, eq=False)
class Totals:
    """Totals of the scores of some metrics; a pytree of arrays ``[metrics]``.

    Attributes:
      count: Number of finite scores, int32.
      nan_count: Number of other scores, int32.
      mean: Mean of the finite scores, float32; 0 if there is none.
      mean_rest: Rounding error of ``mean``, to be added to it, float32.
      squares: Sum of the squared deviations from the mean, float32.
      squares_rest: Rounding error of ``squares``, to be added to it, float32.
    """

    count: jax.Array
    nan_count: jax.Array
    mean: jax.Array
    mean_rest: jax.Array
    squares: jax.Array
    squares_rest: jax.Array

    @classmethod
    def empty(cls, metrics: int) -> Self:
        """Totals without scores for a number of metrics."""
        types = [jnp.int32] * 2 + [jnp.float32] * 4
        return cls(*(jnp.zeros(metrics, each) for each in types))  # separate buffers can be donated

    @classmethod
    def of(cls, scores: jax.Array, mask: jax.Array) -> Self:
        """Totals of a batch.

        Args:
          scores: float32 ``[metrics, B]``.
          mask: Bool ``[B]``, False for pairs that are left out.
        """
        is_finite = jnp.isfinite(scores)
        is_known = is_finite & mask[None]
        count = _number(is_known)
        divisor = _at_least_one(count)
        rough = _sum_where(is_known, scores) / divisor
        deviations = jnp.where(is_known, scores, 0) - rough[:, None]
        rest = _sum_where(is_known, deviations) / divisor
        squares = _sum_where(is_known, jnp.square(deviations - rest[:, None]))
        return cls(
            count,
            _number(~is_finite & mask[None]),
            *_two_sum(rough, rest),
            squares,
            jnp.zeros_like(squares),
        )

    def merge(self, other: "Totals") -> Self:
        """Totals of the scores of both."""
        count = self.count + other.count
        share = _float(other.count) / _at_least_one(count)
        apart, apart_rest = _two_sum(other.mean, -self.mean)
        apart_rest += other.mean_rest - self.mean_rest
        between = jnp.square(apart + apart_rest) * _float(self.count) * share
        mean = _increased((self.mean, self.mean_rest), apart * share, apart_rest * share)
        squares = _increased(
            (self.squares, self.squares_rest), other.squares, other.squares_rest, between
        )
        return type(self)(count, self.nan_count + other.nan_count, *mean, *squares)

    def psum(self, axis_name: str) -> Self:
        """Totals of all devices along a named axis, the same on every device."""

        def joined(values: jax.Array) -> jax.Array:
            return jax.lax.psum(values, axis_name)

        count = joined(self.count)
        share = _float(self.count) / _at_least_one(count)
        centre = joined(self.mean * share)
        apart = (self.mean - centre) + self.mean_rest
        rest = joined(apart * share)
        between = jnp.square(apart - rest) * _float(self.count)
        squares = _two_sum(joined(self.squares), joined(self.squares_rest + between))
        return type(self)(count, joined(self.nan_count), *_two_sum(centre, rest), *squares)

    def summaries(self) -> list[Summary]:
        """Summary of every metric, computed in float64 on the host; not for traced totals."""
        count, nan_count, mean, mean_rest, squares, squares_rest = (
            np.asarray(values).astype(np.float64) for values in jax.tree.leaves(self)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = (squares + squares_rest) / np.where(count > 1, count - 1, np.nan)
            columns = (
                np.where(count > 0, mean + mean_rest, np.nan),
                np.sqrt(variance / count),
                count.astype(int),
                nan_count.astype(int),
            )
        return [Summary(*row) for row in zip(*(each.tolist() for each in columns), strict=True)]


def _number(which: jax.Array) -> jax.Array:
    return jnp.sum(which, axis=1, dtype=jnp.int32)


def _sum_where(which: jax.Array, values: jax.Array) -> jax.Array:
    return jnp.sum(values, axis=1, where=which)


def _at_least_one(count: jax.Array) -> jax.Array:
    return _float(jnp.maximum(count, 1))


def _float(count: jax.Array) -> jax.Array:
    return count.astype(jnp.float32)


def _two_sum(a: jax.Array, b: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The sum as float32 and its rounding error, which together are exact."""
    total = a + b
    of_b = total - a
    return total, (a - (total - of_b)) + (b - of_b)


def _increased(
    number: tuple[jax.Array, jax.Array], *increments: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Increases a number that has a rounding error."""
    total, rest = number
    for increment in increments:
        total, error = _two_sum(total, increment)
        rest += error
    return _two_sum(total, rest)
