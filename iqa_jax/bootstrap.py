"""How sure correlations are: the bootstrap over contents, on the host in float64.

The images of a dataset are versions of a few contents and share what is special about these:
drawing images one by one would promise too much. So whole contents are drawn, with replacement
(the cluster bootstrap; Davison and Hinkley 1997, section 3.8). A resample is a count for each
content, its ranks are those within the resample, and nothing is copied: the pairs are weighed.

Orientation is that of :mod:`iqa_jax.agreement`: positive means agreement.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from iqa_jax.errors import InputError

_AT_ONCE = 64
"""Resamples whose ranks are worked out together: a few thousand pairs of them fit the caches."""

_SUMMED_AT_ONCE = 256


@dataclass(frozen=True)
class Intervals:
    """Ends of the intervals of some correlations, each ``[columns]``; NaN where there is none."""

    plcc_low: np.ndarray
    plcc_high: np.ndarray
    srcc_low: np.ndarray
    srcc_high: np.ndarray


@dataclass(frozen=True)
class Bootstrap:
    """Correlations, or differences of them, in every resample.

    Attributes:
      plcc: Pearson's, ``[resamples, columns]``; NaN in a resample without two different distances
        and two different scores, and wherever a column has a distance that is not finite.
      srcc: Spearman's, likewise.
    """

    plcc: np.ndarray
    srcc: np.ndarray

    @property
    def undefined(self) -> np.ndarray:
        """In how many resamples each column has no correlation, ``[columns]``."""
        return np.isnan(self.srcc).sum(axis=0)

    def interval(self, level: float = 0.95) -> Intervals:
        """Percentile intervals over those resamples in which there is a correlation.

        Args:
          level: Share of the resamples within the interval, between 0 and 1.

        Raises:
          InputError: If the level is not between 0 and 1.
        """
        return Intervals(*percentiles(self.plcc, level), *percentiles(self.srcc, level))

    def difference(self, a: int | Sequence[int], b: int | Sequence[int]) -> "Bootstrap":
        """Correlation of column ``a`` minus that of column ``b`` in the same resamples.

        Args:
          a: Position of a column, or of several.
          b: Likewise, as many.
        """
        of_a, of_b = np.atleast_1d(a), np.atleast_1d(b)
        return Bootstrap(
            self.plcc[:, of_a] - self.plcc[:, of_b], self.srcc[:, of_a] - self.srcc[:, of_b]
        )


@dataclass(frozen=True)
class Resamples:
    """Draws of contents with replacement.

    Attributes:
      counts: How often a resample has each content, uint16 ``[resamples, contents]``.
      content: The content of each pair, as a column of ``counts``; ``[pairs]``.
    """

    counts: np.ndarray
    content: np.ndarray

    def select(self, rows: np.ndarray) -> "Resamples":
        """The same draws, seen by some of the pairs alone.

        Args:
          rows: Positions of pairs, or a mask over them.
        """
        return Resamples(self.counts, self.content[rows])

    @property
    def pairs(self) -> np.ndarray:
        """How many pairs each resample has, ``[resamples]``."""
        return self.sums(np.ones((len(self.content), 1)))[:, 0]

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sums over the pairs of each resample, ``[resamples, columns]``.

        Args:
          values: ``[pairs, columns]``.
        """
        of_content = np.zeros((self.counts.shape[1], values.shape[1]))
        np.add.at(of_content, self.content, values)
        starts = range(0, len(self.counts), _SUMMED_AT_ONCE)
        parts = (self.counts[start : start + _SUMMED_AT_ONCE] for start in starts)
        return np.concatenate([part.astype(np.float64) @ of_content for part in parts])

    def correlations(
        self, distances: np.ndarray, scores: np.ndarray, *, higher_is_better: bool
    ) -> Bootstrap:
        """Correlations within each resample; see :func:`bootstrap`, which also checks the input.

        Args:
          distances: ``[pairs, columns]``.
          scores: ``[pairs]``, finite.
          higher_is_better: Direction of the scores.
        """
        quality = scores if higher_is_better else -scores
        finite = np.isfinite(distances).all(axis=0)
        similarity = -np.where(finite, distances, 0.0)  # a constant column has no correlation
        srcc = _spearman(self, similarity, quality)
        plcc = np.where(np.isnan(srcc), np.nan, _pearson(self, similarity, quality))
        return Bootstrap(plcc, srcc)


