"""Verdicts: findings of datasets, measures and claims considered together."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from iqa_jax.study.claims import CLAIMS, Claim
from iqa_jax.study.decisions import MEASURE_NAMES, TRAININGS, Verdict, decide, without_intervals
from iqa_jax.study.estimates import ALPHA
from iqa_jax.study.evidence import Evidence, Findings
from iqa_jax.study.findings import (
    DECISIONS,
    NOT_TESTED,
    UNDECIDED,
    Finding,
    Untested,
)
from iqa_jax.study.multiplicity import holm
from iqa_jax.study.pseudovalues import SPEARMAN, Pseudovalues
from iqa_jax.study.results import Results
from iqa_jax.study.sources import over_sources
from iqa_jax.text import counted

LEAST_REFERENCES = 20
"""Minimum number of references of a dataset for a verdict."""

LEAST_OF_SEVERAL = 10
"""The same with two sources or more, and for an interval."""

_SIZE, _NOT_RUN = "half size", "not run"


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
            decide(claim, TRAININGS, readout, evidence.trained(claim)),
            is_confirmatory=claim.is_confirmatory,
        )
        return
    sources = {each.results.source for each in evidence.native if _is_usable(each.results, 10)}
    rows = []
    for dataset in evidence.native:
        found = evidence.findings(claim, dataset, readout)
        row = decide(claim, dataset.results.dataset, readout, found)
        gap = _gap(claim, dataset.results, len(sources))
        if gap:
            row = replace(row, verdict=NOT_TESTED, reason=gap, p=math.nan)
            if dataset.results.references < LEAST_OF_SEVERAL:
                row = without_intervals(row)
        robust = _robust(evidence, row, found, dataset)
        rows.append(replace(row, robust=robust))
    primary = _of_sources(evidence, rows)
    if len(primary) == 1:
        alone = primary[0]
        rows[alone] = replace(rows[alone], is_confirmatory=claim.is_confirmatory)
        yield from rows
        return
    yield from rows
    if primary:
        together = over_sources(claim, [rows[each] for each in primary])
        yield replace(together, is_confirmatory=claim.is_confirmatory)


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


def _robust(evidence: Evidence, row: Verdict, findings: Findings, dataset: Pseudovalues) -> str:
    """Whether other measures and half size decide alike; empty if there is no verdict."""
    if row.verdict not in DECISIONS:
        return ""
    wanted = row.finding.decision if isinstance(row.finding, Finding) else ""
    beside: dict[str, Finding | Untested] = {
        MEASURE_NAMES[measure]: found for measure, found in findings.items() if measure != SPEARMAN
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
