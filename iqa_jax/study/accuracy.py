"""Claims about networks that are better at their task, and learned channel weights."""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from iqa_jax.study.against_metrics import is_supervised
from iqa_jax.study.estimates import ALPHA, LEVEL, from_interval
from iqa_jax.study.findings import (
    CONTRADICTED,
    EQUIVALENT,
    SUPPORTED,
    UNDECIDED,
    Contrast,
    Finding,
    RankEstimate,
    Untested,
    adjusted,
    allowed,
    equivalence_finding,
)
from iqa_jax.study.quantities import BEST, View
from iqa_jax.study.reading import Gain

TOP1, PROBE, EPOCHS = AXES = ("top1", "linear_probe", "epochs")
_LEAST_NETWORKS = 6
_APART = 5.0
"""Difference of accuracies, in percent, from which a pair of networks can be discordant."""

_PREDICTIVE = 0.3
"""Kendall's tau from which accuracy is called predictive."""

_TAU_VARIANCE = 0.437
"""Variance of Fisher's z of Kendall's tau, times n - 4 (Fieller, Hartley and Pearson 1957)."""


class _Point(NamedTuple):
    """A network on an axis; only networks of one series are compared."""

    name: str
    accuracy: float
    weights: np.ndarray
    series: tuple[str, ...] = ()


def _concordance(view: View, one: _Point, other: _Point) -> float:
    """1 if the more accurate of two networks agrees better, -1 if it agrees less."""
    lead = view.sample.value(other.weights) - view.sample.value(one.weights)
    return float(np.sign(lead) * np.sign(other.accuracy - one.accuracy))


def accuracy_does_not_imply(view: View, margin: float, *, axis: str) -> Finding | Untested:
    """The better of two networks at the task may agree less with people.

    Args:
      view: The networks.
      margin: Not needed.
      axis: ``top1`` of supervised networks, ``linear_probe`` of ResNet-50, or ``epochs``: the
        linear probe of networks that differ in nothing but their epochs.
    """
    del margin
    points = _points(view, axis)
    if len(points) < _LEAST_NETWORKS:
        return Untested(
            f"{_LEAST_NETWORKS} networks with {axis} are needed, found {len(points)}", len(points)
        )
    pairs = [
        (one, other)
        for one, other in itertools.combinations(sorted(points, key=lambda each: each.accuracy), 2)
        if one.series == other.series
    ]
    tau = float(np.mean([_concordance(view, one, other) for one, other in pairs]))
    contrasts = []
    for one, other in pairs:
        if other.accuracy - one.accuracy >= _APART:
            images = view.sample.contrast(one.weights - other.weights)
            contrasts.append(
                Contrast(
                    *("accuracy", axis, one.name, other.name, BEST),
                    *(images, min(1.0, 2 * images.p_above(0))),
                    clean=False,
                    confounds="layer of the probe",
                )
            )
    discordant = adjusted(each.p for each in contrasts)
    networks = tau_estimate(tau, len(points) + 2 - 2 * len({each.series for each in points}))
    smallest = min(discordant, default=1.0)
    decision, p = UNDECIDED, smallest
    if smallest < ALPHA:
        decision = SUPPORTED
    elif networks.low > _PREDICTIVE:
        decision, p = CONTRADICTED, networks.p()
    is_flat = networks.low > -_PREDICTIVE and networks.high < _PREDICTIVE
    count = sum(each < ALPHA for each in discordant)
    return Finding(
        decision,
        allowed(
            supported=any(each.images.value > 0 for each in contrasts),
            contradicted=tau > _PREDICTIVE,
        ),
        tau,
        p,
        networks=networks,
        contrasts=contrasts,
        count=len(points),
        blocks=len(contrasts),
        note=f"{count} of {len(contrasts)} pairs discordant; "
        f"{'not predictive' if is_flat else 'tau is not known to be small'}",
    )


def _points(view: View, axis: str) -> Sequence[_Point]:
    """Networks with their accuracy on an axis."""
    if axis == EPOCHS:
        series: dict[tuple[str, ...], list[_Point]] = {}
        for each in view.networks:
            if each.is_trained and each.epochs and each.linear_probe is not None:
                best = view.best(each)
                if best is not None:
                    key = each.trunk, each.goal, each.environment, each.recipe
                    point = _Point(each.name, each.linear_probe, best, key)
                    series.setdefault(key, []).append(point)
        return [point for those in series.values() if len(those) > 1 for point in those]
    found = []
    for each in view.trained:
        accuracy = each.top1 if axis == TOP1 else each.linear_probe
        is_on = is_supervised(each) if axis == TOP1 else each.architecture == "resnet50"
        best = view.best(each) if is_on and accuracy is not None else None
        if best is not None and accuracy is not None:
            found.append(_Point(each.name, accuracy, best))
    return found


