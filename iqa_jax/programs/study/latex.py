"""The tables of a study in LaTeX, to be included by a paper that loads booktabs."""

import math
from collections.abc import Iterable, Sequence

from iqa_jax.programs.study.markdown import primary_rows
from iqa_jax.study.models_table import SPLIT, TRANSFERRED
from iqa_jax.study.pseudovalues import SPEARMAN
from iqa_jax.study.whole import Study

_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
    }
)


def claims_table(study: Study) -> str:
    """The verdicts under the primary read-out.

    Args:
      study: The study.
    """
    rows = [
        (
            *(row.claim, row.text, row.dataset, _number(row.estimate)),
            _interval(row.low_images, row.high_images),
            _interval(row.low_networks, row.high_networks),
            row.verdict,
        )
        for row in primary_rows(study)
    ]
    header = ("", "Claim", "Dataset", "Estimate", "Images", "Networks", "Verdict")
    return _tabular("llllllr", header, rows)


def models_table(study: Study) -> str:
    """Spearman's correlation of the best layer of each network, chosen on other data.

    Args:
      study: The study.
    """
    rows = [
        (row.dataset, row.model, row.layer, _number(row.value), _interval(row.low, row.high))
        for row in study.models
        if row.measure == SPEARMAN
        and row.readout == study.readout
        and row.quantity in (TRANSFERRED, SPLIT)
    ]
    return _tabular("lllrl", ("Dataset", "Network", "Layer", "Spearman", "Interval"), rows)


def _tabular(columns: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [" & ".join(map(_escaped, row)) + r" \\" for row in rows]
    return "\n".join(
        [
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            " & ".join(header) + r" \\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else ""


def _interval(low: float, high: float) -> str:
    return f"[{low:.3f}, {high:.3f}]" if math.isfinite(low) and math.isfinite(high) else ""
