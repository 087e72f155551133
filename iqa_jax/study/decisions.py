"""Verdict of one dataset on a claim, which all measures have to agree with."""

import math
from dataclasses import dataclass, replace

from iqa_jax.study.claims import Claim
from iqa_jax.study.evidence import Findings
from iqa_jax.study.findings import (
    CONSISTENT,
    DECISIONS,
    NOT_TESTED,
    SUPPORTED,
    UNDECIDED,
    Finding,
    Untested,
)
from iqa_jax.study.pseudovalues import PEARSON, SPEARMAN, WITHIN

ALL = "all sources"
TRAININGS = "trainings"
MEASURE_NAMES = {PEARSON: "Pearson", WITHIN: "within references"}


@dataclass(frozen=True)
class Verdict:
    """A row of the table of claims.

    Attributes:
      claim: The claim.
      dataset: Name of the dataset, ``all sources``, or ``trainings``.
      readout: Name of the read-out.
      finding: What the dataset says by Spearman's correlation; that of the first source for all.
      verdict: One of ``findings.VERDICTS``.
      reason: Why there is no verdict, or a weaker one.
      p: p-value of the decision; NaN if it was not tested.
      p_holm: The same adjusted for the other claims; NaN in exploratory rows.
      robust: Whether the verdict is the same at half size, with Pearson's correlation and within
        references; otherwise what it is sensitive to.
      sources: Number of sources that could test it.
      replicated: Number of these that decide alike.
      low_images: Lower end of the interval over images; NaN if there is none.
      high_images: Upper end of the same.
      low_networks: Lower end of the interval over networks; NaN if there is none.
      high_networks: Upper end of the same.
      estimate: The estimate; NaN if there is none.
      is_confirmatory: Whether it takes part in the correction for several claims.
    """

    claim: Claim
    dataset: str
    readout: str
    finding: Finding | Untested
    verdict: str
    reason: str = ""
    p: float = math.nan
    p_holm: float = math.nan
    robust: str = ""
    sources: int = 0
    replicated: int = 0
    low_images: float = math.nan
    high_images: float = math.nan
    low_networks: float = math.nan
    high_networks: float = math.nan
    estimate: float = math.nan
    is_confirmatory: bool = False


def decide(claim: Claim, dataset: str, readout: str, findings: Findings) -> Verdict:
    """The verdict of a dataset, which needs the same sign by all measures.

    Args:
      claim: The claim.
      dataset: Name of the dataset, or ``trainings``.
      readout: Name of the read-out.
      findings: What the dataset says of the claim, by measure.
    """
    found = findings[SPEARMAN]
    if isinstance(found, Untested):
        return Verdict(claim, dataset, readout, found, NOT_TESTED, found.reason)
    images, networks = found.images, found.networks
    row = Verdict(
        claim,
        dataset,
        readout,
        found,
        found.decision,
        p=found.p,
        sources=1,
        replicated=int(found.decision in DECISIONS),
        estimate=found.estimate,
        low_images=images.low if images else math.nan,
        high_images=images.high if images else math.nan,
        low_networks=networks.low if networks else math.nan,
        high_networks=networks.high if networks else math.nan,
    )
    against = [
        MEASURE_NAMES[measure]
        for measure, other in findings.items()
        if measure != SPEARMAN
        and isinstance(other, Finding)
        and found.decision in DECISIONS
        and found.decision not in other.allowed
    ]
    if against:
        reason = f"{found.decision}, but not with the sign of {' and '.join(against)}"
        return replace(row, verdict=UNDECIDED, reason=reason, replicated=0)
    if claim.most == CONSISTENT and found.decision == SUPPORTED:
        return replace(row, verdict=CONSISTENT, reason="one family cannot support it")
    return row


def without_intervals(row: Verdict) -> Verdict:
    """A verdict whose intervals are not shown.

    Args:
      row: The verdict.
    """
    ends = ("low_images", "high_images", "low_networks", "high_networks")
    return replace(row, **dict.fromkeys(ends, math.nan))
