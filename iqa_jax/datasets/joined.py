"""Distances that another tool gave to the pairs of a table, to stand in the same tables as ours."""

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import PurePath

import numpy as np
from etils import epath

from iqa_jax.datasets.table import Pair, PairTable, number_or_nan
from iqa_jax.errors import DatasetError

KEY = "distorted"
_NOT_DISTANCES = {field.name for field in fields(Pair)} | {"error"}


def read_joined_scores(path: epath.Path, table: PairTable) -> dict[str, np.ndarray]:
    """Reads a CSV with a row for each pair: a column ``distorted``, and columns of distances.

    A row belongs to the pair whose distorted image it names, as the table does or by its file name
    alone, upper and lower case taken as equal. The columns of the table itself and ``error`` are
    skipped, so that a ``scores.csv`` of ours can be joined as well.

    Args:
      path: The file.
      table: The dataset.

    Returns:
      ``[pairs]`` by column, as they stand: taken to be 0 for identical images and growing.

    Raises:
      DatasetError: If the file is no such table, a pair has no row or several, or a distance is not
        a number.
    """
    if not path.exists() or path.is_dir():
        raise DatasetError(f"scores_csv: there is no file {path}")
    text = path.read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), restval=""))
    names = [name for name in (rows[0] if rows else ()) if name not in _NOT_DISTANCES]
    if not names or KEY not in rows[0]:
        raise DatasetError(f"{path}: expected a column {KEY} and at least one column of distances")
    matched = _match(rows, table, path)
    columns = {name: np.array([number_or_nan(row[name]) for row in matched]) for name in names}
    for name, values in columns.items():
        unusable = np.flatnonzero(~np.isfinite(values))
        if unusable.size:
            listed = ", ".join(table.pairs[int(row)].distorted for row in unusable)
            raise DatasetError(f"{path}: {name} is not a finite number for {listed}")
    return columns


def _match(
    rows: Sequence[Mapping[str, str]], table: PairTable, path: epath.Path
) -> list[Mapping[str, str]]:
    """The row of each pair."""
    by_name, by_file = defaultdict(list), defaultdict(list)
    for row in rows:
        by_name[row[KEY].lower()].append(row)
        by_file[_file_name(row[KEY])].append(row)
    matches = [
        by_name.get(pair.distorted.lower()) or by_file.get(_file_name(pair.distorted), [])
        for pair in table.pairs
    ]
    errors = [
        f"{pair.distorted}: {len(found)} rows"
        for pair, found in zip(table.pairs, matches, strict=True)
        if len(found) != 1
    ]
    if errors:
        raise DatasetError(
            f"{path}: expected one row for every pair, found for\n  " + "\n  ".join(errors)
        )
    return [row for (row,) in matches]


def _file_name(path: str) -> str:
    return PurePath(path).name.lower()
