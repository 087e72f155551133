"""Claims that networks agree better with people than metrics do."""

import numpy as np

from iqa_jax.study.estimates import ALPHA, Estimate
from iqa_jax.study.findings import (
    CONSISTENT,
    CONTRADICTED,
    SUPPORTED,
    UNDECIDED,
    Contrast,
    Finding,
    Untested,
    absent_of,
    adjusted,
    allowed,
    by_family,
    factor_finding,
)
from iqa_jax.study.networks import Side
from iqa_jax.study.quantities import BEST, View
from iqa_jax.study.results import Network

SSIM = ("ssim", "ssim:wang2004", "ssim:matlab")
LPIPS = ("lpips-alex", "lpips-vgg")
DISTS = ("dists", "dists:resize256")
_ALL_NETWORKS = 10


def all_beat(view: View, margin: float) -> Finding | Untested:
    """All networks beat SSIM, whatever its preset.

    Args:
      view: The networks.
      margin: Not needed.
    """
    del margin
    found = _against(view, SSIM)
    if isinstance(found, Untested):
        return found
    values = np.array([each.images.value for each in found])
    worst = found[int(np.argmin(values))]
    p_worse = adjusted(2 * each.images.p_below(0) for each in found)
    decision, p = UNDECIDED, max(min(1.0, 2 * each.images.p_above(0)) for each in found)
    if p < ALPHA:
        decision = SUPPORTED
    elif min(p_worse) < ALPHA:
        decision, p = CONTRADICTED, min(p_worse)
    return Finding(
        decision,
        allowed(supported=bool((values > 0).all()), contradicted=bool((values < 0).any())),
        estimate=worst.images.value,
        p=p,
        images=worst.images,
        contrasts=found,
        count=len({each.a for each in found}),
        note=f"smallest: {worst.a} - {worst.b}",
    )


def most_beat(view: View, margin: float) -> Finding | Untested:
    """More than half of the networks beat SSIM, whatever its preset.

    Args:
      view: The networks.
      margin: Not needed.
    """
    del margin
    found = _against(view, SSIM)
    if isinstance(found, Untested):
        return found
    names = [*dict.fromkeys(each.a for each in found)]
    of_network = [[each.images for each in found if each.a == name] for name in names]
    better = adjusted(max(2 * each.p_above(0) for each in those) for those in of_network)
    worse = adjusted(
        min(1.0, len(those) * min(2 * each.p_below(0) for each in those)) for those in of_network
    )
    leads = np.array([min(each.value for each in those) for those in of_network])
    count, most = len(names), len(names) // 2 + 1
    decision, p = UNDECIDED, sorted(better)[most - 1]
    if p < ALPHA:
        decision = SUPPORTED
    elif sorted(worse)[most - 1] < ALPHA:
        decision, p = CONTRADICTED, sorted(worse)[most - 1]
    return Finding(
        decision,
        allowed(
            supported=bool((leads > 0).sum() >= most), contradicted=bool((leads < 0).sum() >= most)
        ),
        estimate=float(np.mean(np.array(better) < ALPHA)),
        p=p,
        contrasts=found,
        count=count,
        note=f"{np.sum(np.array(better) < ALPHA)} of {count} better, "
        f"{np.sum(np.array(worse) < ALPHA)} worse",
    )


def some_reach(view: View, margin: float, *, target: str) -> Finding | Untested:
    """Some network reaches a metric: it is less than the margin below it.

    Args:
      view: The networks.
      margin: The margin.
      target: Name of the metric.
    """
    found = _against(view, (target,))
    if isinstance(found, Untested):
        return found
    reach = adjusted(min(1.0, 2 * each.images.p_above(-margin)) for each in found)
    better = adjusted(min(1.0, 2 * each.images.p_above(0)) for each in found)
    below = max(min(1.0, 2 * each.images.p_below(-margin)) for each in found)
    values = np.array([each.images.value for each in found])
    best = found[int(np.argmax(values))]
    decision, p = UNDECIDED, min(reach)
    if p < ALPHA:
        decision = SUPPORTED
    elif below < ALPHA:
        decision, p = CONTRADICTED, below
    return Finding(
        decision,
        allowed(
            supported=bool((values > -margin).any()), contradicted=bool((values < -margin).all())
        ),
        estimate=best.images.value,
        p=p,
        images=best.images,
        contrasts=found,
        count=len(found),
        note=f"largest: {best.a}; {np.sum(np.array(better) < ALPHA)} of {len(found)} are better",
    )


