"""Pseudo-values: what each reference contributes to the correlations of all columns.

With R references, theta_c the correlation of column c on all pairs and J_jc that without reference
j, the pseudo-values are psi_jc = R theta_c - (R - 1) J_jc (Miller 1974, Biometrika 61). A contrast
w over columns has the estimate w'theta and the standard error sd(psi w) / sqrt(R), with Student's
t(R - 1). One matrix carries every comparison of a dataset.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats

from iqa_jax.agreement.groups import LEAST_PAIRS
from iqa_jax.agreement.intervals import fisher_z
from iqa_jax.agreement.resampling import each_left_out
from iqa_jax.datasets.splits import content_folds
from iqa_jax.study.estimates import Estimate, mean_estimate, wider
from iqa_jax.study.results import Results

SPEARMAN, PEARSON, WITHIN = MEASURES = ("spearman", "pearson", "spearman_in_references")
"""Spearman's and Pearson's correlation of all pairs, and the mean of Spearman's within references.

The first is the primary one; a verdict needs the same sign in all three.
"""


@dataclass(frozen=True)
class Part:
    """Correlations of all columns on some of the pairs, with their pseudo-values.

    Attributes:
      values: Correlations, ``[columns]``; NaN for a column that is constant in a reference.
      psi: Pseudo-values, ``[references, columns]``.
    """

    values: np.ndarray
    psi: np.ndarray

    def contrast(self, weights: np.ndarray) -> Estimate:
        """A weighted sum of the correlations, with its error over references.

        Args:
          weights: Weights of the columns, ``[columns]``.
        """
        used = np.flatnonzero(weights)
        return with_error_of(
            float(self.values[used] @ weights[used]), self.psi[:, used] @ weights[used]
        )

    def correlation(self, weights: np.ndarray) -> Estimate:
        """Fisher's z of a weighted mean of correlations, with its error over references.

        Args:
          weights: Weights of the columns, ``[columns]``; their sum is 1.
        """
        used = np.flatnonzero(weights)
        count = len(self.psi)
        whole = self.values[used] @ weights[used]
        without = (count * whole - self.psi[:, used] @ weights[used]) / (count - 1)
        z, z_without = fisher_z(whole), fisher_z(without)
        return with_error_of(float(z), count * z - (count - 1) * z_without)


def with_error_of(value: float, psi: np.ndarray) -> Estimate:
    """An estimate that has the error of the mean of its pseudo-values.

    Args:
      value: The estimate.
      psi: Its pseudo-values, ``[references]``.
    """
    mean = mean_estimate(psi)
    return Estimate(value, mean.error, mean.df)


@dataclass(frozen=True)
class Sample:
    """Correlations of a dataset by one measure, on all references and on both halves of them.

    Weights ``[columns]`` are for all references. Weights ``[2, columns]`` are for the halves, one
    row each: the estimate is the mean of both, with the wider of their intervals.

    Attributes:
      pseudovalues: Pseudo-values of the dataset.
      measure: One of :data:`MEASURES`.
    """

    pseudovalues: "Pseudovalues"
    measure: str

    @property
    def results(self) -> Results:
        """The distances."""
        return self.pseudovalues.results

    @property
    def whole(self) -> Part:
        """All references."""
        return self.pseudovalues.whole[self.measure]

    @property
    def halves(self) -> tuple[Part, Part]:
        """Halves of the references by a hash of their names."""
        one, other = self.pseudovalues.halves
        return one[self.measure], other[self.measure]

    def parts(self, weights: np.ndarray) -> list[tuple[Part, np.ndarray]]:
        """The parts of the references that weights are for, with the weights of each.

        Args:
          weights: Weights ``[columns]`` or ``[2, columns]``.
        """
        if weights.ndim == 1:
            return [(self.whole, weights)]
        return [*zip(self.halves, weights, strict=True)]

    def contrast(self, weights: np.ndarray) -> Estimate:
        """A weighted sum of correlations, with its error over references.

        Args:
          weights: Weights ``[columns]`` or ``[2, columns]``.
        """
        found = [part.contrast(each) for part, each in self.parts(weights)]
        return found[0] if len(found) == 1 else wider(*found)

    def correlation(self, weights: np.ndarray) -> Estimate:
        """Fisher's z of a weighted mean of correlations, with its error over references.

        Args:
          weights: Weights ``[columns]`` or ``[2, columns]``; the sum of each row is 1.
        """
        found = [part.correlation(each) for part, each in self.parts(weights)]
        return found[0] if len(found) == 1 else wider(*found)

    def value(self, weights: np.ndarray) -> float:
        """A weighted sum of correlations.

        Args:
          weights: Weights ``[columns]`` or ``[2, columns]``.
        """
        found = []
        for part, each in self.parts(weights):
            used = np.flatnonzero(each)
            found.append(part.values[used] @ each[used])
        return float(np.mean(found))


@dataclass(frozen=True)
class Pseudovalues:
    """Pseudo-values of a dataset by every measure, computed when they are first needed.

    Attributes:
      results: The distances.
    """

    results: Results

    def sample(self, measure: str) -> Sample:
        """The correlations by one measure.

        Args:
          measure: One of :data:`MEASURES`.
        """
        return Sample(self, measure)

    @cached_property
    def whole(self) -> Mapping[str, Part]:
        """All references, by measure."""
        return _parts(self.results, np.arange(len(self.results.human)))

    @cached_property
    def halves(self) -> tuple[Mapping[str, Part], Mapping[str, Part]]:
        """Halves of the references by a hash of their names, each by measure."""
        ids = self.results.reference_ids.tolist()
        half = content_folds(ids, 2, seed=0)
        of_pair = np.array([half[each] for each in ids])
        one, other = (_parts(self.results, np.flatnonzero(of_pair == each)) for each in (0, 1))
        return one, other


def _parts(results: Results, rows: np.ndarray) -> Mapping[str, Part]:
    """Pseudo-values of some of the pairs, by measure."""
    distances, human = results.distances[rows], results.human[rows]
    ids = results.reference_ids[rows]
    found = each_left_out(ids.tolist()).correlations(distances, human, higher_is_better=True)
    return {
        SPEARMAN: _of_jackknife(found.srcc),
        PEARSON: _of_jackknife(found.plcc),
        WITHIN: _within(distances, human, ids),
    }


def _of_jackknife(values: np.ndarray) -> Part:
    """Pseudo-values from correlations on all references, and without each of them."""
    theta, without = values[0], values[1:]
    return Part(theta, len(without) * theta - (len(without) - 1) * without)


def _within(distances: np.ndarray, human: np.ndarray, ids: np.ndarray) -> Part:
    """Spearman's correlation within each reference, which is its pseudo-value of their mean."""
    found = []
    for each in np.unique(ids):
        rows = ids == each
        if rows.sum() >= LEAST_PAIRS and np.ptp(human[rows]) > 0:
            found.append(rank_correlations(distances[rows], human[rows]))
    if not found:
        nothing = np.full((2, distances.shape[1]), np.nan)
        return Part(nothing[0], nothing)
    psi = np.stack(found)
    return Part(psi.mean(axis=0), psi)


def rank_correlations(distances: np.ndarray, human: np.ndarray) -> np.ndarray:
    """Spearman's correlation of each column, ``[columns]``; NaN where all values are equal.

    Args:
      distances: Distances ``[pairs, columns]``.
      human: Scores ``[pairs]``, higher is better.
    """
    ranks = _standardised(stats.rankdata(-distances, axis=0))
    return _standardised(stats.rankdata(human)) @ ranks / len(human)


def _standardised(ranks: np.ndarray) -> np.ndarray:
    """Ranks with mean 0 and deviation 1; NaN where all are tied."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (ranks - ranks.mean(axis=0)) / ranks.std(axis=0)
