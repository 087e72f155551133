"""The uncertainty of agreement: intervals from leaving out or drawing references, in float64.

The default is the jackknife that leaves out one reference at a time (Miller 1974, Biometrika 61).
With R references, theta the correlation of all pairs and J_j that without reference j, the standard
error is ``(R - 1) / sqrt(R)`` times the standard deviation of the J_j, and the interval is theta
plus or minus Student's t(R - 1) times this error. Correlations are transformed to Fisher's z first;
differences and shares are used as they are. The percentile bootstrap over references (Davison and
Hinkley 1997, section 3.8) is offered for comparison: with few references its intervals are too
narrow (``scripts/benchmarks/coverage.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from iqa_jax.agreement.resampling import MOST_LEFT_OUT, Weightings, drawn, each_left_out, once
from iqa_jax.errors import InputError

JACKKNIFE, BOOTSTRAP, NONE = METHODS = ("jackknife", "bootstrap", "none")
RESAMPLES = 1000

LEAST_REFERENCES = 5
"""Minimum number of references for an interval: with fewer, it would be too narrow or meaningless
whatever the method."""

FEW_REFERENCES = 30
"""Number of references below which intervals are rough."""

_LARGEST = 1 - 1e-12
"""Largest correlation for Fisher's z, which is infinite at 1; two pairs have a correlation of 1."""


@dataclass(frozen=True)
class Intervals:
    """Ends of the intervals of some correlations, each ``[columns]``; NaN if there is none."""

    plcc_low: np.ndarray
    plcc_high: np.ndarray
    srcc_low: np.ndarray
    srcc_high: np.ndarray


