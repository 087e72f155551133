"""Claims about training objectives: networks compared on the same trunk and images."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from iqa_jax.study.findings import (
    Contrast,
    Finding,
    Untested,
    absent_of,
    factor_finding,
)
from iqa_jax.study.networks import Side, comparison_weights, networks_estimate
from iqa_jax.study.quantities import DEPTH_MEAN, View
from iqa_jax.study.results import Network

SELF_SUPERVISED = ("pretext", "clustering", "contrastive", "redundancy")
_PERMUTATIONS = 9999
"""Permutations of goals; all are tried if there are no more than these."""


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
                members=[each.name for each in (*one, *other)],
            )
        )
    combined = [
        each[0] if len(each) == 1 else _stouffer(each) for each in zip(*p_each, strict=True)
    ]
    return factor_finding(
        view,
        [Side(1, supervised), Side(-1, others)],
        contrasts,
        count=len(supervised) + len(others),
        p_permuted=min(1.0, 2 * min(combined)),
        blocks=len(used),
        note=f"permutation p = {min(1.0, 2 * min(combined)):.3g}",
    )


def _stouffer(p_values: Sequence[float]) -> float:
    """One-sided p-value of independent strata together, by Stouffer's method."""
    return float(np.asarray(stats.combine_pvalues(p_values, method="stouffer"))[1])


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
