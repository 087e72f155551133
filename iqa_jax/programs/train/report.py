"""The report of a comparison of weights, as text for a terminal and as CSV."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple, fields

from iqa_jax.agreement.intervals import BOOTSTRAP, NONE, Method, caution
from iqa_jax.relevance.gains import MEAN, POOLED, TRANSFER, UNIFORM, Gain
from iqa_jax.text import aligned, csv_text

_MEASURES = {"plcc": "Pearson", "srcc": "Spearman", "2afc": "two-alternative score"}
_FEW_IN_A_FOLD = 5


def report_text(rows: Sequence[Gain], method: Method) -> str:
    """The report as text: a table for each measure, followed by cautions."""
    lines = []
    intervals = "" if method.name == NONE else f"; [ ] {method}"
    for measure in dict.fromkeys(row.measure for row in rows):
        groups = list(_groups([row for row in rows if row.measure == measure]))
        whole = [group[0] for group in groups]
        names = [_title(row) for row in groups[0]]
        cells = [
            ["references", *(str(row.references) for row in whole)],
            ["pairs", *(str(row.pairs) for row in whole)],
            *(
                [name, *map(_cell, of_name)]
                for name, of_name in zip(names, zip(*groups, strict=True), strict=True)
            ),
        ]
        lines += [
            f"{_MEASURES[measure]}{intervals}",
            *aligned(["", *map(_part, whole)], cells, text_columns=1),
            "",
        ]
    return "\n".join([*lines, *_cautions(rows, method)])


def report_csv(rows: Sequence[Gain]) -> str:
    """The report as CSV, with a row for each number and the attributes of :class:`Gain`."""
    return csv_text([field.name for field in fields(Gain)], (astuple(row) for row in rows))


def _groups(rows: Sequence[Gain]) -> Iterator[list[Gain]]:
    """The rows of each part, in order."""
    for _, group in itertools.groupby(rows, key=lambda row: (row.part, row.dataset)):
        yield list(group)


def _cautions(rows: Sequence[Gain], method: Method) -> Iterator[str]:
    for row in rows:
        key = (row.part, row.measure, row.weights, row.minus)
        if key == (POOLED, "srcc", UNIFORM, "") and row.value < 0:
            yield (
                f"{row.dataset}: unweighted distances grow with quality: the direction of the "
                "scores may be wrong."
            )
    for row in (group[0] for group in _groups(rows)):
        of_intervals = caution(method, row.references)
        if row.part in (POOLED, TRANSFER) and of_intervals:
            yield f"{row.dataset}: {of_intervals}"
    smallest = min((row.references for row in rows if _is_fold(row)), default=_FEW_IN_A_FOLD)
    if smallest < _FEW_IN_A_FOLD and method.name == BOOTSTRAP:
        yield (
            f"Folds of {smallest} references agree better where a resample repeats one of them: "
            f"the interval of the {MEAN} lies too high. Rely on that of the {POOLED} pairs."
        )


def _is_fold(row: Gain) -> bool:
    return row.part not in (MEAN, POOLED, TRANSFER)


def _part(row: Gain) -> str:
    return f"transfer to {row.dataset}" if row.part == TRANSFER else row.part


def _title(row: Gain) -> str:
    return f"{row.weights} - {row.minus}" if row.minus else row.weights


def _cell(row: Gain) -> str:
    sign = "+" if row.minus else ""
    value = f"{row.value:{sign}.3f}"
    if _is_fold(row) or math.isnan(row.low):
        return value
    return f"{value} [{row.low:{sign}.3f}, {row.high:{sign}.3f}]"