@dataclass(frozen=True)
class Method:
    """Method of computing intervals.

    Attributes:
      name: One of :data:`METHODS`.
      resamples: Number of resamples of a bootstrap.
      level: Share of the intervals that should cover the truth, between 0 and 1.
      seed: Seed of the resamples of a bootstrap.

    Raises:
      InputError: If the level is not between 0 and 1.
    """

    name: str = JACKKNIFE
    resamples: int = RESAMPLES
    level: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise InputError(f"level: expected a number between 0 and 1, got {self.level}")

    def applies(self, references: int) -> bool:
        """Whether there are intervals for this number of references."""
        return self.name != NONE and references >= LEAST_REFERENCES

    def weightings(self, contents: Sequence[str]) -> Weightings:
        """The weightings under which a number is computed for :meth:`ends`.

        The first counts all pairs once; it is the only one if the method does not apply.

        Args:
          contents: Content of each pair's reference.
        """
        if not self.applies(len(set(contents))):
            return once(contents)
        if self.name == JACKKNIFE:
            return each_left_out(contents)
        return drawn(contents, resamples=self.resamples, seed=self.seed)

    def ends(
        self, values: np.ndarray, *, correlations: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends of the intervals of some numbers, each ``[columns]``.

        Args:
          values: Numbers under each of the weightings, ``[weightings, columns]``.
          correlations: Whether they are correlations, to be transformed to Fisher's z.

        Returns:
          NaN if there is only one weighting. The jackknife also gives NaN if a number is undefined
          under one of the weightings; the bootstrap uses the resamples in which it is defined.
        """
        if len(values) == 1:
            return np.full(values.shape[1], np.nan), np.full(values.shape[1], np.nan)
        if self.name == BOOTSTRAP:
            return _percentiles(values[1:], self.level)
        if not correlations:
            return _jackknife(values, self.level)
        low, high = map(np.tanh, _jackknife(fisher_z(values), self.level))
        return np.minimum(low, values[0]), np.maximum(high, values[0])

    def describe(self, references: int) -> dict[str, Any]:
        """The method, its level and the number of references, as JSON.

        Args:
          references: Number of references.

        Returns:
          A record that also has the number of groups that a jackknife leaves out (each a reference,
          unless there are very many), or the resamples and the seed of a bootstrap.
        """
        if not self.applies(references):
            return {"method": NONE, "references": references}
        described = {"method": self.name, "level": self.level, "references": references}
        if self.name == BOOTSTRAP:
            return {**described, "resamples": self.resamples, "seed": self.seed}
        return {**described, "groups": min(references, MOST_LEFT_OUT)}

    def __str__(self) -> str:
        draws = f" of {self.resamples} resamples" if self.name == BOOTSTRAP else ""
        return f"{self.level:.0%} intervals by the {self.name}{draws} over references"


def choose(interval: str | None, resamples: int | None, *, references: int) -> Method:
    """The method that a user asks for, or else the one that suits.

    Args:
      interval: One of :data:`METHODS`; None for the jackknife, where it applies.
      resamples: Number of resamples of a bootstrap; None for :data:`RESAMPLES`.
      references: Number of references.

    Raises:
      InputError: If the method is unknown, a number of resamples is given without a bootstrap, or
        there are too few references for the method.
    """
    if interval not in (None, *METHODS):
        raise InputError(f"interval: expected one of {', '.join(METHODS)}, got {interval!r}")
    if resamples is not None and interval != BOOTSTRAP:
        raise InputError(
            f"resamples: got {resamples} without a bootstrap; add interval=bootstrap, or leave "
            "out resamples"
        )
    if interval is None:
        return Method()
    if interval != NONE and references < LEAST_REFERENCES:
        raise InputError(
            f"interval: expected at least {LEAST_REFERENCES} references for a {interval}, found "
            f"{references}; leave out interval"
        )
    return Method(interval, RESAMPLES if resamples is None else resamples)


def caution(method: Method, references: int) -> str | None:
    """Warning for readers of intervals; None if there is none.

    Args:
      method: Method of the intervals.
      references: Number of references.
    """
    if method.name == NONE:
        return None
    if not method.applies(references):
        return (
            f"There are no intervals: they need at least {LEAST_REFERENCES} references, found "
            f"{references}."
        )
    if references < FEW_REFERENCES:
        how = "somewhat" if method.name == JACKKNIFE else "far"
        return (
            f"Intervals from {references} references are rough: they cover the truth {how} less "
            "often than stated."
        )
    return None


def correlation_intervals(
    distances: np.ndarray,
    scores: np.ndarray,
    contents: Sequence[str],
    *,
    higher_is_better: bool,
    method: Method,
) -> Intervals:
    """Intervals of the correlations of distances with human scores.

    Args:
      distances: ``[pairs, columns]``, 0 for identical images and larger for greater differences.
      scores: ``[pairs]``.
      contents: Content of each pair's reference, ``[pairs]``.
      higher_is_better: Direction of the scores.
      method: Method of the intervals.

    Returns:
      Intervals that depend on nothing but the arguments, not even on the order of the pairs.

    Raises:
      InputError: If the shapes do not fit or a score is not finite.
    """
    distances, scores = np.asarray(distances, np.float64), np.asarray(scores, np.float64)
    if distances.ndim != 2 or scores.shape != distances.shape[:1] or len(contents) != len(scores):
        raise InputError(
            "intervals: expected distances [pairs, columns], scores [pairs] and contents [pairs], "
            f"got {distances.shape}, {scores.shape} and [{len(contents)}]"
        )
    if not np.isfinite(scores).all():
        raise InputError(f"intervals: {np.sum(~np.isfinite(scores))} of the scores are not finite")
    weightings = method.weightings(contents)
    found = weightings.correlations(distances, scores, higher_is_better=higher_is_better)
    return Intervals(
        *method.ends(found.plcc, correlations=True), *method.ends(found.srcc, correlations=True)
    )


def fisher_z(correlations: np.ndarray) -> np.ndarray:
    """Fisher's z of correlations, finite even for 1 and -1."""
    return np.arctanh(np.clip(correlations, -_LARGEST, _LARGEST))


def _jackknife(values: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Ends of intervals from the value of all contents, and those without each of the contents."""
    count = len(values) - 1
    error = (count - 1) / np.sqrt(count) * values[1:].std(axis=0, ddof=1)
    margin = special.stdtrit(count - 1, (1 + level) / 2) * error
    return values[0] - margin, values[0] + margin


def _percentiles(values: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the middle part of each column, ignoring NaN; NaN if nothing else is there."""
    ends = np.full((2, values.shape[1]), np.nan)
    for column, found in enumerate(values.T):
        known = found[~np.isnan(found)]
        if known.size:
            ends[:, column] = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return ends[0], ends[1]
