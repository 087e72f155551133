"""Rows of the tables of a study: models, contrasts and claims."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from iqa_jax.agreement.intervals import LEAST_REFERENCES
from iqa_jax.study.estimates import Estimate
from iqa_jax.study.evidence import Evidence
from iqa_jax.study.findings import Contrast, Finding
from iqa_jax.study.layers import CONCATENATED
from iqa_jax.study.pseudovalues import MEASURES, SPEARMAN, Pseudovalues, Sample
from iqa_jax.study.quantities import DEPTH_MEAN, LAST, SLOPE, STRIDES, View
from iqa_jax.study.results import BASELINE, METRIC, Network, Results
from iqa_jax.study.verdicts import Verdict

TRANSFERRED, SPLIT, APPARENT = "best_transferred", "best_split", "best_apparent"


class ModelRow(NamedTuple):
    """A quantity of a network or a metric; NaN or None where there is none.

    ``error`` is in units of the quantity, and the interval of a correlation is that of Fisher's z.
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


class ContrastRow(NamedTuple):
    """A comparison behind a claim."""

    claim: str
    dataset: str
    factor: str
    block: str
    a: str
    b: str
    readout: str
    measure: str
    quantity: str
    difference: float
    se: float
    df: float
    low: float
    high: float
    p: float
    p_holm: float
    p_tost: float
    margin: float
    margin_reached: float
    clean: bool
    confounds: str


class ClaimRow(NamedTuple):
    """A claim on a dataset, or on all sources."""

    claim: str
    source: str
    text: str
    dataset: str
    readout: str
    measure: str
    estimand: str
    estimate: float
    low_images: float
    high_images: float
    low_networks: float
    high_networks: float
    p: float
    p_holm: float
    margin: float
    p_tost: float
    margin_reached: float
    networks: int
    contrasts: int
    blocks: int
    datasets: int
    replicated: str
    verdict: str
    robust: str
    reason: str
    note: str
    needed: str
    confounds: str


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
        if column.kind in (METRIC, BASELINE, "joined"):
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
        of_layers = quantity not in (SLOPE, "minus_untrained")
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
    )


def contrast_rows(verdicts: Sequence[Verdict], margin: float) -> Iterator[ContrastRow]:
    """The comparisons behind the claims.

    Args:
      verdicts: Rows of the table of claims; those of all sources have no comparisons of their own.
      margin: Difference that counts as none.
    """
    for row in verdicts:
        if isinstance(row.finding, Finding) and row.dataset != "all sources":
            for contrast in row.finding.contrasts:
                yield _contrast(row, contrast, margin)


def _contrast(row: Verdict, contrast: Contrast, margin: float) -> ContrastRow:
    images = contrast.images
    return ContrastRow(
        *(row.claim.id, row.dataset, contrast.factor, contrast.block, contrast.a, contrast.b),
        *(row.readout, SPEARMAN, contrast.quantity, images.value, images.error, images.df),
        *(images.low, images.high, contrast.p, contrast.p_holm),
        *(images.p_equivalent(margin), margin, images.margin_reached),
        *(contrast.clean, contrast.confounds),
    )


def claim_rows(verdicts: Sequence[Verdict], margin: float) -> Iterator[ClaimRow]:
    """The table of claims.

    Args:
      verdicts: The verdicts.
      margin: Difference that counts as none.
    """
    for row in verdicts:
        claim, found = row.claim, row.finding
        is_found = isinstance(found, Finding)
        yield ClaimRow(
            *(claim.id, claim.source, claim.text, row.dataset, row.readout, SPEARMAN),
            *(claim.estimand, row.estimate, row.low_images, row.high_images),
            *(row.low_networks, row.high_networks, row.p, row.p_holm, margin),
            *((found.p_tost, found.margin_reached) if is_found else (math.nan, math.nan)),
            *(found.count, len(found.contrasts) if is_found else 0),
            *(found.blocks if is_found else 0, row.sources),
            f"{row.replicated} of {row.sources}" if row.sources else "",
            *(row.verdict, row.robust, row.reason, found.note if is_found else ""),
            *(claim.needs, claim.confounds),
        )


def pseudovalue_arrays(datasets: Sequence[Pseudovalues]) -> dict[str, np.ndarray]:
    """Pseudo-values by ``DATASET/MEASURE``, with the columns and references of each dataset.

    Args:
      datasets: The datasets.
    """
    found: dict[str, np.ndarray] = {}
    for each in datasets:
        name = each.results.dataset
        found[f"{name}/columns"] = np.array([column.name for column in each.results.columns])
        found[f"{name}/references"] = np.unique(each.results.reference_ids)
        for measure in MEASURES:
            found[f"{name}/{measure}/values"] = each.whole[measure].values
            found[f"{name}/{measure}/psi"] = each.whole[measure].psi
    return found
