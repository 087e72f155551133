"""Scores that another tool gave to the pairs of a table, to be analysed together with ours."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np
from etils import epath

from iqa_jax.datasets.csv_rows import read_rows
from iqa_jax.datasets.parsing import number_or_nan
from iqa_jax.datasets.records import PAIR_FIELDS
from iqa_jax.datasets.shard_tables import holds_shards
from iqa_jax.datasets.table import PairTable
from iqa_jax.errors import DatasetError, listed
from iqa_jax.text import counted

KEY = "distorted"
_NOT_SCORES = {*PAIR_FIELDS, "error"}


def read_joined_scores(path: epath.Path, table: PairTable) -> dict[str, np.ndarray]:
    """Reads a table with a row for each pair: a column ``distorted``, and columns of scores.

    A row belongs to the pair whose distorted image it names. Whole paths are compared first,
    regardless of case and kind of slash. A pair without a match takes the row with the same file
    name, provided that no other image of the table and no other row has this file name, and that
    one of the two paths is the end of the other. Columns of the table itself and ``error`` are
    ignored, so that our own ``scores.csv`` can be joined too; so are rows of other images.

    Args:
      path: A CSV file, or a folder that iqa score has filled.
      table: The dataset.

    Returns:
      Scores ``[pairs]`` by column, unchanged.

    Raises:
      DatasetError: If the file is not such a table, two columns have the same name, a pair has no
        row or several, or a score is not a finite number.
    """
    if not path.exists() or (path.is_dir() and not holds_shards(path)):
        raise DatasetError(f"scores_csv: there is no file {path}")
    names, rows = read_rows(path, required=(KEY,))
    wanted = [name for name in names if name not in _NOT_SCORES]
    if not wanted:
        raise DatasetError(
            f"{path}: expected at least one column of scores, found {','.join(names)}"
        )
    matched = _match(rows, table, path)
    columns = {name: np.array([number_or_nan(row[name]) for row in matched]) for name in wanted}
    problems = [
        f"{name} of {table.pairs[row].distorted}: {matched[row][name] or 'nothing'}"
        for name, values in columns.items()
        for row in np.flatnonzero(~np.isfinite(values)).tolist()
    ]
    if problems:
        raise DatasetError(f"{path}: {listed(problems, 'scores without a finite value')}")
    return columns


def _match(
    rows: Sequence[Mapping[str, str]], table: PairTable, path: epath.Path
) -> list[Mapping[str, str]]:
    """The row of each pair."""
    by_path, by_name = defaultdict(list), defaultdict(list)
    for row in rows:
        by_path[_path(row[KEY])].append(row)
        by_name[_path(row[KEY]).name].append(row)
    images = [_path(pair.distorted) for pair in table.pairs]
    namesakes = Counter(image.name for image in set(images))
    matches = []
    for image in images:
        found = by_path.get(image, [])
        if not found and namesakes[image.name] == 1:
            namesake = by_name.get(image.name, [])
            found = [row for row in namesake if len(namesake) > 1 or _agree(_path(row[KEY]), image)]
        matches.append(found)
    problems = [
        f"{pair.distorted}: {counted(len(found), 'rows')}"
        for pair, found in zip(table.pairs, matches, strict=True)
        if len(found) != 1
    ]
    if problems:
        raise DatasetError(
            f"{path}: expected one row for every pair, matched by the path of its distorted image; "
            f"found {listed(problems, 'exceptions among ' + counted(len(images), 'pairs'))}"
        )
    return [row for (row,) in matches]


def _path(text: str) -> PurePosixPath:
    return PurePosixPath(text.replace("\\", "/").lower())


def _agree(one: PurePosixPath, other: PurePosixPath) -> bool:
    """Whether one path is the end of the other."""
    parts = zip(reversed(one.parts), reversed(other.parts), strict=False)
    return all(a == b for a, b in parts)
