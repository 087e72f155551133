"""Estimates with a standard error: intervals, tests of a difference and of equivalence."""

from dataclasses import dataclass

import numpy as np
from scipy import special

LEVEL = 0.95
"""Share of the intervals that should cover the truth."""

ALPHA = 0.05
"""Level of the tests, which are two-sided."""


@dataclass(frozen=True)
class Estimate:
    """A number with a standard error and Student's t.

    Attributes:
      value: The number.
      error: Its standard error.
      df: Degrees of freedom.
    """

    value: float
    error: float
    df: float

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self.value - self._margin(LEVEL)

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.value + self._margin(LEVEL)

    def p(self, null: float = 0.0) -> float:
        """Two-sided p-value.

        Args:
          null: Value under the null hypothesis.
        """
        return min(1.0, 2 * min(self.p_above(null), self.p_below(null)))

    def p_above(self, bound: float) -> float:
        """One-sided p-value of the number being above a bound.

        Args:
          bound: Largest value under the null hypothesis.
        """
        return self._tail(bound - self.value)

    def p_below(self, bound: float) -> float:
        """One-sided p-value of the number being below a bound.

        Args:
          bound: Smallest value under the null hypothesis.
        """
        return self._tail(self.value - bound)

    def p_equivalent(self, margin: float) -> float:
        """p-value of two one-sided tests that the number lies within a margin around 0.

        Args:
          margin: The margin; the number is equivalent to 0 if it lies in (-margin, margin).
        """
        return max(self.p_above(-margin), self.p_below(margin))

    @property
    def margin_reached(self) -> float:
        """Smallest margin for which the two one-sided tests would have found equivalence."""
        return abs(self.value) + self._margin(1 - 2 * ALPHA)

    def _margin(self, level: float) -> float:
        return float(special.stdtrit(self.df, (1 + level) / 2)) * self.error

    def _tail(self, difference: float) -> float:
        """Probability of t below a difference; the estimate is exact if it has no error."""
        if self.error == 0:
            return 1.0 if difference > 0 else 0.5 if difference == 0 else 0.0
        return float(special.stdtr(self.df, difference / self.error))


def wider(one: Estimate, other: Estimate) -> Estimate:
    """The mean of two estimates with the wider of their intervals.

    Args:
      one: An estimate.
      other: Another one of the same number.
    """
    value = (one.value + other.value) / 2
    widest = max(one, other, key=lambda each: each.high - each.low)
    return Estimate(value, widest.error, widest.df)


def from_interval(value: float, low: float, high: float, df: float) -> Estimate:
    """The estimate that has an interval.

    Args:
      value: The number.
      low: Lower end of its interval.
      high: Upper end of the same.
      df: Degrees of freedom.
    """
    width = float(special.stdtrit(df, (1 + LEVEL) / 2))
    return Estimate(value, (high - low) / (2 * width), df)


def mean_estimate(values: np.ndarray) -> Estimate:
    """The mean of independent numbers, with Student's t.

    Args:
      values: The numbers, at least two.
    """
    error = float(values.std(ddof=1) / np.sqrt(len(values)))
    return Estimate(float(values.mean()), error, len(values) - 1)
