"""The read-outs, each in two steps: the terms summed over layers, and the distance from the sums.

Differences of moments are statistics of their own (see ``iqa_jax.readouts.statistics``), so that
equal images have a distance of exactly 0 and small distances keep their digits.
"""

import math
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp

from iqa_jax.readouts.layer import LayerStatistics, Readout, Summands, along_channels
from iqa_jax.readouts.safe import guarded_sqrt, ratio

_STABILITY = 1e-6
"""DISTS's constant in both terms."""

_MEANS = ("mean_reference", "mean_distorted", "difference_mean")
_VARIANCES = ("variance_reference", "variance_distorted")


def _squared_distance(layer: LayerStatistics) -> jax.Array:
    return layer.positions * layer.weighted_sum("squared_error")


def _l2(layer: LayerStatistics) -> Summands:
    return (_squared_distance(layer),)


def _rmse(layer: LayerStatistics) -> Summands:
    return _squared_distance(layer), layer.positions * float(layer.channels)


def _root_of_ratio(total: jax.Array, count: jax.Array | float) -> jax.Array:
    return guarded_sqrt(total / count)


def _balanced(layer: LayerStatistics) -> Summands:
    distance = _squared_distance(layer)
    return (ratio(distance, _normaliser(layer, distance)),)


def _normalized(layer: LayerStatistics) -> Summands:
    errors = layer.values["squared_error"]
    return layer.sum_of(ratio(errors, _normaliser(layer, errors))), float(layer.channels)


def _normaliser(layer: LayerStatistics, values: jax.Array) -> jax.Array:
    assert layer.normaliser is not None
    return jnp.broadcast_to(along_channels(layer.normaliser, values), values.shape)


def _unit(layer: LayerStatistics) -> Summands:
    distance = layer.weighted_sum("unit_squared_error")
    if layer.channels == 1:  # a unit vector of one number carries no information
        return (jnp.full_like(distance, math.nan),)
    return (distance,)


def _cosine_terms(layer: LayerStatistics) -> Summands:
    """|r - d|^2, |r|^2, |d|^2 and |r|^2 - |d|^2."""
    m, n, difference = (layer.values[name] for name in _MEANS)
    v, z = (layer.values[name] for name in _VARIANCES)
    gap = difference * (m + n) + layer.values["variance_change"]
    return (
        _squared_distance(layer),
        layer.positions * layer.sum_of(jnp.square(m) + v),
        layer.positions * layer.sum_of(jnp.square(n) + z),
        layer.positions * layer.sum_of(gap),
    )


def _cosine(
    squared_distance: jax.Array, reference: jax.Array, distorted: jax.Array, gap: jax.Array
) -> jax.Array:
    # 1 - <r, d> / (|r| |d|) = (|r - d|^2 - (|r| - |d|)^2) / (2 |r| |d|). The difference of the
    # lengths is computed from that of their squares. The rounding error is then a share of
    # |r - d|^2, not of |r| |d|, so that the distances of similar images keep their digits.
    r, d = guarded_sqrt(reference), guarded_sqrt(distorted)
    across = squared_distance - jnp.square(ratio(gap, r + d))
    # At 0 the whole slope passes: half of it, as in a maximum, would halve second derivatives.
    is_rounding = (across < 0.0) & jnp.isfinite(across)
    angle = ratio(jnp.where(is_rounding, 0.0, across), 2.0 * r * d)
    one_is_zero = ((r > 0) & (d == 0)) | ((r == 0) & (d > 0))
    return jnp.where(one_is_zero, 1.0, angle)


def _mean(layer: LayerStatistics) -> Summands:
    return (layer.sum_of(jnp.square(layer.values["difference_mean"])),)


def _std(layer: LayerStatistics) -> Summands:
    r, d = (guarded_sqrt(layer.values[name]) for name in _VARIANCES)
    difference = ratio(layer.values["variance_change"], r + d)
    return (layer.sum_of(jnp.square(difference)),)


def _mean_std(layer: LayerStatistics) -> Summands:
    return (*_mean(layer), *_std(layer))


def _root_of_sum(*totals: jax.Array) -> jax.Array:
    return guarded_sqrt(sum(totals[1:], start=totals[0]))


def _gram(layer: LayerStatistics) -> Summands:
    return (layer.values["gram_error"][..., 0],)


def _as_it_is(distance: jax.Array) -> jax.Array:
    return distance


def _structure_texture(layer: LayerStatistics) -> Summands:
    terms = _texture(layer.values), _structure(layer.values)
    distance = layer.sum_of(terms[0], 0) + layer.sum_of(terms[1], 1)
    if layer.relevance is None:
        return distance, 2.0 * layer.channels
    return distance, jnp.sum(layer.relevance)


def _texture(values: Mapping[str, jax.Array]) -> jax.Array:
    energy = jnp.square(values["mean_reference"]) + jnp.square(values["mean_distorted"])
    return ratio(jnp.square(values["difference_mean"]), energy + _STABILITY)


def _structure(values: Mapping[str, jax.Array]) -> jax.Array:
    # The variance of the difference is v + z - 2 q, so that nothing cancels.
    variances = values["variance_reference"] + values["variance_distorted"]
    return ratio(values["difference_variance"], variances + _STABILITY)


def _mean_of_terms(total: jax.Array, weights: jax.Array | float) -> jax.Array:
    return total / weights


def _number_of(statistic: str) -> Callable[[LayerStatistics], Summands]:
    """The summands of a mean over layers of a statistic that is a number."""
    return lambda layer: (layer.values[statistic][..., 0], 1.0)


def readout_formulas(readout: str) -> list[str]:
    """Formulas of a read-out and its statistics, as names in ``iqa_jax.revisions``."""
    statistics = READOUTS[readout].statistics
    return [f"readout/{readout}", *(f"statistic/{name}" for name in statistics)]


READOUTS: Mapping[str, Readout] = {
    "l2": Readout(("squared_error",), _l2, guarded_sqrt),
    "rmse": Readout(("squared_error",), _rmse, _root_of_ratio),
    "balanced": Readout(
        ("squared_error",), _balanced, guarded_sqrt, normalised_by=_squared_distance
    ),
    "normalized": Readout(
        ("squared_error",),
        _normalized,
        _root_of_ratio,
        normalised_by=lambda layer: layer.values["squared_error"],
    ),
    "unit": Readout(("unit_squared_error",), _unit, _as_it_is, is_local=True),
    "unit_root": Readout(("unit_squared_error",), _unit, guarded_sqrt),
    "cosine": Readout(
        ("squared_error", *_MEANS, *_VARIANCES, "variance_change"), _cosine_terms, _cosine
    ),
    "mean": Readout(("difference_mean",), _mean, _root_of_sum),
    "std": Readout((*_VARIANCES, "variance_change"), _std, _root_of_sum),
    "mean_std": Readout(
        ("difference_mean", *_VARIANCES, "variance_change"), _mean_std, _root_of_sum
    ),
    "gram": Readout(("gram_error",), _gram, _as_it_is, terms=0),
    "structure_texture": Readout(
        (*_MEANS, *_VARIANCES, "difference_variance"),
        _structure_texture,
        _mean_of_terms,
        terms=2,
    ),
    "wasserstein": Readout(
        ("wasserstein_error",), _number_of("wasserstein_error"), _mean_of_terms, terms=0
    ),
    "wasserstein_16": Readout(
        ("wasserstein_error_16",), _number_of("wasserstein_error_16"), _mean_of_terms, terms=0
    ),
    "distance_correlation": Readout(
        ("decorrelation_error",), _number_of("decorrelation_error"), _mean_of_terms, terms=0
    ),
}
