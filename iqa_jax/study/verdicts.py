"""Verdicts: findings of datasets, measures and claims considered together."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from iqa_jax.study.claims import ABOVE, BELOW, CLAIMS, COUNTED, Claim
from iqa_jax.study.estimates import ALPHA
from iqa_jax.study.evidence import Evidence, Findings
from iqa_jax.study.findings import (
    CONSISTENT,
    CONTRADICTED,
    DECISIONS,
    EQUIVALENT,
    NOT_TESTED,
    SUPPORTED,
    UNDECIDED,
    Finding,
    Untested,
)
from iqa_jax.study.multiplicity import LEAST_COMBINED, combine, holm, partial_conjunction
from iqa_jax.study.pseudovalues import PEARSON, SPEARMAN, Pseudovalues
from iqa_jax.study.results import Results
from iqa_jax.text import counted

LEAST_REFERENCES = 20
"""Minimum number of references of a dataset for a verdict."""

LEAST_OF_SEVERAL = 10
"""The same with two sources or more, and for an interval."""

ALL = "all sources"
TRAININGS = "trainings"
_SIZE, _NOT_RUN = "half size", "not run"
_NAMES = {PEARSON: "Pearson", "spearman_in_references": "within references"}


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


def judge(evidence: Evidence, readout: str, *, is_confirmatory: bool = True) -> list[Verdict]:
    """The verdicts on all claims under a read-out.

    Args:
      evidence: All datasets.
      readout: Name of the read-out.
      is_confirmatory: Whether the read-out is the primary one; otherwise nothing is adjusted.

    Returns:
      A row for each claim and dataset, and one for all sources if there are several.
    """
    rows = [row for claim in CLAIMS for row in _rows(evidence, claim, readout)]
    tested = [
        number
        for number, row in enumerate(rows)
        if row.is_confirmatory and is_confirmatory and row.verdict != NOT_TESTED
    ]
    for number, p in zip(tested, holm([rows[number].p for number in tested]), strict=True):
        row = replace(rows[number], p_holm=p)
        if row.verdict in DECISIONS and not p < ALPHA:
            reason = f"{row.verdict} before Holm's correction over {len(tested)} claims"
            row = replace(row, verdict=UNDECIDED, reason=reason, robust="")
        rows[number] = row
    return rows


def _rows(evidence: Evidence, claim: Claim, readout: str) -> Iterator[Verdict]:
    if claim.from_training:
        yield replace(
            _decide(claim, TRAININGS, readout, evidence.trained(claim)),
            is_confirmatory=claim.is_confirmatory,
        )
        return
    sources = {each.results.source for each in evidence.native if _is_usable(each.results, 10)}
    rows, findings = [], []
    for dataset in evidence.native:
        found = evidence.findings(claim, dataset, readout)
        row = _decide(claim, dataset.results.dataset, readout, found)
        gap = _gap(claim, dataset.results, len(sources))
        if gap:
            row = replace(row, verdict=NOT_TESTED, reason=gap, p=math.nan)
            if dataset.results.references < LEAST_OF_SEVERAL:
                row = _without_intervals(row)
        robust = _robust(evidence, row, found, dataset)
        rows.append(replace(row, robust=robust))
        findings.append(found)
    primary = _of_sources(evidence, rows)
    if len(primary) == 1:
        alone = primary[0]
        rows[alone] = replace(rows[alone], is_confirmatory=claim.is_confirmatory)
        yield from rows
        return
    yield from rows
    if primary:
        several = [(rows[each], findings[each]) for each in primary]
        yield replace(
            _over_sources(claim, several, evidence.margin), is_confirmatory=claim.is_confirmatory
        )


def _decide(claim: Claim, dataset: str, readout: str, findings: Findings) -> Verdict:
    """The verdict of a dataset, which needs the same sign by all measures."""
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
        _NAMES[measure]
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


def _is_usable(results: Results, references: int) -> bool:
    return results.is_complete and results.references >= references


def _gap(claim: Claim, results: Results, sources: int) -> str:
    """Why a dataset gives no verdict; empty if it does."""
    if results.dataset in claim.without:
        return claim.without[results.dataset]
    if not results.is_complete:
        return f"{len(results.human)} of {counted(results.published_pairs or 0, 'pairs')}"
    needed = LEAST_REFERENCES if sources < 2 else LEAST_OF_SEVERAL
    if results.references < needed:
        return (
            f"{LEAST_REFERENCES} references are needed, or {LEAST_OF_SEVERAL} each of two sources; "
            f"found {results.references}"
        )
    return ""


def _without_intervals(row: Verdict) -> Verdict:
    ends = ("low_images", "high_images", "low_networks", "high_networks")
    return replace(row, **dict.fromkeys(ends, math.nan))


def _robust(evidence: Evidence, row: Verdict, findings: Findings, dataset: Pseudovalues) -> str:
    """Whether other measures and half size decide alike; empty if there is no verdict."""
    if row.verdict not in DECISIONS:
        return ""
    wanted = row.finding.decision if isinstance(row.finding, Finding) else ""
    beside: dict[str, Finding | Untested] = {
        _NAMES[measure]: found for measure, found in findings.items() if measure != SPEARMAN
    }
    half = [each for each in evidence.half if each.results.dataset == dataset.results.dataset]
    if half:
        view = evidence.view(half[0], SPEARMAN, row.readout)
        beside[_SIZE] = row.claim.test(view, evidence.margin, **row.claim.arguments)
    sensitive = [
        name
        for name, found in beside.items()
        if not isinstance(found, Finding) or found.decision != wanted
    ]
    if sensitive:
        return f"sensitive to {', '.join(sensitive)}"
    return "yes" if half else _NOT_RUN


def _of_sources(evidence: Evidence, rows: Sequence[Verdict]) -> list[int]:
    """The dataset that speaks for each source: the largest that could test the claim."""
    found: dict[str, int] = {}
    order = sorted(
        range(len(rows)),
        key=lambda each: (
            rows[each].verdict == NOT_TESTED,
            -len(evidence.native[each].results.human),
        ),
    )
    for each in order:
        found.setdefault(evidence.native[each].results.source, each)
    tested = [each for each in found.values() if rows[each].verdict != NOT_TESTED]
    return sorted(tested or [*found.values()][:1])


def _over_sources(
    claim: Claim, several: Sequence[tuple[Verdict, Findings]], margin: float
) -> Verdict:
    """The verdict of several sources."""
    rows = [row for row, _ in several]
    found = [row.finding for row in rows if isinstance(row.finding, Finding)]
    estimates = [each.estimate for each in found]
    first = replace(
        _without_intervals(rows[0]),
        dataset=ALL,
        estimate=float(np.mean(estimates)),
        sources=len(rows),
    )
    if len(rows) >= LEAST_COMBINED and claim.combined != COUNTED:
        return _combined(claim, first, found, margin)
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


def _combined(claim: Claim, first: Verdict, found: Sequence[Finding], margin: float) -> Verdict:
    """The verdict of four sources or more, by their random-effects mean."""
    del margin
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
