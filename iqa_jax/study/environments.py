"""Claims about training images: networks compared where little else differs."""

import itertools

import numpy as np

from iqa_jax.study.findings import (
    Contrast,
    Finding,
    Untested,
    absent_of,
    equivalence_finding,
    factor_finding,
    mean_weights,
)
from iqa_jax.study.networks import Side
from iqa_jax.study.quantities import DEPTH_MEAN, View
from iqa_jax.study.results import Network


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
            weights = mean_weights([view.depth_mean(each) for each in one]) - mean_weights(
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
                    members=[each.name for each in (*one, *other)],
                )
            )
    return equivalence_finding(contrasts, margin, count=count, blocks=len(used))
