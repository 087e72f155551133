"""Checks of a dataset: its rows, its images, and whether they fit together."""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from iqa_jax.datasets.table import Pair, PairTable
from iqa_jax.errors import ImageError, MissingImageError
from iqa_jax.images.decode import Header
from iqa_jax.programs.verify.examination import Examination

_MOST_JOINED = 4
"""Number of names of one group that are written out."""


class Verdict(StrEnum):
    """Result of a check."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing, but not a fault."""

    PROBLEM = "PROBLEM"
    NOT_CHECKED = "not checked"


class Range(NamedTuple):
    """The least and the greatest of some numbers; NaN where there is no bound."""

    least: float
    greatest: float


@dataclass(frozen=True)
class Check:
    """One check of a dataset.

    Attributes:
      subject: Quantity that was counted or measured.
      verdict: Result of the check.
      found: Value found; None if there is none.
      expected: Value expected; None if any value is fine.
      items: Images, rows or reasons concerned.
      explanation: Interpretation and advice.
    """

    subject: str
    verdict: Verdict
    found: float | Range | None
    expected: float | str | Range | None = None
    items: Sequence[str] = ()
    explanation: str = ""


def check_rows(table: PairTable) -> Iterator[Check]:
    """Checks that do not need the images: number of rows, scores, repeated rows."""
    yield _pairs(table)
    yield _count(
        "rows without a finite score",
        [_row(row, pair) for row, pair in _rows(table) if not math.isfinite(pair.score)],
        "The score is empty or not a number; correct it in the score file.",
    )
    yield _scale(table)
    yield _count(
        "rows that repeat another",
        list(_repeated(table)),
        "One distorted image has several scores; keep one of the rows.",
    )


def check_images(table: PairTable, examination: Examination) -> Iterator[Check]:
    """Checks of the images: missing, unreadable, damaged, of unequal size, identical."""
    errors = {
        name: error for name, error in examination.headers.items() if not isinstance(error, Header)
    }
    yield _count(
        "images missing",
        [name for name, error in errors.items() if isinstance(error, MissingImageError)],
        "The score table lists them, but there are no such files. Unpack the dataset again; "
        "without them it can be used with --allow_partial.",
    )
    yield _count(
        "images unreadable",
        [str(error) for error in errors.values() if not isinstance(error, MissingImageError)],
        "Unpack or download these files again.",
    )
    yield _count(
        "images that do not decode",
        list(map(str, examination.damaged.values())),
        "Their headers are intact, the rest is not. Unpack or download these files again.",
        is_checked=examination.is_decoded,
    )
    yield _count(
        "pairs of unequal size",
        list(_unequal(table, examination.headers)),
        "A pair can only be compared pixel by pixel; check that the images belong together.",
    )
    yield _count(
        "files with the bytes of another",
        list(_same_bytes(examination.sha256)),
        "These files are copies of one another. Some datasets have them; two scores of one image "
        "show how reliable the scores are.",
        verdict=Verdict.NOTE,
        is_checked=examination.is_decoded,
    )
    yield _count(
        "pairs of identical pixels",
        [
            _row(row, pair)
            for (row, pair), error in zip(_rows(table), examination.squared_errors, strict=True)
            if error == 0
        ],
        "The distorted image is its reference. Every metric gives these pairs its best score; "
        "KADID-10k has some.",
        verdict=Verdict.NOTE,
        is_checked=examination.is_decoded,
    )


def _pairs(table: PairTable) -> Check:
    found, published = len(table.pairs), table.published_pairs
    is_whole = found > 0 and published in (None, found)
    return Check(
        "pairs",
        Verdict.OK if is_whole else Verdict.PROBLEM,
        found,
        published,
        explanation=""
        if is_whole
        else "The score table has no rows."
        if not found
        else "The score table does not cover the whole dataset; it can be used with "
        "--allow_partial.",
    )


def _scale(table: PairTable) -> Check:
    least, greatest = table.score_range
    scores = [pair.score for pair in table.pairs if math.isfinite(pair.score)]
    outside = [
        f"{_row(row, pair)}: {pair.score:g}"
        for row, pair in _rows(table)
        if pair.score < least or pair.score > greatest  # false where the scale has no bound
    ]
    has_ends = math.isfinite(least) or math.isfinite(greatest)
    return Check(
        "scores",
        Verdict.PROBLEM if outside else Verdict.OK,
        Range(min(scores), max(scores)) if scores else None,
        Range(least, greatest) if has_ends else None,
        outside,
        "Scores outside the scale belong to another scale, or come from another column."
        if outside
        else "",
    )


def _repeated(table: PairTable) -> Iterator[str]:
    """A line for each set of repeated judgements: their rows and the distorted image."""
    size = table.protocol.rows
    judged: defaultdict[Hashable, list[int]] = defaultdict(list)
    for start in range(0, len(table.pairs), size):
        judgement = table.pairs[start : start + size]
        versions = frozenset(pair.distorted for pair in judgement)
        if len(versions) < size:
            yield f"rows {start + 1} to {start + size}: {judgement[0].distorted} against itself"
        # A version may be compared with many others; an opinion is about the image alone.
        judged[versions if size == 1 else (judgement[0].reference, versions)].append(start)
    for starts in judged.values():
        if starts[1:]:
            rows = _joined([str(start + 1) for start in starts])
            yield f"rows {rows}: {table.pairs[starts[0]].distorted}"


def _unequal(table: PairTable, headers: Mapping[str, Header | ImageError]) -> Iterator[str]:
    for row, pair in _rows(table):
        reference, distorted = headers[pair.reference], headers[pair.distorted]
        if (
            isinstance(reference, Header)
            and isinstance(distorted, Header)
            and reference[:2] != distorted[:2]
        ):
            yield (
                f"{_row(row, pair)}: {distorted.width}x{distorted.height}, its reference "
                f"{pair.reference}: {reference.width}x{reference.height}"
            )


def _same_bytes(sha256: Mapping[str, bytes]) -> Iterator[str]:
    """A line for each file that is a copy of an earlier one."""
    first: dict[bytes, str] = {}
    for name, checksum in sha256.items():
        if first.setdefault(checksum, name) != name:
            yield f"{name}: same as {first[checksum]}"


def _count(
    subject: str,
    items: Sequence[str],
    explanation: str,
    *,
    verdict: Verdict = Verdict.PROBLEM,
    is_checked: bool = True,
) -> Check:
    """A check that should find nothing, or for notes little."""
    expected = 0 if verdict is Verdict.PROBLEM else None
    if not is_checked:
        return Check(subject, Verdict.NOT_CHECKED, None, expected)
    if not items:
        return Check(subject, Verdict.OK, 0, expected)
    return Check(subject, verdict, len(items), expected, items, explanation)


def _rows(table: PairTable) -> Iterable[tuple[int, Pair]]:
    return enumerate(table.pairs, 1)


def _row(row: int, pair: Pair) -> str:
    return f"row {row}: {pair.distorted}"


def _joined(names: Sequence[str]) -> str:
    more = len(names) - _MOST_JOINED
    return ", ".join(names[:_MOST_JOINED]) + (f" and {more} more" if more > 0 else "")
