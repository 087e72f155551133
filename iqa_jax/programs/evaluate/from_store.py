"""Read-outs from stored statistics: any layer, concatenation, descriptor and relevance.

Nothing here touches an image or a network. The formulas are those of a metric, in the same float32,
so that what is read agrees with what a metric computes to the rounding of float32; means over a
dataset are taken in float64. Every array is read once, however many read-outs use it, and one layer
is in memory at a time.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.backbones import aliases
from iqa_jax.engine.store import StatisticsStore
from iqa_jax.errors import InputError
from iqa_jax.metrics.features import check_readouts
from iqa_jax.programs.evaluate.normaliser import check_normaliser
from iqa_jax.readouts import READOUTS, LayerStatistics, ReadoutName, Terms
from iqa_jax.zoo import Relevance


def distances(
    store: StatisticsStore,
    readouts: Sequence[ReadoutName],
    *,
    relevances: Mapping[str, Relevance] | None = None,
    normaliser: StatisticsStore | None = None,
    training_rows: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """The distances of all pairs of a store.

    Args:
      store: Of the model of the read-outs.
      readouts: Any, also those that compare with a dataset.
      relevances: By name, at least those that the read-outs name.
      normaliser: The statistics whose mean ``balanced`` and ``normalized`` compare with; None for
        those of ``store`` themselves.
      training_rows: Rows of these that enter the mean; None for all.

    Returns:
      Float32 ``[pairs]`` in the order of the store's table, by the names of the read-outs.

    Raises:
      InputError: If the store is of another model, lacks a statistic, was not finished or is
        damaged, a relevance or the normaliser does not fit, or there are no training rows.
    """
    relevances = relevances or {}
    _check(store, readouts, relevances, training_rows)
    if normaliser:
        check_normaliser(normaliser, readouts, store.signature)
    rows = slice(None) if training_rows is None else np.asarray(training_rows)
    terms: dict[_Part, Terms] = {}
    for layer, parts in _by_layer(store, readouts).items():
        values = _LayerValues(store, layer)
        of_normaliser = _LayerValues(normaliser, layer) if normaliser else values
        for part in parts:
            relevance = relevances[part.relevance] if part.relevance else None
            weights = relevance.weights[part.layer] if relevance else None
            statistics = values.of(part.readout, weights)
            formula = READOUTS[part.readout]
            if formula.normalised_by:
                compared = formula.normalised_by(of_normaliser.of(part.readout, weights))
                mean = np.asarray(compared, np.float64)[rows].mean(axis=0)
                statistics = replace(statistics, normaliser=jnp.asarray(mean, jnp.float32))
            terms[part] = formula.of_layer(statistics)
    return {
        str(readout): np.asarray(
            READOUTS[readout.readout].combine_terms([terms[part] for part in _parts(readout)])
        )
        for readout in readouts
    }


@dataclass(frozen=True)
class _Part:
    """One layer of a read-out: the same in every concatenation that the layer is in."""

    layer: str
    readout: str
    relevance: str | None


@dataclass(frozen=True)
class _LayerValues:
    """The arrays of a layer, read when they are needed."""

    store: StatisticsStore
    layer: str
    _read: dict[str, jax.Array] = field(default_factory=dict)

    def of(self, readout: str, weights: jax.Array | None) -> LayerStatistics:
        """What a read-out sees of the layer, of all pairs."""
        return LayerStatistics(
            values={name: self._statistic(name) for name in READOUTS[readout].statistics},
            positions=jnp.asarray(self.store.positions(self.layer), jnp.float32),
            relevance=weights,
        )

    def _statistic(self, name: str) -> jax.Array:
        if name not in self._read:
            self._read[name] = jnp.asarray(self.store.read(self.layer, name))
        return self._read[name]


def _by_layer(
    store: StatisticsStore, readouts: Iterable[ReadoutName]
) -> dict[str, dict[_Part, None]]:
    """The parts of read-outs, each once, by the full name of their layer."""
    short = aliases(tuple(store.model_layers))
    found: dict[str, dict[_Part, None]] = defaultdict(dict)
    for readout in readouts:
        for part in _parts(readout):
            found[short.get(part.layer, part.layer)][part] = None
    return found


def _parts(readout: ReadoutName) -> Iterator[_Part]:
    for layer in readout.layers:
        yield _Part(layer, readout.readout, readout.relevance)


def _check(
    store: StatisticsStore,
    readouts: Iterable[ReadoutName],
    relevances: Mapping[str, Relevance],
    training_rows: np.ndarray | None,
) -> None:
    if training_rows is not None and not len(training_rows):
        raise InputError("training_rows: expected at least one row to take the mean of, got none")
    for readout in readouts:
        if readout.model != store.model:
            raise InputError(f"{readout}: {store.path} has the statistics of {store.model}")
        if readout.relevance and readout.relevance not in relevances:
            raise InputError(f"{readout}: the relevance {readout.relevance} was not given")
    check_readouts(readouts, tuple(store.model_layers), relevances)
