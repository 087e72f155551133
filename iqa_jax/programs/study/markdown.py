"""The study as text: a summary for the terminal, and a document in Markdown."""

import math
from collections.abc import Iterable, Iterator, Sequence

from iqa_jax.study.claims import CLAIMS
from iqa_jax.study.decisions import ALL
from iqa_jax.study.models_table import APPARENT, SPLIT, TRANSFERRED
from iqa_jax.study.pseudovalues import SPEARMAN
from iqa_jax.study.published import TOLERANCE
from iqa_jax.study.results import Results
from iqa_jax.study.rows import ClaimRow
from iqa_jax.study.whole import Study
from iqa_jax.text import aligned, counted

CAUTIONS = (
    "Intervals are of 95 %. Over images they hold for these networks and other images; over "
    "networks for networks like these.",
    "A verdict needs the same sign of Pearson's correlation and of Spearman's within references, "
    "and holds after Holm's correction over the confirmatory claims.",
    "The best layer is chosen on data that do not score it; best_apparent is the largest value of "
    "all layers, is too large, and has no interval.",
)


def summary(study: Study) -> str:
    """The verdicts under the primary read-out, for the terminal.

    Args:
      study: The study.
    """
    rows = [
        (row.claim, row.dataset, row.verdict, row.text, _number(row.estimate), _images(row))
        for row in primary_rows(study)
    ]
    header = ("claim", "dataset", "verdict", "text", "estimate", "images")
    claims_of: dict[tuple[str, str], list[str]] = {}
    for row in primary_rows(study):
        if row.reason:
            claims_of.setdefault((row.dataset, row.reason), []).append(row.claim)
    reasons = [
        f"{dataset}, {', '.join(claims)}: {reason}"
        for (dataset, reason), claims in claims_of.items()
    ]
    return "\n".join(
        [
            f"read-out {study.readout}, margin {study.margin:g}, claims {study.digest}",
            "",
            *aligned(header, rows, text_columns=4),
            *(["", *reasons] if reasons else []),
        ]
    )


def primary_rows(study: Study) -> list[ClaimRow]:
    """The rows of the primary read-out; of several sources those of all.

    Args:
      study: The study.
    """
    rows = [row for row in study.claims if row.readout == study.readout]
    several = {row.claim for row in rows if row.dataset == ALL}
    return [row for row in rows if row.claim not in several or row.dataset == ALL]


def document(study: Study, figures: Iterable[str]) -> str:
    """The study in Markdown.

    Args:
      study: The study.
      figures: Names of the figures beside it.
    """
    return "\n".join(_lines(study, figures)) + "\n"


def _lines(study: Study, figures: Iterable[str]) -> Iterator[str]:
    yield "# The claims, tested"
    yield ""
    yield f"Read-out {study.readout}; margin {study.margin:g}; table of claims {study.digest}."
    yield from _datasets(study)
    yield ""
    yield from (f"- {line}" for line in CAUTIONS)
    yield ""
    yield "## Verdicts"
    yield ""
    yield from _table(
        *(("claim", "", "dataset", "estimate", "images", "networks", "p (Holm)", "verdict"),),
        [
            (
                *(row.claim, row.text, row.dataset, _number(row.estimate), _images(row)),
                _ends(row.low_networks, row.high_networks),
                _p(row.p_holm),
                row.verdict,
            )
            for row in primary_rows(study)
        ],
    )
    yield ""
    yield "## Claim by claim"
    for claim in CLAIMS:
        yield from _claim(study, claim.id)
    yield ""
    yield "## Networks"
    yield ""
    yield from _networks(study)
    if study.published:
        yield ""
        yield "## Beside the published numbers"
        yield ""
        yield from _published(study)
    for name in figures:
        yield ""
        yield f"![{name.removesuffix('.png').replace('_', ' ')}]({name})"


def _datasets(study: Study) -> Iterator[str]:
    for each in study.evidence.native:
        results = each.results
        absent = ", ".join(one.name for one in results.networks.values() if one.absent)
        yield ""
        yield (f"{results.dataset}: {described(results)}{'; absent: ' if absent else ''}{absent}.")
        if results.left_out:
            names = ", ".join(results.left_out)
            yield f"Left out, since their scores are not finite or all equal: {names}."


def described(results: Results) -> str:
    """Size of a dataset, and whether it is whole.

    Args:
      results: Its results.
    """
    whole = "" if results.is_complete else f" of {results.published_pairs}, incomplete"
    return (
        f"{counted(len(results.human), 'pairs')}{whole}, "
        f"{counted(results.references, 'references')}, {counted(len(results.columns), 'columns')}"
    )


def _claim(study: Study, name: str) -> Iterator[str]:
    (claim,) = (each for each in CLAIMS if each.id == name)
    yield ""
    yield f"### {claim.id}. {claim.text}"
    yield ""
    yield f"Estimand: {claim.estimand}. Supported: {claim.supported}. " + (
        f"Contradicted: {claim.contradicted}."
    )
    for label, rule in (("Equivalent", claim.equivalent), ("Consistent", claim.consistent)):
        if rule:
            yield f"{label}: {rule}."
    if claim.confounds:
        yield f"Confounds: {claim.confounds}."
    yield ""
    for row in study.claims:
        if row.claim == name:
            numbers = f" {_number(row.estimate)} {_images(row)}" if _is(row.estimate) else ""
            parts = [row.reason, row.note, f"robust: {row.robust}" if row.robust else ""]
            said = "; ".join(part for part in parts if part)
            yield (
                f"- {row.dataset}, {row.readout}: **{row.verdict}**{numbers}"
                f"{f' ({said})' if said else ''}"
            )


def _networks(study: Study) -> Iterator[str]:
    wanted = {TRANSFERRED, SPLIT, APPARENT, "metric", "input", "depth_mean"}
    rows = [
        (
            *(row.dataset, row.model, row.quantity, row.layer),
            *(_number(row.value), _ends(row.low, row.high)),
        )
        for row in study.models
        if row.measure == SPEARMAN
        and row.quantity in wanted
        and (row.readout == study.readout or row.quantity in ("metric", "input"))
    ]
    yield from _table(("dataset", "model", "quantity", "layer", "Spearman", "images"), rows)


def _published(study: Study) -> Iterator[str]:
    rows = [
        (
            *(row.dataset, row.column, row.measure, _number(row.value), _number(row.authors_value)),
            f"{row.difference_from_authors:+.3f}{'' if row.is_close else ' *'}",
        )
        for row in study.published
    ]
    yield from _table(("dataset", "column", "measure", "ours", "published", "difference"), rows)
    if any(not row.is_close for row in study.published):
        yield ""
        yield f"\\* beyond {TOLERANCE:g}, what decoding and resizing may explain."


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _images(row: ClaimRow) -> str:
    return _ends(row.low_images, row.high_images)


def _ends(low: float, high: float) -> str:
    return f"[{low:.3f}, {high:.3f}]" if _is(low) and _is(high) else ""


def _number(value: float) -> str:
    return f"{value:.3f}" if _is(value) else ""


def _p(value: float) -> str:
    return "" if not _is(value) else "< .001" if value < 0.001 else f"{value:.3f}"


def _is(value: float) -> bool:
    return math.isfinite(value)
