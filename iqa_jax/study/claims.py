"""The claims of two papers as one table: what each says, and what would support or contradict it.

A: "Analysis of Deep Image Quality Models" (arXiv 2302.13345). B: "Dissecting the effectiveness of
deep features as metric of perceptual image quality" (Neural Networks 185, 2025).
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, field

from iqa_jax.study import accuracy, against_metrics, depths, environments, goals, layers
from iqa_jax.study.findings import Finding, Untested

VERSION = 2
MARGIN = 0.02
"""Difference of Spearman's correlations that counts as none: a fifth of the smallest step that the
abstracts call substantial, from SSIM to LPIPS on TID2013."""

ARXIV, JOURNAL, BOTH = "A", "B", "A, B"
PUBLICATIONS = ("hernandezcamara2023analysis", "hernandezcamara2025dissecting")
"""Keys of the two papers in the bibliography."""

ABOVE, BELOW, WITHIN, COUNTED = "above", "below", "within", "counted"


@dataclass(frozen=True)
class Claim:
    """A claim, and how it is tested.

    Attributes:
      id: Short name.
      source: Paper that makes it.
      text: The claim in a sentence.
      estimand: Number that it is about.
      test: Function that returns the finding of a dataset, called with the networks and the margin.
      arguments: Further arguments of the function.
      supported: What supports it.
      contradicted: What contradicts it.
      equivalent: What shows that a difference is smaller than the margin; empty if that is no
        verdict of this claim.
      consistent: What makes the estimate consistent with it without supporting it; empty if
        nothing does.
      needs: What a test needs, besides complete datasets.
      confounds: What differs besides the factor.
      combined: Where the mean over four sources or more has to lie for the claim: ``above`` 0,
        ``below`` 0, or ``within`` the margin; ``counted`` if sources are counted instead.
      from_training: Whether it is tested on the report of a training.
      most: Strongest verdict that it can reach; empty for any.
      without: Datasets on which it is not tested, with the reason.
      is_confirmatory: Whether it takes part in the correction for several claims.
    """

    id: str
    source: str
    text: str
    estimand: str
    test: Callable[..., Finding | Untested]
    supported: str
    contradicted: str
    needs: str
    arguments: Mapping[str, str | bool] = field(default_factory=dict)
    equivalent: str = ""
    consistent: str = ""
    confounds: str = ""
    combined: str = COUNTED
    from_training: bool = False
    most: str = ""
    without: Mapping[str, str] = field(default_factory=dict)
    is_confirmatory: bool = True


_BOTH_ABOVE = "lower ends over images and over networks > 0"
_BOTH_BELOW = "upper ends over images and over networks < 0"
_IMAGES_ONLY = "lower end over images > 0 alone: true of these networks"
_ON_KADID = {"kadid10k": "DISTS was trained on KADID-10k"}


def _reach(number: int, target: str, without: Mapping[str, str]) -> Claim:
    return Claim(
        id=f"C2.{number}",
        source=BOTH,
        text=f"Some networks reach {target}.",
        estimand=f"largest over networks of best layer - {target}",
        test=against_metrics.some_reach,
        arguments={"target": target},
        supported="a lower end > -margin after Holm",
        contradicted="every upper end < -margin",
        needs=f"10 networks, {target}",
        confounds="DISTS was trained on KADID-10k" if without else "LPIPS joins five layers",
        without=without,
    )


def _accuracy(number: int, axis: str, where: str) -> Claim:
    return Claim(
        id=f"C13.{number}",
        source=BOTH,
        text=f"Greater accuracy at the task does not mean closer agreement ({where}).",
        estimand="Kendall's tau of accuracy and correlation",
        test=accuracy.accuracy_does_not_imply,
        arguments={"axis": axis},
        supported="the less accurate of a pair 5 points apart agrees better, after Holm",
        contradicted="no such pair, and the lower end of tau > .3",
        needs="6 networks on the axis",
        confounds="layer of the probe",
    )


def _depth(name: str, text: str, estimand: str) -> Claim:
    group = "simple" if name.startswith("C7a") else "very deep"
    by_stage = name.endswith(".stages")
    rules = {
        "simple": (_BOTH_ABOVE, _BOTH_BELOW, _IMAGES_ONLY),
        "very deep": (
            "lower ends over images and over networks > -margin",
            "upper ends over images and over networks < -margin",
            "lower end over images > -margin alone: true of these networks",
        ),
    }
    supported, contradicted, consistent = rules[group]
    return Claim(
        id=name,
        source=BOTH,
        text=text,
        estimand=estimand,
        test=depths.rises_with_depth,
        arguments={"group": group, "by_stage": by_stage},
        supported=supported,
        contradicted=contradicted,
        consistent=consistent,
        needs=f"3 {group} networks of 2 families",
        confounds="number of layers before a stride"
        if by_stage
        else "relative depth is not comparable across families",
        combined=ABOVE if group == "simple" else COUNTED,
        is_confirmatory=not by_stage,
    )


CLAIMS: Sequence[Claim] = (
    Claim(
        id="C1a",
        source=ARXIV,
        text="All networks beat SSIM.",
        estimand="smallest over networks and presets of best layer - SSIM",
        test=against_metrics.all_beat,
        supported="every lower end > 0",
        contradicted="an upper end < 0 after Holm",
        needs="10 networks, SSIM",
        confounds="preset, image scale",
    ),
    Claim(
        id="C1b",
        source=JOURNAL,
        text="Most networks beat SSIM.",
        estimand="share of networks better than every preset of SSIM after Holm",
        test=against_metrics.most_beat,
        supported="more than half better after Holm",
        contradicted="more than half worse than a preset after Holm",
        needs="10 networks, SSIM",
        confounds="preset, image scale",
    ),
    _reach(1, "lpips-alex", {}),
    _reach(2, "lpips-vgg", {}),
    _reach(3, "dists", _ON_KADID),
    _reach(4, "dists:resize256", _ON_KADID),
    Claim(
        id="C3",
        source=BOTH,
        text="Supervised networks beat LPIPS.",
        estimand="mean over families of best layer - LPIPS, against the better LPIPS",
        test=against_metrics.supervised_beat,
        supported=f"{_BOTH_ABOVE}, against both",
        contradicted=f"{_BOTH_BELOW}, against both",
        consistent=_IMAGES_ONLY,
        needs="3 supervised networks of 2 families, both LPIPS",
        confounds="LPIPS joins five layers",
        combined=ABOVE,
    ),
    Claim(
        id="C4",
        source=BOTH,
        text="Networks trained on jigsaw puzzles beat LPIPS.",
        estimand="mean over architectures of best layer - LPIPS, against the better LPIPS",
        test=against_metrics.jigsaw_beat,
        supported=f"{_BOTH_ABOVE}, against both",
        contradicted=f"{_BOTH_BELOW}, against both",
        consistent=_IMAGES_ONLY,
        needs="2 networks of jigsaw puzzles, both LPIPS",
        confounds="the AlexNet of jigsaw puzzles has larger maps",
        combined=ABOVE,
    ),
    Claim(
        id="C5",
        source=BOTH,
        text="Supervised learning beats self-supervised and unsupervised learning.",
        estimand="supervised - self-supervised within trunk and environment, mean over depth",
        test=goals.supervised_better,
        supported=f"{_BOTH_ABOVE}, and permutation of goals < .05",
        contradicted=f"{_BOTH_BELOW}, and permutation of goals < .05",
        consistent=_IMAGES_ONLY,
        needs="2 supervised and 5 self-supervised networks of a trunk",
        confounds="AlexNet's goals have trunks of their own: shown, never pooled",
        combined=ABOVE,
    ),
    Claim(
        id="C5.luminance",
        source=BOTH,
        text="Supervised learning beats the others, networks that see no colour included.",
        estimand="supervised - self-supervised within trunk and environment, mean over depth",
        test=goals.supervised_better,
        arguments={"luminance_only": True},
        supported=f"{_BOTH_ABOVE}, and permutation of goals < .05",
        contradicted=f"{_BOTH_BELOW}, and permutation of goals < .05",
        consistent=_IMAGES_ONLY,
        needs="2 supervised and 5 self-supervised networks of a trunk",
        confounds="colorization sees luminance only",
        combined=ABOVE,
        is_confirmatory=False,
    ),
    Claim(
        id="C6",
        source=BOTH,
        text="Simpler networks beat very deep ones.",
        estimand="Theil and Sen's slope of the best layer on log2 of the depth, over families",
        test=depths.simpler_better,
        supported="upper ends over images and families < 0, and permutation of families",
        contradicted="lower ends over images and families > 0, and permutation of families",
        consistent="upper end over images < 0 alone: true of these networks",
        needs="8 architectures of 3 families; a verdict needs about 5 families",
        confounds="residuals, batch norm, map sizes, number of layers, recipe",
        combined=BELOW,
    ),
    _depth(
        "C7a",
        "Agreement rises with depth in simple networks.",
        "slope of the correlation on relative depth, mean over families",
    ),
    _depth(
        "C7b",
        "Agreement does not rise with depth in very deep networks.",
        "slope of the correlation on relative depth with its sign changed, over families",
    ),
    _depth(
        "C7a.stages",
        "Agreement rises from stride 4 to stride 32 in simple networks.",
        "slope over the last layers at each stride, mean over families",
    ),
    _depth(
        "C7b.stages",
        "Agreement does not rise from stride 4 to stride 32 in very deep networks.",
        "slope over the last layers at each stride with its sign changed, over families",
    ),
    Claim(
        id="C8",
        source=BOTH,
        text="The best layer is generally not the last.",
        estimand="share of networks whose best layer is better than the last after Holm",
        test=layers.best_is_inner,
        supported="more than half better after Holm",
        contradicted="more than half with an upper end < margin after Holm",
        needs="2 networks with several layers",
    ),
    Claim(
        id="C9",
        source=BOTH,
        text="Large natural environments beat small restricted ones.",
        estimand="(trained - untrained) of ImageNet-1k - the same of CIFAR-10, mean over depth",
        test=environments.environment_helps,
        supported="never: one family cannot support it",
        contradicted=_BOTH_BELOW,
        consistent="lower end over images > 0, with or without that over networks",
        needs="2 ResNets of each environment, untrained controls",
        confounds="stem, width, depth, recipe, resolution",
        combined=ABOVE,
        most="consistent",
    ),
    Claim(
        id="C10",
        source=BOTH,
        text="Small changes of environment do not matter.",
        estimand="largest difference between environments on one trunk with one goal",
        test=environments.environments_equal,
        supported="never: see equivalent",
        contradicted="an interval beyond the margin after Holm",
        equivalent="every difference within the margin",
        needs="4 blocks of one trunk and goal",
        confounds="recipe, epochs where the block says so",
    ),
    Claim(
        id="C11",
        source=BOTH,
        text="Descriptors have no major impact.",
        estimand="largest difference between a descriptor and the read-out at the same layers",
        test=layers.descriptors_equal,
        supported="never: see equivalent",
        contradicted="intervals over images and networks beyond the margin after Holm",
        equivalent="every difference within the margin, over images and over networks",
        needs="a descriptor on networks of 2 families",
        confounds="gram grows with channels; outputs after ReLU against linear ones",
    ),
    Claim(
        id="C12",
        source=BOTH,
        text="Concatenations have no major impact.",
        estimand="all layers joined - best layer",
        test=layers.concatenations_equal,
        supported="never: see equivalent",
        contradicted="intervals over images and networks beyond the margin after Holm",
        equivalent="every difference within the margin, over images and over networks",
        needs="all layers joined in networks of 2 families",
    ),
    _accuracy(1, accuracy.TOP1, "top-1 accuracy of supervised networks"),
    _accuracy(2, accuracy.PROBE, "linear probe of ResNet-50"),
    _accuracy(3, accuracy.EPOCHS, "epochs, within objectives"),
    Claim(
        id="C14",
        source=BOTH,
        text="The best classifiers are not the best metrics.",
        estimand="best classifier - network that is best on other data",
        test=accuracy.best_classifier_is_not_best,
        supported="upper end < 0",
        contradicted="lower end > -margin",
        needs="2 supervised networks with top-1 accuracy",
    ),
    Claim(
        id="C15",
        source=BOTH,
        text="Learned channel relevance adds to the read-out.",
        estimand="smallest gain of learned over equal weights, held out and transferred",
        test=accuracy.relevance_adds,
        supported="every lower end > 0",
        contradicted="an upper end < 0 after Holm",
        equivalent="every gain within the margin",
        needs="a training with intervals",
        from_training=True,
    ),
)
"""All claims, in the order of the tables."""


def digest(margin: float = MARGIN) -> str:
    """Version of the table and hash of its contents, printed in every output.

    Args:
      margin: The margin.
    """
    rows = [
        [each.__name__ if callable(each) else each for each in astuple(claim)] for claim in CLAIMS
    ]
    return f"{VERSION}-{hashlib.sha256(repr((rows, margin)).encode()).hexdigest()[:12]}"
