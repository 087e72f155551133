"""Results as text: tables for the terminal, comma-separated values, and valid JSON."""

import csv
import difflib
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def aligned(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, text_columns: int
) -> list[str]:
    """Lines of a table with a rule below its header; text is left-aligned, numbers right-aligned.

    Args:
      header: Column names.
      rows: Rows of cells, one cell per column.
      text_columns: Number of text columns; they come first.
    """
    widths = [max(map(len, cells)) for cells in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(
            cell.ljust(width) if position < text_columns else cell.rjust(width)
            for position, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()

    return [f"  {line(cells)}" for cells in (header, ["-" * width for width in widths], *rows)]


def csv_text(
    header: Sequence[str], rows: Iterable[Iterable[Any]], *, digits: int | None = 9
) -> str:
    """A table as comma-separated values, each line ending in a line feed.

    Args:
      header: Column names.
      rows: Rows of values, one value per column; None becomes an empty cell.
      digits: Significant digits of floats; 9 distinguish any two float32 numbers. None for as many
        as a float64 number needs to be read back unchanged.
    """

    def cell(value: Any) -> Any:
        return f"{value:.{digits}g}" if digits and isinstance(value, float) else value

    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(map(cell, row) for row in rows)
    return file.getvalue()


def as_json(value: Any) -> Any:
    """The value with None in place of NaN and infinities, which JSON cannot represent."""
    if isinstance(value, Mapping):
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def counted(count: int, words: str) -> str:
    """A number and what it counts, such as ``2 pairs`` or ``1 pair``.

    Args:
      count: The number.
      words: A plural noun that ends in s, and any other words before or after it. The first word
        that ends in s loses it if the count is 1.
    """
    singular = re.sub(r"s\b", "", words, count=1)
    return f"{count} {singular if count == 1 else words}"


def do_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown name, such as ``do you mean ssim or ms-ssim? ``.

    Args:
      name: The unknown name.
      known: Names that exist.

    Returns:
      The hint with a space at its end: the name in the right case, or names with an ending to it,
      or those that are similar in upper or lower case; empty if there are none.
    """
    by_lower_case = {each.lower(): each for each in known}
    wanted = name.lower()
    longer = [each for each in by_lower_case if re.match(rf"{re.escape(wanted)}[-:]", each)]
    alike = [wanted] if wanted in by_lower_case else longer
    alike = alike or difflib.get_close_matches(wanted, by_lower_case)
    return f"do you mean {' or '.join(by_lower_case[each] for each in alike)}? " if alike else ""
