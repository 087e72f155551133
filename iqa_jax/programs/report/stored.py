"""Results of ``iqa evaluate``, read from their folder."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from etils import epath

from iqa_jax.datasets.csv_rows import read_rows
from iqa_jax.errors import InputError

_IDENTIFIERS = ("reference", "distorted", "reference_id", "distortion", "level", "score")

Row = Mapping[str, str]
"""A row of a table by the names of its columns."""


@dataclass(frozen=True)
class Stored:
    """The record and the tables of an evaluation.

    Attributes:
      record: ``run.json``.
      scores: Rows of ``scores.csv``.
      correlations: Rows of ``correlations.csv``; none for forced choices.
      by_distortion: Rows of ``correlations_by_distortion.csv``.
      forced_choices: Rows of ``forced_choice.csv``; none for opinions.
    """

    record: Mapping[str, Any]
    scores: Sequence[Row]
    correlations: Sequence[Row]
    by_distortion: Sequence[Row]
    forced_choices: Sequence[Row]

    @property
    def columns(self) -> Mapping[str, Mapping[str, Any]]:
        """Descriptions of the columns of scores by name."""
        return self.record["columns"]


def read_results(folder: epath.Path) -> Stored:
    """Reads a folder that ``iqa evaluate`` wrote.

    Args:
      folder: The folder.

    Raises:
      InputError: If it is not such a folder, or its files do not belong together.
    """
    path = folder / "run.json"
    try:
        record = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(
            f"{folder}: there is no {path.name}; expected a folder of iqa evaluate"
        ) from None
    except ValueError as error:
        raise InputError(f"{path}: is damaged ({error})") from error
    if not (isinstance(record, dict) and {"columns", "dataset", "settings"} <= record.keys()):
        raise InputError(
            f"{path}: is not the record of an evaluation of this version; run iqa evaluate again "
            "(finished scores are kept)"
        )
    wanted = (*_IDENTIFIERS, *record["columns"])
    _, scores = read_rows(folder / "scores.csv", required=wanted)
    if not scores:
        raise InputError(f"{folder / 'scores.csv'}: has no rows")
    return Stored(
        record,
        scores,
        *(
            _rows_if_there(folder / name)
            for name in (
                "correlations.csv",
                "correlations_by_distortion.csv",
                "forced_choice.csv",
            )
        ),
    )


def _rows_if_there(path: epath.Path) -> Sequence[Row]:
    return read_rows(path)[1] if path.exists() else ()
