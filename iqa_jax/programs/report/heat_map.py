"""Agreement with people within each distortion, at each depth of a network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from iqa_jax.text import as_json

ALL = "all pairs"
METRICS = "metrics"


@dataclass(frozen=True)
class HeatMap:
    """Spearman's correlations of one network and read-out, or of the metrics.

    Attributes:
      name: Network and read-out.
      columns: Names of the layers from the first to the last, or of the metrics.
      columns_of_scores: Names of the same columns in the tables of scores.
      rows: Names of the distortions, the whole dataset first.
      cells: Correlation by row and column; None where there is none.
      ceilings: Correlation of the true quality with the scores by row; None where it is unknown.
    """

    name: str
    columns: Sequence[str]
    columns_of_scores: Sequence[str]
    rows: Sequence[str]
    cells: Sequence[Sequence[float | None]]
    ceilings: Sequence[float | None]

    def as_json(self) -> dict[str, Any]:
        """The map as JSON, with three decimals."""
        cells = [[_rounded(cell) for cell in row] for row in self.cells]
        ceilings = [_rounded(each) for each in self.ceilings]
        return as_json({**asdict(self), "cells": cells, "ceilings": ceilings})


def heat_maps(
    correlations: Sequence[Mapping[str, str]],
    by_distortion: Sequence[Mapping[str, str]],
    ceiling_of: Callable[[str], float | None],
) -> list[HeatMap]:
    """The maps of all networks and read-outs, and one of the metrics and the pixels.

    Args:
      correlations: Rows of ``correlations.csv``.
      by_distortion: Rows of ``correlations_by_distortion.csv``.
      ceiling_of: Ceiling of a distortion, or of ``all pairs``.
    """
    groups = list(dict.fromkeys(r["group"] for r in by_distortion if r["kind"] == "distortion"))
    found = {(*_place(row), ALL): _number(row["srcc"]) for row in correlations}
    found |= {
        (*_place(row), row["group"]): _number(row["srcc"])
        for row in by_distortion
        if row["kind"] == "distortion"
    }
    families: dict[str, list[Mapping[str, str]]] = {}
    for row in correlations:
        families.setdefault(_family(row), []).append(row)
    rows = [ALL, *groups]
    ceilings = [ceiling_of(row) for row in rows]
    maps = []
    for name, members in sorted(families.items(), key=lambda family: family[0] == METRICS):
        ordered = sorted(members, key=_depth) if name != METRICS else members
        maps.append(
            HeatMap(
                name,
                [_label(row) for row in ordered],
                [row["column"] for row in ordered],
                rows,
                [[found.get((*_place(row), group)) for row in ordered] for group in rows],
                ceilings,
            )
        )
    return maps


def _family(row: Mapping[str, str]) -> str:
    is_layer = row["layer"] and row["layer_index"] and row["model"] != "pixels"
    if is_layer:
        return f"{row['model']}, {row['readout']}"
    joined = row["layer"] and row["model"] != "pixels"
    return f"{row['model']}, {row['readout']}, layers joined" if joined else METRICS


def _label(row: Mapping[str, str]) -> str:
    if _family(row) == METRICS:
        return " ".join(filter(None, (row["model"], row["readout"])))
    first, *_, last = row["layer"].split("+") * 2
    return first if "+" not in row["layer"] else f"{first} to {last}"


def _depth(row: Mapping[str, str]) -> tuple[float, int]:
    index = _number(row["layer_index"])
    return (-1.0 if index is None else index), row["layer"].count("+")


def _place(row: Mapping[str, str]) -> tuple[str, str, str]:
    return row["model"], row["layer"], row["readout"]


def _number(text: str) -> float | None:
    return float(text) if text else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