def tau_estimate(tau: float, count: int) -> RankEstimate:
    """Interval of Kendall's tau by Fisher's z.

    Of several series, the number of networks is less by two for each further series.

    Args:
      tau: Kendall's tau.
      count: Number of networks; fewer than 5 count as 5.
    """
    z = math.atanh(max(-1 + 1e-12, min(1 - 1e-12, tau)))
    error = math.sqrt(_TAU_VARIANCE / max(count - 4, 1))
    width = float(stats.norm.isf((1 - LEVEL) / 2)) * error
    p = float(2 * stats.norm.sf(abs(z) / error))
    return RankEstimate(tau, math.tanh(z - width), math.tanh(z + width), p)


def best_classifier_is_not_best(view: View, margin: float) -> Finding | Untested:
    """The best classifier agrees less with people than the network that is best elsewhere.

    Args:
      view: The networks.
      margin: Difference that counts as none.
    """
    classifiers = [each for each in view.trained if is_supervised(each) and each.top1 is not None]
    if len(classifiers) < 2:
        return Untested(
            f"2 supervised networks with top-1 accuracy are needed, found {len(classifiers)}",
            len(classifiers),
        )
    classifier = max(classifiers, key=lambda each: each.top1 or 0.0)
    best = view.best(classifier)
    metric = view.best_network()
    if best is None or metric is None:
        return Untested("no layer can be chosen on other data", len(classifiers))
    names, weights = metric
    images = view.sample.contrast(best - weights)
    decision, p = UNDECIDED, images.p()
    above = min(1.0, 2 * images.p_above(-margin))
    if p < ALPHA and images.value < 0:
        decision = SUPPORTED
    elif above < ALPHA:
        decision, p = CONTRADICTED, above
    contrast = Contrast(
        *("accuracy", "best", classifier.name, names, BEST, images, images.p()),
        members=[classifier.name, *names.split(",")],
    )
    return Finding(
        decision,
        allowed(supported=images.value < 0, contradicted=images.value > -margin),
        images.value,
        p,
        images,
        contrasts=[contrast],
        count=len(view.trained),
        note=f"{classifier.name} - {names}",
    )


def relevance_adds(gains: Sequence[Gain], measure: str, margin: float) -> Finding | Untested:
    """Learned channel weights agree better with people than equal ones on data not learned from.

    Args:
      gains: Gains of trainings, held out and transferred.
      measure: ``srcc`` or ``plcc``.
      margin: Gain that counts as none.
    """
    chosen = [each for each in gains if each.measure == measure and math.isfinite(each.low)]
    if not chosen:
        return Untested("a training with intervals is needed; iqa train", 0)
    contrasts = []
    for each in chosen:
        images = from_interval(each.value, each.low, each.high, each.references - 1)
        contrasts.append(
            Contrast(
                *("relevance", f"{each.part}, {each.dataset}", "learned", "uniform"),
                *(f"{each.model}, {each.readout}", images, images.p()),
            )
        )
    p_gain = max(min(1.0, 2 * each.images.p_above(0)) for each in contrasts)
    p_loss = min(adjusted(min(1.0, 2 * each.images.p_below(0)) for each in contrasts))
    small = equivalence_finding(contrasts, margin, count=len(contrasts))
    values = [each.images.value for each in contrasts]
    decision, p = UNDECIDED, p_gain
    if p_gain < ALPHA:
        decision = SUPPORTED
    elif small.decision == EQUIVALENT:
        decision, p = EQUIVALENT, small.p
    elif p_loss < ALPHA:
        decision, p = CONTRADICTED, p_loss
    smallest = min(contrasts, key=lambda each: each.images.value)
    return Finding(
        decision,
        allowed(
            supported=min(values) > 0,
            contradicted=min(values) < 0,
            equivalent=max(map(abs, values)) < margin,
        ),
        smallest.images.value,
        p,
        smallest.images,
        contrasts=contrasts,
        p_tost=small.p_tost,
        margin_reached=small.margin_reached,
        count=len({each.quantity for each in contrasts}),
        blocks=len(contrasts),
        note=f"smallest: {smallest.block}",
    )
