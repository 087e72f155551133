"""Rows of a table of costs, in a CSV file that grows."""

import csv
import math
from dataclasses import dataclass, fields
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """Cost of a step for one image size.

    Attributes:
      name: Name of the metric, or of the model with its layers and read-outs.
      precision: Precision of the network.
      topology: Chips.
      height: Height of the images.
      width: Width of the images.
      units: Number of units on a chip at a time.
      versions: Number of distorted versions in a unit.
      kilocycles_per_image: Estimated cycles of a chip, in thousands.
      matrix_limit: Kilocycles per image of the matrix units alone.
      memory_bound: Kilocycles per image of the main memory alone.
      temp_gib: Memory of a chip for intermediate results.
      compile_seconds: Time to compile the step on this machine.
    """

    name: str
    precision: str
    topology: str
    height: int
    width: int
    units: int
    versions: int
    kilocycles_per_image: float = math.nan
    matrix_limit: float = math.nan
    memory_bound: float = math.nan
    temp_gib: float = math.nan
    compile_seconds: float = math.nan

    @property
    def key(self) -> tuple[str | int, ...]:
        """What is compiled: all but the costs."""
        return tuple(vars(self).values())[:7]


def read_rows(path: Path) -> list[Row]:
    """The rows of a file; none if there is no file.

    Args:
      path: A file of :func:`append_row`.
    """
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [
            Row(**{each.name: each.type(row[each.name]) for each in fields(Row)})  # type: ignore
            for row in csv.DictReader(file)
        ]


def append_row(path: Path, row: Row) -> None:
    """Adds a row to a file, which is created if there is none.

    Args:
      path: The file.
      row: The row.
    """
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(each.name for each in fields(Row))
        values = vars(row).values()
        writer.writerow(f"{each:.4g}" if isinstance(each, float) else each for each in values)
