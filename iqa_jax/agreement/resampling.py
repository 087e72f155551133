"""Correlations under many weightings of the contents, on the host in float64.

The images of a dataset are versions of a few contents and share their peculiarities: resampling
single images would promise too much. So whole contents are left out or drawn, and a weighting is a
count for each content. Nothing is copied: the pairs are weighted, and ranks are those within the
weighting. :mod:`iqa_jax.agreement.intervals` makes intervals of the results.

Orientation is that of :mod:`iqa_jax.agreement.correlation`: positive means agreement.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from iqa_jax.datasets.splits import content_folds
from iqa_jax.errors import InputError

MOST_LEFT_OUT = 500
"""Maximum number of groups that are left out in turn. More contents are divided into this many
groups: the cost of leaving out each grows with the square of their number, and 500 deviations
determine a standard error to within 3 %."""

_AT_ONCE = 64
"""Weightings whose ranks are computed together: a few thousand pairs of them fit in the caches."""

_SUMMED_AT_ONCE = 256


@dataclass(frozen=True)
class Correlations:
    """Correlations under every weighting.

    Attributes:
      plcc: Pearson's correlations, ``[weightings, columns]``; NaN under a weighting without two
        different distances and two different scores, and wherever a column has a distance that is
        not finite.
      srcc: Spearman's correlations, with the same shape and the same NaN.
    """

    plcc: np.ndarray
    srcc: np.ndarray


@dataclass(frozen=True)
class Weightings:
    """Counts of each content; the first weighting counts each once.

    Attributes:
      counts: uint16 ``[weightings, contents]``.
      content: The content of each pair, as a column of ``counts``; ``[pairs]``.
    """

    counts: np.ndarray
    content: np.ndarray

    def select(self, rows: np.ndarray) -> "Weightings":
        """The same weightings, for some of the pairs only.

        Args:
          rows: Positions of pairs, or a mask over them.
        """
        return Weightings(self.counts, self.content[rows])

    @property
    def pairs(self) -> np.ndarray:
        """Number of pairs under each weighting, ``[weightings]``."""
        return self.sums(np.ones((len(self.content), 1)))[:, 0]

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sums over the weighted pairs, ``[weightings, columns]``.

        Args:
          values: ``[pairs, columns]``.
        """
        of_content = np.zeros((self.counts.shape[1], values.shape[1]))
        np.add.at(of_content, self.content, values)
        starts = range(0, len(self.counts), _SUMMED_AT_ONCE)
        parts = (self.counts[start : start + _SUMMED_AT_ONCE] for start in starts)
        return np.concatenate([part.astype(np.float64) @ of_content for part in parts])

    def blocks(self) -> Iterator[np.ndarray]:
        """Weights of the pairs, ``[pairs, some of the weightings]``, in order."""
        for start in range(0, len(self.counts), _AT_ONCE):
            yield self.counts[start : start + _AT_ONCE].T[self.content].astype(np.float64)

    def correlations(
        self, distances: np.ndarray, scores: np.ndarray, *, higher_is_better: bool
    ) -> Correlations:
        """Correlates distances with human scores under each weighting.

        Args:
          distances: ``[pairs, columns]``, 0 for identical images and larger for greater
            differences.
          scores: ``[pairs]``, finite.
          higher_is_better: Direction of the scores.
        """
        quality = scores if higher_is_better else -scores
        finite = np.isfinite(distances).all(axis=0)
        similarity = -np.where(finite, distances, 0.0)  # a constant column has no correlation
        srcc = _spearman(self, similarity, quality)
        plcc = np.where(np.isnan(srcc), np.nan, _pearson(self, similarity, quality))
        return Correlations(plcc, srcc)


def once(contents: Sequence[str]) -> Weightings:
    """The single weighting that counts each content once.

    Args:
      contents: Content of each pair's reference.
    """
    names, content = _contents(contents)
    return Weightings(np.ones((1, len(names)), np.uint16), content)


def each_left_out(contents: Sequence[str]) -> Weightings:
    """Each content once, and then without each of them: the weightings of a jackknife.

    If there are more contents than :data:`MOST_LEFT_OUT`, they are divided into that many groups by
    a hash of their names, and left out group by group (the delete-a-group jackknife; Wolter 2007,
    section 4.2).

    Args:
      contents: Content of each pair's reference.

    Raises:
      InputError: If there are fewer than two contents.
    """
    names, content = _several(contents)
    if len(names) > MOST_LEFT_OUT:
        group = content_folds(names, MOST_LEFT_OUT, seed=0)
        content = np.array([group[name] for name in names])[content]
    size = min(len(names), MOST_LEFT_OUT)
    return Weightings(_after_all(1 - np.eye(size, dtype=np.uint16)), content)


