"""What a page shows: pairs, columns of scores and tables, before any of it is HTML."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from iqa_jax.agreement.columns import HIGHER, LOWER
from iqa_jax.programs.report.disagreements import differentiate, largest_differences, ranks, worst
from iqa_jax.programs.report.heat_map import HeatMap
from iqa_jax.programs.report.pictures import Pictures
from iqa_jax.text import as_json

_DIGITS = 6
"""Significant digits of scores in the page."""


@dataclass(frozen=True)
class Shown:
    """A column of scores.

    Attributes:
      name: Name of the column.
      values: float64 ``[pairs]``; NaN where there is no score.
      higher_is_better: Whether higher scores mean better or more similar images.
      spearman: Correlation with the human scores; NaN if there are none.
    """

    name: str
    values: np.ndarray
    higher_is_better: bool
    spearman: float = math.nan


@dataclass(frozen=True)
class PairRow:
    """Identifiers of a pair.

    Attributes:
      reference: Name of the reference image.
      distorted: Name of the distorted image.
      distortion: Type of the distortion; empty if unknown.
      level: Strength of the distortion; empty if unknown.
      note: Remark for the table, such as why it has no score.
    """

    reference: str
    distorted: str
    distortion: str = ""
    level: str = ""
    note: str = ""


@dataclass(frozen=True)
class Cells:
    """A table.

    Attributes:
      name: Heading.
      header: Names of the columns.
      rows: Rows of values; None where there is none.
    """

    name: str
    header: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True, kw_only=True)
class Head:
    """Top of every page.

    Attributes:
      title: Title.
      facts: What was compared: names and values.
      warnings: Warnings of the run.
      remarks: What the page leaves out, and why.
    """

    title: str
    facts: Mapping[str, str]
    warnings: Sequence[str] = ()
    remarks: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Page(Head):
    """Everything that a report shows.

    Attributes:
      pairs: The pairs.
      columns: Columns of scores, the one shown first in front.
      opinion: Human scores; None if there are none.
      tables: Tables, such as the correlations.
      heat_maps: Agreement within distortions.
      ceiling: Correlation of the true quality with the human scores; NaN if unknown.
      pictures: Sources of the images.
    """

    pairs: Sequence[PairRow]
    columns: Sequence[Shown]
    opinion: Shown | None = None
    tables: Sequence[Cells] = ()
    heat_maps: Sequence[HeatMap] = ()
    ceiling: float = math.nan
    pictures: Pictures = field(default_factory=Pictures)

    @property
    def axes(self) -> list[Shown]:
        """All columns that can be compared, the human scores last."""
        return [*self.columns, *([self.opinion] if self.opinion else [])]

    @property
    def worst(self) -> list[list[int]]:
        """Rows of the worst pairs for each of :attr:`axes`, the worst first."""
        return [worst(ranks(each.values, each.higher_is_better)) for each in self.axes]

    @property
    def disagreements(self) -> list[list[list[list[int]]]]:
        """Rows of the largest rank differences, by two positions in :attr:`axes`.

        ``[a][b][0]`` are the pairs that the first of the two ranks better, ``[a][b][1]`` those that
        it ranks worse, greatest difference first; ``b < a``.
        """
        all_ranks = [ranks(each.values, each.higher_is_better) for each in self.axes]
        return [
            [largest_differences(mine, other) for other in all_ranks[:number]]
            for number, mine in enumerate(all_ranks)
        ]

    @property
    def differentiation(self) -> list[list[list[tuple[int, int]]]]:
        """Group maximum differentiation, by the positions of defender and attacker in the axes."""
        all_ranks = [ranks(each.values, each.higher_is_better) for each in self.axes]
        return [
            [
                [] if attacker is defender else differentiate(defender, attacker)
                for attacker in all_ranks
            ]
            for defender in all_ranks
        ]

    @property
    def rows_of_interest(self) -> list[int]:
        """The pairs of the lists, those of the first column and the human scores in front."""
        lists = [rows for others in self.disagreements for both in others for rows in both]
        pairs = [pair for row in self.differentiation for found in row for pair in found]
        last = self.disagreements[-1][0] if len(self.axes) > 1 else []
        found = [*(row for rows in (*last, *lists) for row in rows)]
        return list(dict.fromkeys([*found, *(row for pair in pairs for row in pair)]))


def page_data(page: Page) -> dict[str, Any]:
    """The data of a page as JSON."""
    distortions = list(dict.fromkeys(pair.distortion for pair in page.pairs))
    numbers = {name: number for number, name in enumerate(distortions)}
    data = {
        "pairs": {
            "reference": [pair.reference for pair in page.pairs],
            "distorted": [pair.distorted for pair in page.pairs],
            "distortion": [numbers[pair.distortion] for pair in page.pairs],
            "level": [pair.level for pair in page.pairs],
            "note": [pair.note for pair in page.pairs] if any(p.note for p in page.pairs) else [],
        },
        "distortions": distortions,
        "axes": [
            {
                "name": each.name,
                "direction": HIGHER if each.higher_is_better else LOWER,
                "spearman": each.spearman,
                "values": [rounded(value) for value in each.values.tolist()],
            }
            for each in page.axes
        ],
        "hasOpinion": page.opinion is not None,
        "tables": [
            {
                "name": table.name,
                "header": list(table.header),
                "rows": [[rounded(cell) for cell in row] for row in table.rows],
            }
            for table in page.tables
        ],
        "heatMaps": [each.as_json() for each in page.heat_maps],
        "ceiling": page.ceiling,
        "worst": page.worst,
        "disagreements": page.disagreements,
        "differentiation": page.differentiation,
        "pictures": page.pictures.as_json(),
    }
    return as_json(data)


def rounded(value: Any) -> Any:
    """A float with six significant digits; anything else as it is."""
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
