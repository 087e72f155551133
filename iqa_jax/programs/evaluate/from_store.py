"""Read-outs from stored statistics: any layer, concatenation, descriptor and relevance.

No image or network is touched. The formulas are those of a metric, in the same float32, so that the
results agree with those of the metric to the rounding of float32; means over a dataset are taken in
float64. Every array is read once, however many read-outs use it, and one layer is in memory at a
time.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.backbones import aliases
from iqa_jax.engine.store import StatisticsStore
from iqa_jax.errors import InputError
from iqa_jax.metrics.features import check_network, check_readouts
from iqa_jax.programs.evaluate.normaliser import check_normaliser
from iqa_jax.readouts import READOUTS, LayerStatistics, ReadoutName, Summands
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
      store: Statistics of the model of the read-outs.
      readouts: Read-outs, including those that compare with a dataset.
      relevances: Relevances by name, at least those of the read-outs.
      normaliser: The statistics whose mean ``balanced`` and ``normalized`` compare with; None for
        those of ``store`` themselves.
      training_rows: Rows over which the mean is taken; None for all.

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
    summands: dict[ReadoutName, Summands] = {}
    for layer, parts in _by_layer(store, readouts).items():
        own = _LayerArrays(store, layer)
        others = _LayerArrays(normaliser, layer) if normaliser else own
        for part in parts:
            readout = READOUTS[part.readout]
            weights = relevances[part.relevance].weights[part.layer] if part.relevance else None
            mean = None
            if readout.normalised_by:
                compared = readout.normalised_by(LayerStatistics(others, others.positions, weights))
                mean = jnp.asarray(np.asarray(compared, np.float64)[rows].mean(axis=0), jnp.float32)
            summands[part] = readout.summands(
                own, own.positions, relevance=weights, normaliser=mean
            )
    return {
        str(readout): np.asarray(
            READOUTS[readout.readout].combine(summands[part] for part in readout.parts)
        )
        for readout in readouts
    }


class _LayerArrays(dict[str, jax.Array]):
    """The statistics of a layer for all pairs by name, read when they are needed."""

    def __init__(self, store: StatisticsStore, layer: str):
        super().__init__()
        self._store, self._layer = store, layer
        self.positions = jnp.asarray(store.positions(layer), jnp.float32)

    def __missing__(self, statistic: str) -> jax.Array:
        self[statistic] = jnp.asarray(self._store.read(self._layer, statistic))
        return self[statistic]


def _by_layer(
    store: StatisticsStore, readouts: Iterable[ReadoutName]
) -> dict[str, dict[ReadoutName, None]]:
    """The parts of read-outs, each once, by the full name of their layer."""
    short = aliases(tuple(store.model_layers))
    found: dict[str, dict[ReadoutName, None]] = defaultdict(dict)
    for readout in readouts:
        for part in readout.parts:
            found[short.get(part.layer, part.layer)][part] = None
    return found


def _check(
    store: StatisticsStore,
    readouts: Sequence[ReadoutName],
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
    named = (readout.relevance for readout in readouts)
    check_network(store.signature["weights_sha256"], (relevances[name] for name in named if name))
