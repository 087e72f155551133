"""Claims about the depth of networks, and of layers within them."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from iqa_jax.study.against_metrics import is_supervised
from iqa_jax.study.estimates import ALPHA, LEVEL
from iqa_jax.study.findings import (
    CONSISTENT,
    CONTRADICTED,
    SUPPORTED,
    UNDECIDED,
    Contrast,
    Finding,
    RankEstimate,
    Untested,
    absent_of,
    allowed,
    by_family,
    factor_finding,
    mean_weights,
)
from iqa_jax.study.networks import Side, comparison_weights, networks_estimate
from iqa_jax.study.quantities import BEST, SLOPE, STAGE_SLOPE, View
from iqa_jax.study.results import Network

SIMPLE = ("alexnet", "vgg", "squeezenet")
DEEP = ("resnet", "densenet", "efficientnet")
_LEAST_DEPTH_OF_RESNET = 49
"""Convolutions of ResNet-50, the shallowest of the very deep ones."""

_PERMUTATIONS = 9999
"""Permutations of families; all are tried if there are no more than these."""


def simpler_better(view: View, margin: float) -> Finding | Untested:
    """Agreement falls with depth among supervised networks of ImageNet-1k.

    The estimand is Theil and Sen's slope of the correlation on log2 of the depth over families,
    each the mean of its networks. Images enter by the pair of families with that slope.

    Args:
      view: The networks.
      margin: Not needed.
    """
    del margin
    chosen = [each for each in view.trained if is_supervised(each) and each.depth]
    best = {each.name: view.best(each) for each in chosen}
    chosen = [each for each in chosen if best[each.name] is not None]
    families = by_family(chosen)
    architectures = len({each.architecture for each in chosen})
    if architectures < 8 or len(families) < 3:
        wanted = filter(is_supervised, view.sample.results.networks.values())
        return Untested(
            f"8 architectures of 3 families are needed, found {architectures} of {len(families)}"
            f"{absent_of(view, wanted)}",
            len(chosen),
        )
    units = {
        name: mean_weights([best[each.name] for each in those]) for name, those in families.items()
    }
    depths = [np.mean([np.log2(each.depth or 1) for each in those]) for those in families.values()]
    x, weights = np.array(depths), [*units.values()]
    y = np.array([view.sample.value(each) for each in weights])
    slope, _, low, high = map(float, np.asarray(stats.theilslopes(y, x, alpha=LEVEL)))
    one, other = np.triu_indices(len(x), 1)
    apart = x[other] != x[one]
    one, other = one[apart], other[apart]
    tested = stats.permutation_test(
        (y,),
        lambda values: np.median((values[other] - values[one]) / (x[other] - x[one])),
        permutation_type="pairings",
        vectorized=False,
        n_resamples=_PERMUTATIONS,
        rng=np.random.default_rng(0),
    )
    networks = RankEstimate(slope, low, high, float(tested.pvalue))
    images = view.sample.contrast(_median_slope(x, y, weights))
    contrasts = [*_slopes_within(view, families, best), *_simple_against_deep(view, units, chosen)]
    excludes = low > 0 or high < 0
    p = max(images.p(), networks.p(), 0.0 if excludes else 1.0)
    decision = UNDECIDED
    if p < ALPHA:
        decision = SUPPORTED if slope < 0 else CONTRADICTED
    elif images.p() < ALPHA and slope < 0:
        decision, p = CONSISTENT, images.p()
    return Finding(
        decision,
        allowed(supported=slope < 0, consistent=slope < 0, contradicted=slope > 0),
        slope,
        p,
        images,
        networks,
        contrasts,
        count=len(chosen),
        blocks=len(families),
        note="per doubling of the depth",
    )


def _median_slope(x: np.ndarray, y: np.ndarray, weights: Sequence[np.ndarray]) -> np.ndarray:
    """Weights of the median of all slopes between two families, as linear in the correlations."""
    slopes = [
        ((y[b] - y[a]) / (x[b] - x[a]), (weights[b] - weights[a]) / (x[b] - x[a]))
        for a, b in itertools.combinations(range(len(x)), 2)
        if x[a] != x[b]
    ]
    ordered = sorted(slopes, key=lambda each: each[0])
    return (ordered[(len(ordered) - 1) // 2][1] + ordered[len(ordered) // 2][1]) / 2


def _slopes_within(
    view: View, families: Mapping[str, Sequence[Network]], best: Mapping[str, np.ndarray | None]
) -> list[Contrast]:
    """Slopes on log2 of the depth within families of three depths or more."""
    found = []
    for family, networks in families.items():
        x = np.array([np.log2(each.depth or 1) for each in networks])
        if len(set(x.tolist())) < 3:
            continue
        centred = x - x.mean()
        factors = centred / (centred @ centred)
        terms = [factor * best[each.name] for factor, each in zip(factors, networks, strict=True)]
        images = view.sample.contrast(sum(terms, np.zeros(())))
        found.append(
            Contrast(
                *("depth", family, "slope per doubling of the depth", "", BEST),
                *(images, images.p()),
                clean=False,
                confounds="width, number of layers",
                members=[each.name for each in networks],
            )
        )
    return found


def _simple_against_deep(
    view: View, units: Mapping[str, np.ndarray], networks: Sequence[Network]
) -> list[Contrast]:
    """Families of simple networks against those of very deep ones."""
    deep = by_family(each for each in networks if is_very_deep(each))
    one = [units[name] for name in SIMPLE if name in units]
    other = [mean_weights([view.best(each) for each in those]) for those in deep.values()]
    if not one or not other:
        return []
    sides = [Side(1, one), Side(-1, other)]
    images = view.sample.contrast(comparison_weights(sides))
    return [
        Contrast(
            *("architecture", "supervised, imagenet1k", "simple", "very deep", BEST),
            *(images, images.p()),
            networks=networks_estimate(view.sample, sides),
            clean=False,
            confounds="residuals, batch norm, map sizes, number of layers, recipe",
            members=[each.name for each in networks if each.family in SIMPLE or is_very_deep(each)],
        )
    ]


def is_very_deep(network: Network) -> bool:
    """Whether a network is a ResNet of 50 layers or more, a DenseNet or an EfficientNet.

    Args:
      network: The network.
    """
    is_long = network.family != "resnet" or (network.depth or 0) >= _LEAST_DEPTH_OF_RESNET
    return network.family in DEEP and is_long


def rises_with_depth(
    view: View, margin: float, *, group: str, by_stage: bool = False
) -> Finding | Untested:
    """Agreement rises from layer to layer in simple networks, or does not in very deep ones.

    Args:
      view: The networks.
      margin: Rise from the first to the last layer that counts as none in very deep networks.
      group: ``simple`` or ``very deep``.
      by_stage: Whether the slope is over the last layers at each stride, which are comparable
        across families, instead of over relative depth.
    """
    is_simple = group == "simple"
    chosen = [
        each
        for each in view.trained
        if is_supervised(each) and (each.family in SIMPLE if is_simple else is_very_deep(each))
    ]
    slope_of = view.slope_of_stages if by_stage else view.slope
    found = {each.name: slope_of(each) for each in chosen}
    slopes = {name: weights for name, weights in found.items() if weights is not None}
    chosen = [each for each in chosen if each.name in slopes]
    if len(chosen) < 3:
        return Untested(
            f"3 {group} supervised networks with {'two strides' if by_stage else 'layers'} are "
            f"needed, found {len(chosen)}",
            len(chosen),
        )
    sign = 1 if is_simple else -1
    units = [
        mean_weights([slopes[each.name] for each in those]) for those in by_family(chosen).values()
    ]
    contrasts = []
    for each in chosen:
        images = view.sample.contrast(slopes[each.name])
        contrasts.append(
            Contrast(
                *("depth", each.family, each.name, "", STAGE_SLOPE if by_stage else SLOPE),
                *(images, images.p()),
                clean=False,
            )
        )
    return factor_finding(
        view,
        [Side(sign, units)],
        contrasts,
        count=len(chosen),
        null=0.0 if is_simple else -margin,
        blocks=len(units),
        note=""
        if is_simple
        else f"fall per unit of {'stride' if by_stage else 'relative depth'}: the slope with its "
        "sign changed",
    )
