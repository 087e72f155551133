"""The verdict of several sources of photographs together."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from iqa_jax.study.claims import ABOVE, BELOW, COUNTED, Claim
from iqa_jax.study.decisions import ALL, Verdict, without_intervals
from iqa_jax.study.estimates import ALPHA
from iqa_jax.study.findings import (
    CONSISTENT,
    CONTRADICTED,
    EQUIVALENT,
    SUPPORTED,
    UNDECIDED,
    Finding,
)
from iqa_jax.study.multiplicity import LEAST_COMBINED, combine, partial_conjunction


def over_sources(claim: Claim, rows: Sequence[Verdict]) -> Verdict:
    """The verdict of several sources.

    Args:
      claim: The claim.
      rows: The verdicts of the sources, one each.
    """
    found = [row.finding for row in rows if isinstance(row.finding, Finding)]
    estimates = [each.estimate for each in found]
    first = replace(
        without_intervals(rows[0]),
        dataset=ALL,
        estimate=float(np.mean(estimates)),
        sources=len(rows),
    )
    if len(rows) >= LEAST_COMBINED and claim.combined != COUNTED:
        return _combined(claim, first, found)
    p_of: dict[str, float] = {}
    for decision in (SUPPORTED, CONTRADICTED, EQUIVALENT, CONSISTENT):
        alike = {decision, SUPPORTED} if decision == CONSISTENT else {decision}
        p_of[decision] = partial_conjunction(
            [row.p if row.verdict in alike else 1.0 for row in rows]
        )
        same_sign = all(decision in each.allowed for each in found)
        if p_of[decision] < ALPHA and same_sign:
            replicated = sum(row.verdict in alike for row in rows)
            sensitive = [row.robust for row in rows if row.robust.startswith("sensitive")]
            robust = sensitive[0] if sensitive else rows[0].robust
            return replace(
                first,
                verdict=decision,
                reason="",
                p=p_of[decision],
                replicated=replicated,
                robust=robust,
            )
    return replace(
        first,
        verdict=UNDECIDED,
        reason="not decided alike by more than half of the sources",
        p=min(p_of.values()) if min(p_of.values()) < 1 else max(row.p for row in rows),
        replicated=0,
        robust="",
    )


def _combined(claim: Claim, first: Verdict, found: Sequence[Finding]) -> Verdict:
    """The verdict of four sources or more, by their random-effects mean."""
    images = [each.images for each in found if each.images]
    mean = combine([each.value for each in images], [each.error for each in images])
    widths = [each.networks.high - each.networks.low for each in found if each.networks]
    half = max(widths) / 2 if len(widths) == len(found) else math.nan
    low, high = mean.value - half, mean.value + half
    is_for = {ABOVE: mean.value > 0, BELOW: mean.value < 0}[claim.combined]
    decision = UNDECIDED
    if mean.p < ALPHA:
        sure = low > 0 or high < 0
        decided = SUPPORTED if is_for else CONTRADICTED
        decision = decided if sure else CONSISTENT if is_for else UNDECIDED
    if claim.most == CONSISTENT and decision == SUPPORTED:
        decision = CONSISTENT
    return replace(
        first,
        verdict=decision,
        reason=f"I2 = {mean.i2:.0%}; another source: [{mean.low_new:.3f}, {mean.high_new:.3f}]",
        p=mean.p,
        estimate=mean.value,
        low_images=mean.low,
        high_images=mean.high,
        low_networks=low,
        high_networks=high,
        replicated=sum(decision in (each.decision,) for each in found),
        robust="",
    )