def bootstrap(
    distances: np.ndarray,
    scores: np.ndarray,
    contents: Sequence[str],
    *,
    higher_is_better: bool,
    resamples: int = 1000,
    seed: int = 0,
) -> Bootstrap:
    """Correlates distances with human scores in resamples of the contents.

    Args:
      distances: ``[pairs, columns]``, 0 for identical images and growing.
      scores: ``[pairs]``.
      contents: What each reference shows, ``[pairs]``.
      higher_is_better: Direction of the scores.
      resamples: How many.
      seed: Of the draws; the same for all columns, so that columns can be compared.

    Returns:
      The correlations; NaN where they are not defined. They depend on nothing but the arguments.

    Raises:
      InputError: If the shapes do not fit, there are fewer than two contents, a score is not finite
        or all are equal.
    """
    distances, scores = np.asarray(distances, np.float64), np.asarray(scores, np.float64)
    if distances.ndim != 2 or scores.shape != distances.shape[:1] or len(contents) != len(scores):
        raise InputError(
            "bootstrap: expected distances [pairs, columns], scores [pairs] and contents [pairs], "
            f"got {distances.shape}, {scores.shape} and [{len(contents)}]"
        )
    if not np.isfinite(scores).all():
        raise InputError(f"bootstrap: {np.sum(~np.isfinite(scores))} of the scores are not finite")
    draws = resample(contents, resamples=resamples, seed=seed)
    if np.unique(scores).size < 2:
        raise InputError(f"bootstrap: all {len(scores)} scores are {scores[0]:g}: nothing agrees")
    return draws.correlations(distances, scores, higher_is_better=higher_is_better)


def resample(contents: Sequence[str], *, resamples: int = 1000, seed: int = 0) -> Resamples:
    """Draws contents with replacement, as many as there are.

    Args:
      contents: What the reference of each pair shows.
      resamples: How many.
      seed: Of the draws. Contents are put in order of their names first: the order of the pairs
        does not matter.

    Raises:
      InputError: If there are fewer than two contents, or no resample is asked for.
    """
    names, content = np.unique(np.asarray(contents, np.str_), return_inverse=True)
    if len(names) < 2:
        raise InputError(
            f"a bootstrap over contents needs at least two references, found {len(names)}"
        )
    if resamples < 1:
        raise InputError(f"resamples: expected a positive number, got {resamples}")
    random = np.random.default_rng(seed)
    counts = np.empty((resamples, len(names)), np.uint16)
    for number in range(resamples):
        drawn = random.integers(len(names), size=len(names))
        counts[number] = np.bincount(drawn, minlength=len(names))
    return Resamples(counts, content)


def percentiles(values: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the middle part of each column, NaN left out; NaN where nothing else is there.

    Args:
      values: ``[resamples, columns]``.
      level: Size of the part, between 0 and 1.

    Raises:
      InputError: If the level is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise InputError(f"level: expected a number between 0 and 1, got {level}")
    ends = np.full((2, values.shape[1]), np.nan)
    for column, found in enumerate(values.T):
        known = found[~np.isnan(found)]
        if known.size:
            ends[:, column] = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return ends[0], ends[1]


def _pearson(draws: Resamples, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of each column of x with y, from sums over contents."""
    x, y = _standardised(x), _standardised(y[:, None])
    (count, sum_x, sum_y, sum_xx, sum_yy, sum_xy) = np.split(
        draws.sums(np.concatenate([np.ones_like(y), x, y, x * x, y * y, x * y], axis=1)),
        np.cumsum([1, x.shape[1], 1, x.shape[1], 1]),
        axis=1,
    )
    with np.errstate(divide="ignore", invalid="ignore"):  # these have no rank correlation either
        covariance = sum_xy - sum_x * sum_y / count
        variances = (sum_xx - sum_x**2 / count) * (sum_yy - sum_y**2 / count)
        return np.clip(covariance / np.sqrt(variances), -1.0, 1.0)


def _standardised(values: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and deviation 1, so that differences of their sums keep all digits."""
    deviation = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)


def _spearman(draws: Resamples, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of each column of x with y.

    Ranks are half integers: their sums are exact, and variances exactly 0 where all are tied.
    """
    orders, order = [_Order(column) for column in x.T], _Order(y)
    found = np.empty((len(draws.counts), x.shape[1]))
    for start in range(0, len(found), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        weights = draws.counts[part].T[draws.content].astype(np.float64)
        ranks_y = order.ranks(weights)
        weighted = weights * ranks_y
        variance = np.einsum("pr,pr->r", weighted, ranks_y)
        for column, each in enumerate(orders):
            ranks_x = each.ranks(weights)
            covariance = np.einsum("pr,pr->r", weighted, ranks_x)
            product = variance * np.einsum("pr,pr,pr->r", weights, ranks_x, ranks_x)
            root = np.sqrt(np.where(product > 0, product, np.nan))
            found[part, column] = covariance / root
    return found


class _Order:
    """The order of some values, found once, for ranks under any weights."""

    def __init__(self, values: np.ndarray):
        self._order = np.argsort(values, kind="stable")
        ordered = values[self._order]
        self._below = np.searchsorted(ordered, values, side="left")
        self._not_above = np.searchsorted(ordered, values, side="right")

    def ranks(self, weights: np.ndarray) -> np.ndarray:
        """Ranks less their mean, ties sharing theirs, if each value stood there ``weights`` times.

        Args:
          weights: Whole numbers ``[values, resamples]``.
        """
        counted = np.zeros((len(weights) + 1, weights.shape[1]))
        np.cumsum(weights[self._order], axis=0, out=counted[1:])
        return (counted[self._below] + counted[self._not_above] - counted[-1]) / 2
