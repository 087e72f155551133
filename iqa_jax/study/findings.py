"""What a dataset says of a claim: contrasts, two intervals, and the decision that they allow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from iqa_jax.study.estimates import ALPHA, Estimate
from iqa_jax.study.multiplicity import holm
from iqa_jax.study.networks import Side, comparison_weights, networks_estimate
from iqa_jax.study.quantities import View
from iqa_jax.study.results import Network

SUPPORTED, CONTRADICTED, EQUIVALENT = "supported", "contradicted", "equivalent"
CONSISTENT, UNDECIDED, NOT_TESTED = "consistent", "undecided", "not tested"
VERDICTS = (SUPPORTED, CONTRADICTED, EQUIVALENT, CONSISTENT, UNDECIDED, NOT_TESTED)
DECISIONS = frozenset({SUPPORTED, CONTRADICTED, EQUIVALENT, CONSISTENT})


@dataclass(frozen=True)
class RankEstimate:
    """A number with an interval by ranks, which need not be symmetric.

    Attributes:
      value: The number.
      low: Lower end of its interval.
      high: Upper end of the same.
      p_value: Two-sided p-value of its being 0.
    """

    value: float
    low: float
    high: float
    p_value: float

    def p(self, null: float = 0.0) -> float:
        """Two-sided p-value; of another value than 0 only whether the interval excludes it.

        Args:
          null: Value under the null hypothesis.
        """
        if null == 0:
            return self.p_value
        return 1.0 if self.low <= null <= self.high else ALPHA


@dataclass(frozen=True)
class Contrast:
    """A difference between two sides, such as two networks on one trunk.

    Attributes:
      factor: What differs.
      block: What both sides share.
      a: First side.
      b: Second side, which is subtracted.
      quantity: Quantity that is compared.
      images: Difference with its error over references.
      p: p-value of the comparison; NaN if it is not tested.
      p_holm: The same adjusted for the comparisons beside it; NaN where there is no adjustment.
      networks: Difference with the errors of networks and images; None with too few networks.
      clean: Whether nothing else is known to differ.
      confounds: What else differs.
      members: Names of the networks behind a and b where these are groups; empty where they are
        networks or metrics themselves.
    """

    factor: str
    block: str
    a: str
    b: str
    quantity: str
    images: Estimate
    p: float
    p_holm: float = np.nan
    networks: Estimate | None = None
    clean: bool = True
    confounds: str = ""
    members: Sequence[str] = ()


@dataclass(frozen=True)
class Finding:
    """What one dataset says of a claim, by one measure and one read-out.

    Attributes:
      decision: One of :data:`VERDICTS`, before other measures, datasets and claims are considered.
      allowed: Decisions that the estimates alone would allow, whatever their errors.
      estimate: Value of the claim's estimand.
      p: p-value of the decision, or of the difference if there is none.
      images: Estimand with its error over references; None if it is a count.
      networks: Estimand with the errors of networks and images; None if it has no such interval.
      contrasts: The comparisons behind it.
      p_tost: p-value of equivalence; NaN if it is not asked.
      margin_reached: Smallest margin that would have been equivalent; NaN if it is not asked.
      count: Number of networks.
      blocks: Number of blocks or strata.
      note: Numbers that the table has no column for.
    """

    decision: str
    allowed: frozenset[str]
    estimate: float
    p: float
    images: Estimate | None = None
    networks: Estimate | RankEstimate | None = None
    contrasts: Sequence[Contrast] = field(default=())
    p_tost: float = np.nan
    margin_reached: float = np.nan
    count: int = 0
    blocks: int = 0
    note: str = ""


@dataclass(frozen=True)
class Untested:
    """A claim that a dataset cannot test.

    Attributes:
      reason: What is missing, and how to get it.
      count: Number of networks that there are.
    """

    reason: str
    count: int = 0


def allowed(**decisions: bool) -> frozenset[str]:
    """The decisions that estimates allow.

    Args:
      **decisions: Whether each decision is allowed.
    """
    return frozenset(name for name, is_allowed in decisions.items() if is_allowed)


def factor_finding(
    view: View,
    sides: Sequence[Side],
    contrasts: Sequence[Contrast],
    *,
    count: int,
    null: float = 0.0,
    p_permuted: float = 0.0,
    note: str = "",
    blocks: int = 0,
) -> Finding:
    """The finding on a factor: a decision needs the intervals over images and over networks.

    Args:
      view: The networks.
      sides: Networks on both sides; the claim is that the comparison is above ``null``.
      contrasts: The comparisons behind it.
      count: Number of networks.
      null: Value that the comparison has to exceed.
      p_permuted: p-value of a permutation of networks. A decision needs it below .05, but it is
        not part of the p-value that is adjusted: with few networks it cannot be small.
      note: Numbers that the table has no column for.
      blocks: Number of blocks.
    """
    images = view.sample.contrast(comparison_weights(sides))
    networks = networks_estimate(view.sample, sides)
    p_images = images.p(null)
    p = max(p_images, networks.p(null) if networks else 1.0)
    is_above = images.value > null
    decision = UNDECIDED
    if max(p, p_permuted) < ALPHA:
        decision = SUPPORTED if is_above else CONTRADICTED
    elif p_images < ALPHA and is_above:
        decision, p = CONSISTENT, p_images
    else:
        p = max(p, p_permuted)
    return Finding(
        decision,
        allowed(supported=is_above, consistent=is_above, contradicted=not is_above),
        estimate=images.value,
        p=p,
        images=images,
        networks=networks,
        contrasts=contrasts,
        count=count,
        blocks=blocks,
        note=note,
    )


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


def adjusted(p_values: Iterable[float]) -> list[float]:
    """p-values adjusted by Holm's method.

    Args:
      p_values: The p-values of comparisons beside each other.
    """
    return holm([*p_values])


def by_family(networks: Iterable[Network]) -> dict[str, list[Network]]:
    """Networks by family.

    Args:
      networks: The networks.
    """
    found: dict[str, list[Network]] = {}
    for each in networks:
        found.setdefault(each.family, []).append(each)
    return found


def absent_of(view: View, wanted: Iterable[Network]) -> str:
    """What would fill a gap: the networks that were asked for and are absent.

    Args:
      view: The networks that are there.
      wanted: Networks that the claim could use, absent ones among them.
    """
    there = {each.name for each in view.networks}
    gone = [each.name for each in wanted if each.name not in there]
    if not gone:
        return ""
    more = " and more" if len(gone) > 5 else ""
    return f"; absent: {', '.join(gone[:5])}{more}; iqa fetch --models={','.join(gone)}"


def mean_weights(weights: Sequence[np.ndarray | None]) -> np.ndarray:
    """The mean of several weightings of columns.

    Args:
      weights: The weightings, of which at least one is not None.
    """
    known = [each for each in weights if each is not None]
    return sum(known, np.zeros(())) / len(known)