def supervised_beat(view: View, margin: float) -> Finding | Untested:
    """Networks trained on ImageNet's classes beat LPIPS on average over families.

    Args:
      view: The networks.
      margin: Not needed.
    """
    del margin
    chosen = [each for each in view.trained if is_supervised(each)]
    if len(chosen) < 3:
        wanted = filter(is_supervised, view.sample.results.networks.values())
        return Untested(
            f"3 supervised networks of ImageNet-1k are needed, found {len(chosen)}"
            f"{absent_of(view, wanted)}",
            len(chosen),
        )
    return _mean_beats(view, by_family(chosen))


def jigsaw_beat(view: View, margin: float) -> Finding | Untested:
    """Networks trained on jigsaw puzzles beat LPIPS on average over architectures.

    Args:
      view: The networks.
      margin: Not needed.
    """
    del margin
    chosen = [each for each in view.trained if each.goal == "jigsaw"]
    if len(chosen) < 2:
        known = view.sample.results.networks.values()
        wanted = [each for each in known if each.goal == "jigsaw"]
        return Untested(
            f"2 networks of jigsaw puzzles are needed, found {len(chosen)}"
            f"{absent_of(view, wanted)}",
            len(chosen),
        )
    groups: dict[str, list[Network]] = {}
    for each in chosen:
        groups.setdefault(each.architecture, []).append(each)
    return _mean_beats(view, groups)


def is_supervised(network: Network) -> bool:
    """Whether a network learned the classes of ImageNet-1k and nothing else.

    Args:
      network: The network.
    """
    return network.goal_family == "supervised" and network.environment == "imagenet1k"


def _mean_beats(view: View, groups: dict[str, list[Network]]) -> Finding | Untested:
    """Finding against the LPIPS with the smaller lead; a decision needs the other one too."""
    found = {name: view.metric(name) for name in LPIPS}
    metrics = {name: weights for name, weights in found.items() if weights is not None}
    missing = [name for name in LPIPS if name not in metrics]
    count = sum(map(len, groups.values()))
    if missing:
        return Untested(_no_metric(missing), count)
    findings = []
    for name, metric in metrics.items():
        units, contrasts = [], []
        for group, networks in groups.items():
            best = [view.best(each) for each in networks]
            known = [each for each in best if each is not None]
            if not known:
                continue
            unit = sum(known, np.zeros(())) / len(known) - metric
            units.append(unit)
            images = view.sample.contrast(unit)
            contrasts.append(
                Contrast(
                    *("metric", group, group, name, BEST, images, images.p()),
                    members=[each.name for each in networks],
                )
            )
        if not units:
            return Untested("no layer can be chosen on other data", count)
        findings.append(factor_finding(view, [Side(1, units)], contrasts, count=count))
    weaker = min(findings, key=lambda each: each.estimate)
    decisions = {each.decision for each in findings}
    decision = weaker.decision if len(decisions) == 1 else UNDECIDED
    if decisions == {SUPPORTED, CONSISTENT}:
        decision = CONSISTENT
    return Finding(
        decision,
        frozenset.intersection(*(each.allowed for each in findings)),
        weaker.estimate,
        max(each.p for each in findings),
        weaker.images,
        weaker.networks,
        [contrast for each in findings for contrast in each.contrasts],
        count=count,
        blocks=len(groups),
    )


def _against(view: View, metrics: tuple[str, ...]) -> list[Contrast] | Untested:
    """The lead of every trained network over metrics."""
    networks = view.trained
    weights = {name: view.metric(name) for name in metrics}
    there = {name: each for name, each in weights.items() if each is not None}
    if not there:
        return Untested(_no_metric(metrics), len(networks))
    if len(networks) < _ALL_NETWORKS:
        wanted = [each for each in view.sample.results.networks.values() if each.is_trained]
        return Untested(
            f"{_ALL_NETWORKS} trained networks are needed, found {len(networks)}"
            f"{absent_of(view, wanted)}",
            len(networks),
        )
    found = []
    for network in networks:
        best = view.best(network)
        if best is None:
            continue
        for name, metric in there.items():
            images: Estimate = view.sample.contrast(best - metric)
            found.append(
                Contrast("metric", network.family, network.name, name, BEST, images, images.p())
            )
    return found or Untested("no layer can be chosen on other data", len(networks))


def _no_metric(names: tuple[str, ...] | list[str]) -> str:
    return f"there is no column {' or '.join(names)}; iqa evaluate --metrics={','.join(names)}"
