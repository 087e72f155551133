"""Examples to learn a relevance from: the share of each channel in a distance, and human scores."""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from iqa_jax.datasets.table import Question
from iqa_jax.engine.store import StatisticsStore
from iqa_jax.errors import InputError
from iqa_jax.text import counted

LEAST_REFERENCES = 3
"""Minimum number of references: one each for training, validation and test."""

_BLOCK = 1024
"""Pairs whose contributions are converted to float64 at a time."""


@dataclass(frozen=True)
class _Form:
    """Computation of a read-out from a statistic.

    Attributes:
      statistic: Name of a statistic per channel.
      has_positions: Whether a layer counts as many times as it has positions.
      is_mean: Whether the sum is divided by the number of activations.
      is_root: Whether the distance is the root of the sum.
    """

    statistic: str
    has_positions: bool = False
    is_mean: bool = False
    is_root: bool = True


FORMS: Mapping[str, _Form] = {
    "l2": _Form("squared_error", has_positions=True),
    "rmse": _Form("squared_error", has_positions=True, is_mean=True),
    "unit": _Form("unit_squared_error", is_root=False),
    "unit_root": _Form("unit_squared_error"),
}
"""Read-outs whose channels can be weighted by learning; :mod:`iqa_jax.readouts` defines them."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Pairs whose distances depend on weights of the channels that are still to be learned.

    The distance is the sum over channels of weight times contribution, or the root of that sum.

    Attributes:
      name: Name of the dataset.
      contributions: Contribution of each channel under weight 1, float32 ``[pairs, channels]`` by
        layer.
      is_root: Whether the distance is the root of the sum.
      scores: Human scores, ``[pairs]``.
      opinion_std: Standard deviation of single opinions, ``[pairs]``; NaN if unknown.
      contents: Content of each pair's reference, ``[pairs]``.
      higher_is_better: Direction of the scores.
      protocol: Question put to the observers.
    """

    name: str
    contributions: Mapping[str, np.ndarray]
    is_root: bool
    scores: np.ndarray
    opinion_std: np.ndarray
    contents: np.ndarray
    higher_is_better: bool
    protocol: Question = Question.OPINION

    @functools.cached_property
    def matrix(self) -> np.ndarray:
        """The contributions of all layers side by side, float32 ``[pairs, channels]``."""
        return np.concatenate(list(self.contributions.values()), axis=1)

    @functools.cached_property
    def quality(self) -> np.ndarray:
        """The scores, oriented so that higher is better, float64 ``[pairs]``."""
        return np.asarray(self.scores if self.higher_is_better else -self.scores, np.float64)

    @property
    def references(self) -> int:
        """Number of different contents."""
        return len(set(self.contents))

    def distances(self, weights: np.ndarray) -> np.ndarray:
        """Distances under weights ``[channels]`` of all layers; float64 ``[pairs]``."""
        blocks = range(0, len(self.matrix), _BLOCK)
        sums = [self.matrix[row : row + _BLOCK].astype(np.float64) @ weights for row in blocks]
        total = np.concatenate(sums)
        return np.sqrt(total) if self.is_root else total

    def mean(self, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """The mean contribution of every channel over some pairs, float64 ``[channels]``."""
        return self.matrix[rows].mean(axis=0, dtype=np.float64)

    def by_layer(self, values: np.ndarray) -> dict[str, np.ndarray]:
        """Splits one number per channel, ``[channels]``, into layers."""
        ends = np.cumsum([each.shape[1] for each in self.contributions.values()])
        return dict(zip(self.contributions, np.split(values, ends[:-1]), strict=True))

    def joined(self, by_layer: Mapping[str, np.ndarray]) -> np.ndarray:
        """Joins one number per channel of all layers: the inverse of :meth:`by_layer`.

        Raises:
          InputError: If a layer is missing or has another number of channels.
        """
        for layer, values in self.contributions.items():
            found = np.shape(by_layer[layer]) if layer in by_layer else "nothing"
            if found != values.shape[1:]:
                raise InputError(
                    f"weights of {layer}: expected one for each of its {values.shape[1]} channels, "
                    f"found {found}"
                )
        return np.concatenate([by_layer[layer] for layer in self.contributions])

    def check(self) -> None:
        """Rejects examples from which nothing can be learned.

        Raises:
          InputError: If there are no pairs or fewer than three references, statistics are negative,
            not finite or all zero, scores are not finite or all equal, or the observers were not
            asked for an opinion or a choice between two versions.
        """
        if not self.contributions or not len(self.scores):
            raise InputError(f"{self.name}: there are no pairs or no layers to learn from")
        if self.protocol is Question.SAME_OR_DIFFERENT:
            raise InputError(
                f"{self.name}: its observers were asked whether two images are the same; expected "
                "opinions or a choice between two versions"
            )
        if self.references < LEAST_REFERENCES:
            raise InputError(
                f"{self.name}: expected at least {LEAST_REFERENCES} references, one each for "
                f"training, validation and test, found {self.references}; add images"
            )
        if not np.isfinite(self.scores).all():
            wrong = np.sum(~np.isfinite(self.scores))
            raise InputError(f"{self.name}: {wrong} of {len(self.scores)} scores are not finite")
        if len(set(self.scores)) < 2:
            raise InputError(f"{self.name}: all scores are {self.scores[0]:g}: nothing to learn")
        for layer, values in self.contributions.items():
            self._check_layer(layer, values)
        if not self.matrix.any():
            raise InputError(f"{self.name}: all statistics are zero: every pair is identical")

    def _check_layer(self, layer: str, values: np.ndarray) -> None:
        if values.shape[0] != len(self.scores):
            raise InputError(
                f"{self.name}: {layer} has statistics of {counted(values.shape[0], 'pairs')}, "
                f"expected those of {len(self.scores)}"
            )
        wrong = np.flatnonzero(~np.isfinite(values).all(axis=1))
        if wrong.size:
            raise InputError(
                f"{self.name}: {layer} has statistics that are not finite for {wrong.size} of "
                f"{len(values)} pairs, the first in row {wrong[0] + 1}; extract them again"
            )
        if values.min(initial=0.0) < 0:
            raise InputError(f"{self.name}: {layer} has negative statistics, but errors cannot be")


def read_examples(store: StatisticsStore, layers: Sequence[str], readout: str) -> Examples:
    """Reads the contributions of the channels of some layers from stored statistics.

    Args:
      store: The statistics.
      layers: Names of the layers, at least one.
      readout: Key of :data:`FORMS`.

    Raises:
      InputError: If the read-out or a layer is unknown, a layer does not have this read-out, or
        nothing can be learned from the examples (see :meth:`Examples.check`).
    """
    check_readout(readout)
    if not store.table.pairs or not store.layers:
        raise InputError(f"{store.table.name}: the store is empty; extract statistics first")
    form = FORMS[readout]
    values = {layer: store.read(layer, form.statistic) for layer in layers}
    alone = [layer for layer, each in values.items() if each.shape[1] == 1]
    if alone and form.statistic == "unit_squared_error":
        raise InputError(f"{', '.join(alone)}: a layer of one channel has no read-out {readout}")
    if form.has_positions:
        positions = {layer: np.asarray(store.positions(layer), np.float64) for layer in layers}
        activations = sum(positions[layer] * values[layer].shape[1] for layer in layers)
        for layer in layers:
            factor = positions[layer] / activations if form.is_mean else positions[layer]
            values[layer] = values[layer] * factor.astype(np.float32)[:, None]
    table = store.table
    pairs = table.pairs
    # Deviations of mean opinions do not show how far to trust the preference of one observer.
    of_opinions = table.opinions > 1
    examples = Examples(
        name=table.name,
        contributions=values,
        is_root=form.is_root,
        scores=np.array([pair.score for pair in pairs]),
        opinion_std=np.array([pair.score_std if of_opinions else math.nan for pair in pairs]),
        contents=np.array([pair.reference_id for pair in pairs]),
        higher_is_better=table.higher_is_better,
        protocol=table.protocol,
    )
    examples.check()
    return examples


def check_readout(readout: str) -> None:
    """Rejects a read-out whose channels cannot be weighted by learning (:class:`InputError`)."""
    if readout not in FORMS:
        raise InputError(
            f"no relevance can be learned for the read-out {readout!r}; expected one of "
            f"{', '.join(FORMS)}"
        )
