"""A verification as text for a person, and as JSON for a program."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from iqa_jax.programs.verify.checks import Check, Range, Verdict
from iqa_jax.programs.verify.verification import Verification
from iqa_jax.text import aligned, as_json, counted

_MOST_LISTED = 20


def to_text(verification: Verification) -> str:
    """Facts about the dataset, image sizes, all checks, and everything that needs attention.

    The last line says whether the dataset can be used.
    """
    lines = [
        *_facts(verification),
        "",
        *_sizes(verification),
        "",
        *aligned(
            ("check", "found", "expected", "verdict"),
            [_cells(check) for check in verification.checks],
            text_columns=1,
        ),
    ]
    for verdict in (Verdict.PROBLEM, Verdict.NOTE):
        for check in verification.checks:
            if check.verdict is verdict:
                lines += ["", *_details(check)]
    return "\n".join([*lines, "", _conclusion(verification)])


def to_json(verification: Verification) -> str:
    """The same as JSON with all names in full; a number that is not finite becomes null."""
    table = verification.table
    return json.dumps(
        {
            "dataset": table.name,
            "licence": table.licence,
            "citation": table.citation,
            "target": table.target,
            "protocol": table.protocol.value,
            "higher_is_better": table.higher_is_better,
            "pairs": len(table.pairs),
            "published_pairs": table.published_pairs,
            "references": len({pair.reference for pair in table.pairs}),
            "images": len(verification.table.image_names),
            "sizes": dict(_histogram(verification)),
            "fingerprint": verification.fingerprint,
            "checks": [
                {
                    "subject": check.subject,
                    "verdict": check.verdict.value.lower(),
                    "found": as_json(check.found),
                    "expected": as_json(check.expected),
                    "items": list(check.items),
                    "explanation": check.explanation,
                }
                for check in verification.checks
            ],
            "problems": len(verification.problems),
        },
        indent=2,
        ensure_ascii=False,
        allow_nan=False,
    )


def _facts(verification: Verification) -> list[str]:
    table = verification.table
    versions = Counter(pair.reference for pair in table.pairs).values()
    distortions = {pair.distortion for pair in table.pairs if pair.distortion}
    deviations = sum(math.isfinite(pair.score_std) for pair in table.pairs)
    judgements = len(table.pairs) // table.protocol.rows
    direction = "higher is better" if table.higher_is_better else "lower is better"
    rows = [
        ("licence", table.licence or "not stated"),
        ("citation", table.citation or "not stated"),
        ("protocol", f"{table.protocol}, {counted(judgements, 'judgements')}"),
        ("scores", f"{table.target}, {direction}"),
        ("references", f"{len(versions)}, each with {_versions(versions)}"),
        ("images", str(len(verification.table.image_names))),
        ("distortions", counted(len(distortions), "types") if distortions else "not stated"),
        ("deviations", f"of {counted(deviations, 'scores')}" if deviations else "not stated"),
        ("fingerprint", verification.fingerprint or "none: some images cannot be read"),
    ]
    return aligned(("dataset", table.name), rows, text_columns=2)


def _sizes(verification: Verification) -> list[str]:
    sizes = _histogram(verification)
    rows = [(size, str(count)) for size, count in sizes[:_MOST_LISTED]]
    if sizes[_MOST_LISTED:]:
        others = sum(count for _, count in sizes[_MOST_LISTED:])
        rows.append((counted(len(sizes) - _MOST_LISTED, "others"), str(others)))
    return aligned(("width x height", "images"), rows, text_columns=1)


def _histogram(verification: Verification) -> list[tuple[str, int]]:
    """Sizes and their numbers of images, the most frequent first."""
    return Counter(
        f"{header.width}x{header.height}" for header in verification.headers.values()
    ).most_common()


def _cells(check: Check) -> tuple[str, str, str, str]:
    return check.subject, _text(check.found), _text(check.expected), check.verdict


def _details(check: Check) -> Iterator[str]:
    yield f"{check.verdict.upper()}: {check.subject}"
    if check.explanation:
        yield f"  {check.explanation}"
    for item in check.items[:_MOST_LISTED]:
        yield f"    {item}"
    if check.items[_MOST_LISTED:]:
        yield f"    and {len(check.items) - _MOST_LISTED} more"


def _conclusion(verification: Verification) -> str:
    name, problems = verification.table.name, verification.problems
    if problems:
        subjects = ", ".join(check.subject for check in problems)
        return f"{name}: {len(problems)} of the checks found a problem ({subjects})"
    unchecked = [check for check in verification.checks if check.verdict is Verdict.NOT_CHECKED]
    if unchecked:
        return f"{name}: no problem found; {counted(len(unchecked), 'checks')} not made"
    return f"{name}: no problem found"


def _text(value: float | str | Range | None) -> str:
    match value:
        case None:
            return "-"
        case Range(least, greatest):
            return f"{_text(least)} to {_text(greatest)}"
        case float():
            return "any" if math.isnan(value) else f"{value:.4g}"
        case _:
            return str(value)


def _versions(counts: Iterable[int]) -> str:
    numbers: Sequence[int] = sorted(counts) or [0]
    least, greatest = numbers[0], numbers[-1]
    many = counted(greatest, "versions")
    return many if least == greatest else f"{least} to {many}"
