"""Claims about goal, architecture and environment: networks compared where little else differs."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from iqa_jax.study.against_metrics import is_supervised
from iqa_jax.study.estimates import ALPHA, LEVEL
from iqa_jax.study.findings import (
    CONSISTENT,
    CONTRADICTED,
    EQUIVALENT,
    SUPPORTED,
    UNDECIDED,
    Contrast,
    Finding,
    RankEstimate,
    Untested,
    absent_of,
    adjusted,
    allowed,
    by_family,
    factor_finding,
)
from iqa_jax.study.networks import Side, comparison_weights, networks_estimate
from iqa_jax.study.quantities import BEST, DEPTH_MEAN, SLOPE, View
from iqa_jax.study.results import Network

SELF_SUPERVISED = ("pretext", "clustering", "contrastive", "redundancy")
SIMPLE = ("alexnet", "vgg", "squeezenet")
DEEP = ("resnet", "densenet", "efficientnet")
_LEAST_DEPTH_OF_RESNET = 49
"""Convolutions of ResNet-50, the shallowest of the very deep ones."""

_PERMUTATIONS = 9999
"""Permutations of networks; all are tried if there are no more than these."""


def supervised_better(
    view: View, margin: float, *, luminance_only: bool = False
) -> Finding | Untested:
    """Supervised networks agree better than self-supervised ones on the same trunk and images.

    Goals are permuted within trunk and environment.

    Args:
      view: The networks.
      margin: Not needed.
      luminance_only: Whether networks that see no colour take part.
    """
    del margin
    strata: dict[tuple[str, str], tuple[list[Network], list[Network]]] = {}
    for each in view.trained:
        if each.luminance_only and not luminance_only:
            continue
        trunk = each.trunk.removesuffix("_colorization") if luminance_only else each.trunk
        those = strata.setdefault((trunk, each.environment), ([], []))
        if each.goal_family == "supervised":
            those[0].append(each)
        elif each.goal_family in SELF_SUPERVISED:
            those[1].append(each)
    used = {key: each for key, each in strata.items() if len(each[0]) >= 2 and len(each[1]) >= 5}
    if not used:
        largest = max((min(len(a), 2) + min(len(b), 5) for a, b in strata.values()), default=0)
        wanted = [
            each
            for each in view.sample.results.networks.values()
            if each.trunk == "resnet50" and each.environment == "imagenet1k" and each.is_trained
        ]
        return Untested(
            "2 supervised and 5 self-supervised networks of one trunk and environment are needed"
            f"{absent_of(view, wanted)}",
            largest,
        )
    supervised = [view.depth_mean(each) for one, _ in used.values() for each in one]
    others = [view.depth_mean(each) for _, other in used.values() for each in other]
    p_each, contrasts = [], []
    for (trunk, environment), (one, other) in used.items():
        of_one, of_other = (
            [view.sample.value(view.depth_mean(each)) for each in those] for those in (one, other)
        )
        p_each.append([_permuted(of_one, of_other, side) for side in ("greater", "less")])
        sides = [
            Side(1, [view.depth_mean(each) for each in one]),
            Side(-1, [view.depth_mean(each) for each in other]),
        ]
        images = view.sample.contrast(comparison_weights(sides))
        contrasts.append(
            Contrast(
                *("goal", f"{trunk}, {environment}", "supervised", "self-supervised", DEPTH_MEAN),
                *(images, images.p()),
                networks=networks_estimate(view.sample, sides),
                clean=False,
                confounds="recipe, epochs",
            )
        )
    combined = [
        each[0] if len(each) == 1 else float(stats.combine_pvalues(each, method="stouffer")[1])
        for each in zip(*p_each, strict=True)
    ]
    return factor_finding(
        view,
        [Side(1, supervised), Side(-1, others)],
        contrasts,
        count=len(supervised) + len(others),
        p_networks=min(1.0, 2 * min(combined)),
        blocks=len(used),
        note=f"permutation p = {min(1.0, 2 * min(combined)):.3g}",
    )


def _permuted(one: Sequence[float], other: Sequence[float], side: str) -> float:
    """Exact p-value of a difference of means under permutation of the goals."""
    found = stats.permutation_test(
        (np.asarray(one), np.asarray(other)),
        lambda a, b: np.mean(a) - np.mean(b),
        permutation_type="independent",
        vectorized=False,
        n_resamples=_PERMUTATIONS,
        alternative=side,
        rng=np.random.default_rng(0),
    )
    return float(found.pvalue)


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
    units = {name: _mean([best[each.name] for each in those]) for name, those in families.items()}
    depths = [np.mean([np.log2(each.depth or 1) for each in those]) for those in families.values()]
    x, weights = np.array(depths), [*units.values()]
    y = np.array([view.sample.value(each) for each in weights])
    slope, _, low, high = stats.theilslopes(y, x, alpha=LEVEL)
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
    networks = RankEstimate(float(slope), float(low), float(high), float(tested.pvalue))
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
        float(slope),
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
            )
        )
    return found


def _simple_against_deep(
    view: View, units: Mapping[str, np.ndarray], networks: Sequence[Network]
) -> list[Contrast]:
    """Families of simple networks against those of very deep ones."""
    deep = by_family(each for each in networks if is_very_deep(each))
    one = [units[name] for name in SIMPLE if name in units]
    other = [_mean([view.best(each) for each in those]) for those in deep.values()]
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
        )
    ]


def is_very_deep(network: Network) -> bool:
    """Whether a network is a ResNet of 50 layers or more, a DenseNet or an EfficientNet.

    Args:
      network: The network.
    """
    is_long = network.family != "resnet" or (network.depth or 0) >= _LEAST_DEPTH_OF_RESNET
    return network.family in DEEP and is_long


def rises_with_depth(view: View, margin: float, *, group: str) -> Finding | Untested:
    """Agreement rises from layer to layer in simple networks, or does not in very deep ones.

    Args:
      view: The networks.
      margin: Rise from the first to the last layer that counts as none in very deep networks.
      group: ``simple`` or ``very deep``.
    """
    is_simple = group == "simple"
    chosen = [
        each
        for each in view.trained
        if is_supervised(each) and (each.family in SIMPLE if is_simple else is_very_deep(each))
    ]
    slopes = {each.name: view.slope(each) for each in chosen}
    chosen = [each for each in chosen if slopes[each.name] is not None]
    if len(chosen) < 3:
        return Untested(
            f"3 {group} supervised networks are needed, found {len(chosen)}", len(chosen)
        )
    sign = 1 if is_simple else -1
    units = [_mean([slopes[each.name] for each in those]) for those in by_family(chosen).values()]
    contrasts = []
    for each in chosen:
        images = view.sample.contrast(slopes[each.name])
        contrasts.append(
            Contrast("depth", each.family, each.name, "", SLOPE, images, images.p(), clean=False)
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
        else "fall per unit of relative depth: the slope with its sign changed",
    )


def environment_helps(view: View, margin: float) -> Finding | Untested:
    """Training on ImageNet-1k adds more than training on CIFAR-10, each against its controls.

    Args:
      view: The networks.
      margin: Not needed.
    """
    del margin
    sides: dict[str, dict[str, np.ndarray]] = {"imagenet1k": {}, "cifar10": {}}
    for each in view.trained:
        is_large = each.environment == "imagenet1k" and each.trunk in ("resnet18", "resnet34")
        if each.goal_family == "supervised" and (is_large or each.environment == "cifar10"):
            added = view.minus_untrained(each)
            if added is not None:
                sides[each.environment][each.name] = added
    if min(map(len, sides.values())) < 2:
        found = " and ".join(f"{len(each)} of {name}" for name, each in sides.items())
        return Untested(
            "ResNet-18 and -34, two ResNets of CIFAR-10 and untrained controls of each trunk are "
            f"needed, found {found} with controls",
            sum(map(len, sides.values())),
        )
    contrasts = []
    for environment, networks in sides.items():
        for name, weights in networks.items():
            images = view.sample.contrast(weights)
            contrasts.append(
                Contrast(
                    *("environment", environment, name, "untrained", "minus_untrained"),
                    *(images, images.p()),
                )
            )
    one, other = ([*each.values()] for each in sides.values())
    return factor_finding(
        view,
        [Side(1, one), Side(-1, other)],
        contrasts,
        count=len(one) + len(other),
        blocks=1,
    )


def environments_equal(view: View, margin: float) -> Finding | Untested:
    """Environments make no difference of the margin on the same trunk with the same goal.

    Args:
      view: The networks.
      margin: The margin.
    """
    blocks: dict[tuple[str, str], dict[str, list[Network]]] = {}
    for each in view.trained:
        if each.goal_family != "semi-supervised":
            block = blocks.setdefault((each.trunk, each.goal), {})
            block.setdefault(each.environment, []).append(each)
    used = {key: each for key, each in blocks.items() if len(each) > 1}
    count = sum(len(those) for each in used.values() for those in each.values())
    if len(used) < 4:
        return Untested(
            "4 blocks of one trunk and goal with several environments are needed, found "
            f"{len(used)}{absent_of(view, view.sample.results.networks.values())}",
            count,
        )
    contrasts = []
    for (trunk, goal), environments in used.items():
        for a, b in itertools.combinations(sorted(environments), 2):
            one, other = environments[a], environments[b]
            weights = _mean([view.depth_mean(each) for each in one]) - _mean(
                [view.depth_mean(each) for each in other]
            )
            images = view.sample.contrast(weights)
            recipes = {(each.recipe, each.epochs) for each in (*one, *other)}
            contrasts.append(
                Contrast(
                    *("environment", f"{trunk}, {goal}", a, b, DEPTH_MEAN),
                    *(images, images.p()),
                    clean=len(recipes) == 1,
                    confounds="" if len(recipes) == 1 else "recipe, epochs",
                )
            )
    return equivalence_finding(contrasts, margin, count=count, blocks=len(used))


def equivalence_finding(
    contrasts: Sequence[Contrast], margin: float, *, count: int, blocks: int = 0, note: str = ""
) -> Finding:
    """The finding on differences that are claimed to be small: all within, or one beyond.

    With an estimate over networks, a decision needs that, too.

    Args:
      contrasts: The differences.
      margin: The margin.
      count: Number of networks.
      blocks: Number of blocks.
      note: Numbers that the table has no column for.
    """
    p_tost, p_beyond = [], []
    for each in contrasts:
        estimates = [each.images, *([each.networks] if each.networks else [])]
        p_tost.append(max(one.p_equivalent(margin) for one in estimates))
        sides = [
            max(2 * one.p_above(margin) for one in estimates),
            max(2 * one.p_below(-margin) for one in estimates),
        ]
        p_beyond.append(min(1.0, *sides))
    largest = max(contrasts, key=lambda each: np.abs(each.images.value))
    beyond = adjusted(p_beyond)
    decision, p = UNDECIDED, max(p_tost)
    if p < ALPHA:
        decision = EQUIVALENT
    elif min(beyond) < ALPHA:
        decision, p = CONTRADICTED, min(beyond)
    is_small = bool(np.abs(largest.images.value) < margin)
    reached = max(
        one.margin_reached
        for each in contrasts
        for one in (each.images, *([each.networks] if each.networks else []))
    )
    return Finding(
        decision,
        allowed(equivalent=is_small, contradicted=not is_small),
        largest.images.value,
        p,
        largest.images,
        largest.networks,
        contrasts,
        p_tost=max(p_tost),
        margin_reached=reached,
        count=count,
        blocks=blocks,
        note=note or f"largest: {largest.block}: {largest.a} - {largest.b}",
    )


def _mean(weights: Sequence[np.ndarray | None]) -> np.ndarray:
    known = [each for each in weights if each is not None]
    return sum(known, np.zeros(())) / len(known)
