"""Rows of the table of models: every quantity of every network and metric."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from iqa_jax.agreement.intervals import LEAST_REFERENCES
from iqa_jax.study.estimates import Estimate
from iqa_jax.study.evidence import Evidence
from iqa_jax.study.layers import CONCATENATED
from iqa_jax.study.pseudovalues import MEASURES, Sample
from iqa_jax.study.published import authors_values, weighted
from iqa_jax.study.quantities import DEPTH_MEAN, LAST, SLOPE, STAGE_SLOPE, STRIDES, View
from iqa_jax.study.results import BASELINE, JOINED, METRIC, Network, Results

TRANSFERRED, SPLIT, APPARENT = "best_transferred", "best_split", "best_apparent"


class ModelRow(NamedTuple):
    """A quantity of a network or a metric; NaN or None where there is none.

    ``se`` is in units of the quantity, and the interval of a correlation is that of Fisher's z.
    ``authors_value`` is the quantity of the correlations that the authors published.
    """

    dataset: str
    model: str
    family: str
    architecture: str
    trunk: str
    depth: int | None
    goal: str
    goal_family: str
    environment: str
    top1: float | None
    linear_probe: float | None
    readout: str
    measure: str
    quantity: str
    layer: str
    layer_from: str
    value: float
    se: float
    df: float
    low: float
    high: float
    references: int
    pairs: int
    optimism: float
    partial: bool
    authors_value: float
    difference_from_authors: float


def model_rows(evidence: Evidence, readouts: Sequence[str]) -> Iterator[ModelRow]:
    """All quantities of all networks and metrics.

    Args:
      evidence: All datasets.
      readouts: Names of the read-outs.
    """
    for dataset in evidence.native:
        for measure in MEASURES:
            sample = dataset.sample(measure)
            yield from _metric_rows(sample)
            for readout in readouts:
                view = evidence.view(dataset, measure, readout)
                for network in view.networks:
                    yield from _network_rows(view, network)


def _metric_rows(sample: Sample) -> Iterator[ModelRow]:
    for place, column in enumerate(sample.results.columns):
        if column.kind in (METRIC, BASELINE, JOINED):
            weights = np.zeros(len(sample.results.columns))
            weights[place] = 1.0
            quantity = "input" if column.kind == BASELINE else "metric"
            name = column.model or "pixels"
            yield _row(
                sample, Network(name), column.readout, quantity, weights, is_correlation=True
            )


def _network_rows(view: View, network: Network) -> Iterator[ModelRow]:
    sample, readout = view.sample, view.readout

    def row(quantity: str, weights: np.ndarray, layer_from: str = "") -> ModelRow:
        layer = view.layer_names(weights) if layer_from or quantity != DEPTH_MEAN else ""
        of_layers = quantity not in (SLOPE, STAGE_SLOPE, "minus_untrained")
        return _row(
            *(sample, network, readout, quantity, weights),
            is_correlation=of_layers,
            layer=layer if of_layers else "",
            layer_from=layer_from,
        )

    yield row(DEPTH_MEAN, view.depth_mean(network))
    yield row(LAST, view.last(network))
    for stride in STRIDES:
        stage = view.stage(network, stride)
        if stage is not None:
            yield row(f"stage_{stride}", stage)
    best = view.best(network)
    layer, apparent = view.best_apparent(network)
    if best is not None:
        is_split = view.elsewhere is None
        chosen_on = "the other half of the references" if is_split else "other sources"
        yield row(SPLIT if is_split else TRANSFERRED, best, chosen_on)
    optimism = apparent - sample.value(best) if best is not None else math.nan
    yield _numbers(
        *(sample, network, readout, APPARENT),
        value=apparent,
        layer=layer,
        layer_from="the pairs that score it",
        optimism=optimism,
    )
    for joined in CONCATENATED:
        weights = view.concatenated(network, joined)
        if weights is not None:
            yield row(f"concatenated_{joined}", weights)
    slope = view.slope(network)
    if slope is not None:
        yield row(SLOPE, slope)
        used = np.flatnonzero(slope)
        order = [view.columns[place].relative_depth for place in used.tolist()]
        tau = float(np.asarray(stats.kendalltau(order, sample.whole.values[used]))[0])
        yield _numbers(sample, network, readout, "depth_tau", value=tau)
    of_stages = view.slope_of_stages(network)
    if of_stages is not None:
        yield row(STAGE_SLOPE, of_stages)
    added = view.minus_untrained(network)
    if added is not None and network.is_trained:
        yield row("minus_untrained", added)


def _row(
    sample: Sample,
    network: Network,
    readout: str,
    quantity: str,
    weights: np.ndarray,
    *,
    is_correlation: bool,
    layer: str = "",
    layer_from: str = "",
) -> ModelRow:
    images = sample.contrast(weights)
    z = sample.correlation(weights) if is_correlation else None
    return _numbers(
        *(sample, network, readout, quantity),
        value=images.value,
        images=images,
        layer=layer,
        layer_from=layer_from,
        ends=(math.tanh(z.low), math.tanh(z.high)) if z else (images.low, images.high),
        authors_value=weighted(authors_values(sample.results, sample.measure), weights),
    )


def _numbers(
    sample: Sample,
    network: Network,
    readout: str,
    quantity: str,
    *,
    value: float,
    images: Estimate | None = None,
    layer: str = "",
    layer_from: str = "",
    ends: tuple[float, float] = (math.nan, math.nan),
    optimism: float = math.nan,
    authors_value: float = math.nan,
) -> ModelRow:
    results: Results = sample.results
    if images is None or results.references < LEAST_REFERENCES:
        error, df, (low, high) = math.nan, math.nan, (math.nan, math.nan)
    else:
        error, df, (low, high) = images.error, images.df, ends
    return ModelRow(
        *(results.dataset, network.name, network.family, network.architecture, network.trunk),
        *(network.depth, network.goal, network.goal_family, network.environment),
        *(network.top1, network.linear_probe, readout, sample.measure, quantity),
        *(layer, layer_from, value, error, df, low, high),
        *(results.references, len(results.human), optimism, not results.is_complete),
        *(authors_value, value - authors_value),
    )
