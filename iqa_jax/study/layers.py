"""Claims about layers and how they are read out."""

import dataclasses

import numpy as np

from iqa_jax.study.estimates import ALPHA
from iqa_jax.study.findings import (
    CONTRADICTED,
    SUPPORTED,
    UNDECIDED,
    Contrast,
    Finding,
    Untested,
    adjusted,
    allowed,
    by_family,
    equivalence_finding,
    mean_weights,
)
from iqa_jax.study.networks import Side, comparison_weights, networks_estimate
from iqa_jax.study.quantities import BEST, DEPTH_MEAN, View
from iqa_jax.study.results import Network

DESCRIPTORS = ("mean", "std", "mean_std", "gram")
CONCATENATED = ("rmse", "balanced", "l2")


def best_is_inner(view: View, margin: float) -> Finding | Untested:
    """In more than half of the networks an inner layer is better than the last.

    Args:
      view: The networks.
      margin: Lead of the best layer that counts as none.
    """
    contrasts = []
    for each in view.trained:
        best = view.best(each)
        if best is None or view.slope(each) is None:
            continue
        images = view.sample.contrast(best - view.last(each))
        contrasts.append(
            Contrast("layer", each.family, each.name, "last layer", BEST, images, images.p())
        )
    if len(contrasts) < 2:
        return Untested(
            f"2 networks with several layers are needed, found {len(contrasts)}", len(contrasts)
        )
    better = adjusted(min(1.0, 2 * each.images.p_above(0)) for each in contrasts)
    no_better = adjusted(min(1.0, 2 * each.images.p_below(margin)) for each in contrasts)
    most = len(contrasts) // 2 + 1
    decision, p = UNDECIDED, sorted(better)[most - 1]
    if p < ALPHA:
        decision = SUPPORTED
    elif sorted(no_better)[most - 1] < ALPHA:
        decision, p = CONTRADICTED, sorted(no_better)[most - 1]
    leads = np.array([each.images.value for each in contrasts])
    share = float(np.mean(np.array(better) < ALPHA))
    return Finding(
        decision,
        allowed(
            supported=bool((leads > 0).sum() >= most),
            contradicted=bool((leads < margin).sum() >= most),
        ),
        share,
        p,
        contrasts=contrasts,
        count=len(contrasts),
        note=f"median lead {np.median(leads):+.3f}",
    )


def descriptors_equal(view: View, margin: float) -> Finding | Untested:
    """Other descriptions of a layer make no difference of the margin.

    Args:
      view: The networks under the primary read-out.
      margin: The margin.
    """
    networks = view.trained
    contrasts = []
    used: set[str] = set()
    for descriptor in DESCRIPTORS:
        other = dataclasses.replace(view, readout=descriptor)
        there = {each.name for each in other.networks}
        both = [each for each in networks if each.name in there]
        families = [
            [_at_same_layers(other, view, each) for each in those]
            for those in by_family(both).values()
        ]
        units = [np.mean(those, axis=0) for those in families]
        if len(units) < 2:
            continue
        used |= {each.name for each in both}
        sides = [Side(1, units)]
        images = view.sample.contrast(comparison_weights(sides))
        contrasts.append(
            Contrast(
                *("read-out", "same layers", descriptor, view.readout, DEPTH_MEAN),
                *(images, images.p()),
                networks=networks_estimate(view.sample, sides),
                clean=False,
                confounds="gram grows with the number of channels; some outputs are after ReLU",
                members=[each.name for each in both],
            )
        )
    if not contrasts:
        return Untested(
            f"a descriptor ({', '.join(DESCRIPTORS)}) on 2 families is needed; "
            f"iqa evaluate --readouts={view.readout},{','.join(DESCRIPTORS)}",
            len(used),
        )
    return equivalence_finding(contrasts, margin, count=len(used), blocks=len(contrasts))


def _at_same_layers(other: View, view: View, network: Network) -> np.ndarray:
    return other.depth_mean(network) - view.depth_mean(network)


def concatenations_equal(view: View, margin: float) -> Finding | Untested:
    """All layers joined and the best single layer differ by less than the margin.

    Args:
      view: The networks.
      margin: The margin.
    """
    contrasts = []
    used: set[str] = set()
    for readout in CONCATENATED:
        apart: dict[str, np.ndarray] = {}
        for each in view.trained:
            joined, best = view.concatenated(each, readout), view.best(each)
            if joined is not None and best is not None:
                apart[each.name] = joined - best
        both = [each for each in view.trained if each.name in apart]
        units = [
            mean_weights([apart[each.name] for each in those]) for those in by_family(both).values()
        ]
        if len(units) < 2:
            continue
        used |= {each.name for each in both}
        sides = [Side(1, units)]
        images = view.sample.contrast(comparison_weights(sides))
        contrasts.append(
            Contrast(
                *("read-out", "joined layers", f"all layers, {readout}", "best layer", BEST),
                *(images, images.p()),
                networks=networks_estimate(view.sample, sides),
                members=[each.name for each in both],
            )
        )
    if not contrasts:
        return Untested(
            "all layers joined in networks of 2 families are needed; "
            "iqa evaluate --layers=all,cumulative --readouts=rmse",
            len(used),
        )
    return equivalence_finding(contrasts, margin, count=len(used), blocks=len(contrasts))
