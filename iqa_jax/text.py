"""Tables as text: words to the left, numbers to the right."""

from collections.abc import Sequence


def aligned(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, text_columns: int
) -> list[str]:
    """The lines of a table with a rule below its header.

    Args:
      header: A word a column.
      rows: As many cells each.
      text_columns: How many columns, from the left, are words.
    """
    widths = [max(map(len, cells)) for cells in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(
            cell.ljust(width) if position < text_columns else cell.rjust(width)
            for position, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()

    return [f"  {line(cells)}" for cells in (header, ["-" * width for width in widths], *rows)]
