"""Marks columns that have seen the pairs they are tested on: their scores, or their images.

A relevance that was learned from these pairs, or from others that show the same photographs, is
tested *in sample*. ``balanced`` and ``normalized`` use no scores, but a mean over some pairs;
where these are the tested pairs, or show the same photographs, they are *transductive*.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from etils import epath

from iqa_jax.datasets import PairTable, fingerprint
from iqa_jax.datasets.inspection import read_headers
from iqa_jax.datasets.overlaps import overlap_warning, trained_on
from iqa_jax.engine.store import StatisticsStore
from iqa_jax.errors import ImageError
from iqa_jax.programs.evaluate.columns import ScoreColumn
from iqa_jax.programs.loaded import LoadedMetric
from iqa_jax.readouts import READOUTS
from iqa_jax.zoo import TrainingData, training_data


class ScoredPairs:
    """The pairs that are scored, as :class:`TrainingData`.

    Args:
      table: The pairs.

    Attributes:
      dataset: Name of the dataset.
    """

    def __init__(self, table: PairTable):
        self.dataset = table.name
        self._table = table

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the pairs, with the contents of their images; those not read yet are read.

        Raises:
          ImageError: If an image cannot be read, or has changed.
        """
        headers = {}
        for name, each in read_headers(self._table.images, self._table.image_names).items():
            if isinstance(each, ImageError):
                raise each
            headers[name] = each
        return fingerprint(self._table, headers)


Tested = TrainingData | ScoredPairs
"""Pairs that are scored."""


def mark(
    columns: Sequence[ScoreColumn],
    tested: Tested,
    *,
    normalisers: Mapping[str, StatisticsStore] | None = None,
    checkpoints_dir: epath.PathLike | None = None,
) -> list[ScoreColumn]:
    """Marks columns with what they have seen, as far as it is known.

    Args:
      columns: The columns.
      tested: The pairs that are scored.
      normalisers: The statistics that read-outs compare with, by model; read-outs of other models
        compare with the pairs that are scored.
      checkpoints_dir: Folder of the relevances.
    """
    own = {model: _origin(store) for model, store in (normalisers or {}).items()}
    learned = {
        name: training_data(name, checkpoints_dir=checkpoints_dir)
        for name in {_relevance(column) for column in columns}
        if name
    }
    return [
        replace(
            column,
            overlap=_overlap(column, tested, learned) or "",
            transductive_readout=_transductive(column, tested, own),
        )
        for column in columns
    ]


def _relevance(column: ScoreColumn) -> str | None:
    return column.known_readout.relevance if column.known_readout else None


def _overlap(
    column: ScoreColumn, tested: Tested, learned: Mapping[str, TrainingData | None]
) -> str | None:
    relevance = _relevance(column)
    training = learned[relevance] if relevance else None
    if isinstance(column.metric, LoadedMetric):
        training = column.metric.training
    if training is None:
        return trained_on(relevance or column.name, tested.dataset)
    shared = _shared(training, tested)
    return shared and f"The relevance {relevance} was learned from {training.dataset}: {shared}"


def _transductive(column: ScoreColumn, tested: Tested, own: Mapping[str, TrainingData]) -> str:
    """The read-out of a column if it compares with a mean over the tested pairs."""
    readout = column.known_readout
    if readout is None or READOUTS[readout.readout].normalised_by is None:
        return ""
    return readout.weighted_readout if _sees(_normaliser(column, own), tested) else ""


def _normaliser(column: ScoreColumn, own: Mapping[str, TrainingData]) -> TrainingData | None:
    """The pairs that a column compares with; None for those that are scored."""
    return own.get(column.metric.readout.model) if column.metric and column.metric.readout else None


def _sees(normaliser: TrainingData | None, tested: Tested) -> bool:
    return normaliser is None or _shared(normaliser, tested) is not None


def _shared(training: TrainingData, tested: Tested) -> str | None:
    """A sentence on what two sets of pairs share; equal names or fingerprints mean equal pairs."""
    is_same = training.fingerprint == tested.fingerprint
    return overlap_warning(tested.dataset if is_same else training.dataset, tested.dataset)


def _origin(store: StatisticsStore) -> TrainingData:
    return TrainingData(store.signature["dataset"], store.signature["dataset_fingerprint"])