def drawn(contents: Sequence[str], *, resamples: int = 1000, seed: int = 0) -> Weightings:
    """Each content once, and then as many as there are, drawn with replacement: a bootstrap.

    Args:
      contents: Content of each pair's reference.
      resamples: Number of resamples.
      seed: Seed of the draws. Contents are sorted by name first, so the order of the pairs does not
        matter.

    Raises:
      InputError: If there are fewer than two contents, or the number of resamples is not positive.
    """
    names, content = _several(contents)
    if resamples < 1:
        raise InputError(f"resamples: expected a positive number, got {resamples}")
    random = np.random.default_rng(seed)
    counts = np.empty((resamples, len(names)), np.uint16)
    for number in range(resamples):
        places = random.integers(len(names), size=len(names))
        counts[number] = np.bincount(places, minlength=len(names))
    return Weightings(_after_all(counts), content)


def _contents(contents: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Sorted names of the contents, and the position of each pair's content among them."""
    names, content = np.unique(np.asarray(contents, np.str_), return_inverse=True)
    return names.tolist(), content


def _several(contents: Sequence[str]) -> tuple[list[str], np.ndarray]:
    names, content = _contents(contents)
    if len(names) < 2:
        raise InputError(f"an interval over references needs at least two, found {len(names)}")
    return names, content


def _after_all(counts: np.ndarray) -> np.ndarray:
    """The weightings, preceded by the one that counts each content once."""
    return np.concatenate([np.ones_like(counts[:1]), counts])


def _pearson(weightings: Weightings, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Pearson's correlation of each column of x with y, from sums over contents."""
    x, y = _standardised(x), _standardised(y[:, None])
    (count, sum_x, sum_y, sum_xx, sum_yy, sum_xy) = np.split(
        weightings.sums(np.concatenate([np.ones_like(y), x, y, x * x, y * y, x * y], axis=1)),
        np.cumsum([1, x.shape[1], 1, x.shape[1], 1]),
        axis=1,
    )
    with np.errstate(divide="ignore", invalid="ignore"):  # these have no rank correlation either
        covariance = sum_xy - sum_x * sum_y / count
        variances = (sum_xx - sum_x**2 / count) * (sum_yy - sum_y**2 / count)
        return np.clip(covariance / np.sqrt(variances), -1.0, 1.0)


def _standardised(values: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and deviation 1, so that differences of their sums keep all digits."""
    deviation = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)


def _spearman(weightings: Weightings, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Spearman's correlation of each column of x with y.

    Ranks are half-integers: their sums are exact, and variances are exactly 0 if all are tied.
    """
    orders, order = [_Order(column) for column in x.T], _Order(y)
    found = []
    for weights in weightings.blocks():
        ranks_y = order.ranks(weights)
        weighted = weights * ranks_y
        variance = np.einsum("pw,pw->w", weighted, ranks_y)
        of_block = np.empty((weights.shape[1], len(orders)))
        for column, each in enumerate(orders):
            ranks_x = each.ranks(weights)
            covariance = np.einsum("pw,pw->w", weighted, ranks_x)
            product = variance * np.einsum("pw,pw,pw->w", weights, ranks_x, ranks_x)
            root = np.sqrt(np.where(product > 0, product, np.nan))
            of_block[:, column] = covariance / root
        found.append(of_block)
    return np.concatenate(found)


class _Order:
    """The order of some values, found once, for ranks under any weights."""

    def __init__(self, values: np.ndarray):
        self._order = np.argsort(values, kind="stable")
        ordered = values[self._order]
        self._below = np.searchsorted(ordered, values, side="left")
        self._not_above = np.searchsorted(ordered, values, side="right")

    def ranks(self, weights: np.ndarray) -> np.ndarray:
        """Ranks minus their mean, ties sharing theirs, if each value occurred ``weights`` times.

        Args:
          weights: Whole numbers ``[values, weightings]``.
        """
        counted = np.zeros((len(weights) + 1, weights.shape[1]))
        np.cumsum(weights[self._order], axis=0, out=counted[1:])
        return (counted[self._below] + counted[self._not_above] - counted[-1]) / 2
