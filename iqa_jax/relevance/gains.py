"""Gains from learning: uniform, learned and published weights on images not learned from.

Intervals are over references, with the weights as they were learned: they show how certain the
comparison of these weights is, not how much other training images would change them. Differences
are paired: both weights see the same references whenever some are left out or drawn.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from iqa_jax.agreement.forced_choice import agreeing
from iqa_jax.agreement.intervals import Method, fisher_z
from iqa_jax.agreement.resampling import Weightings
from iqa_jax.datasets.table import Question
from iqa_jax.errors import InputError
from iqa_jax.relevance.cross_validation import CrossValidation
from iqa_jax.relevance.examples import Examples

UNIFORM, LEARNED = "uniform", "learned"
MEAN, POOLED, TRANSFER = "mean of folds", "pooled", "transfer"


@dataclass(frozen=True)
class Gain:
    """Agreement under some weights, or their gain over others: one number of the report.

    Attributes:
      part: Name of a fold, of the mean of the folds, of all pairs pooled, or of a transfer.
      dataset: Name of the dataset of these pairs.
      references: Number of references.
      pairs: Number of pairs.
      measure: ``plcc``, ``srcc`` or ``2afc``; larger is better.
      weights: Name of the weights of the channels.
      minus: Name of other weights whose value is subtracted; empty for none.
      value: Agreement, or difference of two; NaN if it is undefined.
      low: Lower end of the interval; NaN if there are too few references for one.
      high: Upper end of the interval.
    """

    part: str
    dataset: str
    references: int
    pairs: int
    measure: str
    weights: str
    minus: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class _Group:
    """Pairs to which numbers belong; see :class:`Gain`."""

    part: str
    dataset: str
    references: int
    pairs: int

    @classmethod
    def of_all(cls, part: str, examples: Examples) -> "_Group":
        return cls(part, examples.name, examples.references, len(examples.scores))


def held_out_gains(
    examples: Examples,
    learned: CrossValidation,
    published: Mapping[str, np.ndarray],
    method: Method,
) -> list[Gain]:
    """Compares weights on pairs whose references the learned ones have not seen.

    The mean of the folds is that of Fisher's z of their correlations, each fold weighted by its
    number of pairs; for two-alternative scores it is the mean itself. "Pooled" takes the pairs of
    all folds as one dataset, each at the distance under its own fold's weights.

    Args:
      examples: Examples that were learned from.
      learned: Result of :func:`iqa_jax.relevance.cross_validation.cross_validate`.
      published: Other weights, ``[channels]`` by name.
      method: Method of the intervals.
    """
    names = (UNIFORM, LEARNED, *published)
    fixed = _fixed_distances(examples, published)
    distances = np.stack([fixed[0], learned.distances, *fixed[1:]], axis=1)
    weightings = method.weightings(examples.contents.tolist())
    by_fold = [weightings.select(fold.rows) for fold in learned.folds]
    of_folds = [
        _measure(examples, distances, fold.rows, each)
        for fold, each in zip(learned.folds, by_fold, strict=True)
    ]
    pairs = np.stack([each.pairs for each in by_fold])[:, :, None]
    mean = {
        measure: _mean(measure, np.stack([found[measure] for found in of_folds]), pairs)
        for measure in of_folds[0]
    }
    rows = []
    for number, fold in enumerate(learned.folds):
        group = _Group(f"fold {number}", examples.name, len(fold.test), int(fold.rows.sum()))
        of_own_references = method.weightings(examples.contents[fold.rows].tolist())
        found = _measure(examples, distances, fold.rows, of_own_references)
        rows += _rows(group, names, found, method)
    rows += _rows(_Group.of_all(MEAN, examples), names, mean, method)
    pooled = _measure(examples, distances, _all(examples), weightings)
    rows += _rows(_Group.of_all(POOLED, examples), names, pooled, method)
    return rows


def transfer_gains(
    examples: Examples,
    weights: np.ndarray,
    published: Mapping[str, np.ndarray],
    method: Method,
) -> list[Gain]:
    """Compares weights on another dataset.

    Args:
      examples: Pairs of the other dataset, with the same layers.
      weights: Weights learned from all references of the first one, ``[channels]``.
      published: Other weights, ``[channels]`` by name.
      method: Method of the intervals.

    Raises:
      InputError: If the channels differ.
    """
    channels = examples.matrix.shape[1]
    if len(weights) != channels:
        raise InputError(
            f"{examples.name}: has {channels} channels, the weights are for {len(weights)}"
        )
    fixed = _fixed_distances(examples, published)
    distances = np.stack([fixed[0], examples.distances(weights), *fixed[1:]], axis=1)
    weightings = method.weightings(examples.contents.tolist())
    found = _measure(examples, distances, _all(examples), weightings)
    names = (UNIFORM, LEARNED, *published)
    return list(_rows(_Group.of_all(TRANSFER, examples), names, found, method))


def _fixed_distances(examples: Examples, published: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    uniform = np.ones(examples.matrix.shape[1])
    return [examples.distances(weights) for weights in (uniform, *published.values())]


def _all(examples: Examples) -> np.ndarray:
    return np.ones(len(examples.scores), bool)


def _measure(
    examples: Examples, distances: np.ndarray, rows: np.ndarray, weightings: Weightings
) -> dict[str, np.ndarray]:
    """Every measure on some of the pairs, weighted; ``[weightings, weights]``."""
    if examples.protocol is Question.TWO_ALTERNATIVES:
        firsts = np.flatnonzero(rows)[::2]
        agreed = agreeing(
            distances[firsts],
            distances[firsts + 1],
            examples.scores[firsts, None],
            examples.scores[firsts + 1, None],
        )
        of_triplets = weightings.select(np.arange(0, 2 * len(firsts), 2))
        with np.errstate(invalid="ignore"):  # a weighting may have no triplet of a fold
            return {"2afc": of_triplets.sums(agreed) / of_triplets.pairs[:, None]}
    found = weightings.correlations(
        distances[rows], examples.scores[rows], higher_is_better=examples.higher_is_better
    )
    return {"plcc": found.plcc, "srcc": found.srcc}


def _mean(measure: str, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The mean over the folds that have a value; ``[weightings, weights]``."""
    known = ~np.isnan(values)
    z = values if measure == "2afc" else fisher_z(values)
    total = np.sum(known * weights, axis=0)
    sums = np.sum(np.where(known, z, 0.0) * weights, axis=0)
    mean = np.where(total > 0, sums / np.where(total > 0, total, 1.0), np.nan)
    return mean if measure == "2afc" else np.tanh(mean)


def _rows(
    group: _Group, names: Sequence[str], found: Mapping[str, np.ndarray], method: Method
) -> Iterator[Gain]:
    """The value of all weights in a group, and the gains of the learned weights over the others."""
    for measure, values in found.items():
        learned = values[:, names.index(LEARNED)]
        alone = [(name, "", values[:, column]) for column, name in enumerate(names)]
        differences = [(LEARNED, name, learned - its) for name, _, its in alone if name != LEARNED]
        for weights, minus, its in [*alone, *differences]:
            are_correlations = measure != "2afc" and not minus
            (low,), (high,) = method.ends(its[:, None], correlations=are_correlations)
            size = (group.references, group.pairs)
            yield Gain(
                *(group.part, group.dataset, *size, measure, weights, minus),
                *(float(its[0]), float(low), float(high)),
            )
