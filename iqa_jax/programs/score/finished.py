"""A finished table of scores, read row by row: it may be longer than the memory is large."""

import csv
import io
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from etils import epath

from iqa_jax.datasets.parsing import number_or_nan
from iqa_jax.images.sources import ImageSource


@dataclass(frozen=True)
class Row:
    """The scores of a pair.

    Attributes:
      reference: Name of the reference image.
      distorted: Name of the distorted image.
      values: Scores by metric, in its own direction; NaN where there is none.
      error: Why a score is missing; empty if none is.
    """

    reference: str
    distorted: str
    values: Mapping[str, np.float32]
    error: str

    @property
    def image_names(self) -> tuple[str, str]:
        """Names of its two images."""
        return self.reference, self.distorted


@dataclass(frozen=True)
class FinishedTable:
    """A table that ``iqa score`` has written, by one process or several.

    Attributes:
      path: The CSV file.
      directions: Whether higher scores are better, by metric.
      images: Source of the images; None if it is unknown.
    """

    path: epath.Path
    directions: Mapping[str, bool]
    images: ImageSource | None = None

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics, in the order of the columns."""
        with closing(self._lines()) as lines:
            return next(lines)[2:-1]

    def rows(self) -> Generator[Row, None, None]:
        """The rows, read from the beginning."""
        lines = self._lines()
        _, _, *metrics, _ = next(lines)
        for reference, distorted, *texts, error in lines:
            values = (np.float32(number_or_nan(text)) for text in texts)
            yield Row(reference, distorted, dict(zip(metrics, values, strict=True)), error)

    def _lines(self) -> Generator[list[str], None, None]:
        with (
            self.path.open("rb") as file,
            io.TextIOWrapper(file, encoding="utf-8", newline="") as text,
        ):
            yield from csv.reader(text)
