"""``csv``: your own pairs, listed in a CSV file.

Columns ``reference,distorted,score`` and optionally ``score_std,distortion,level,reference_id``;
image paths are relative to the file.
"""

from collections.abc import Sequence

from etils import epath

from iqa_jax.datasets.csv_rows import parse_rows
from iqa_jax.datasets.parsing import number_or_nan, read_text
from iqa_jax.datasets.records import PAIR_FIELDS
from iqa_jax.datasets.table import Pair, PairTable
from iqa_jax.errors import DatasetError
from iqa_jax.images.sources import ImageFolder

REQUIRED = ("reference", "distorted", "score")


def load(path: epath.Path, *, required: Sequence[str] = REQUIRED) -> PairTable:
    """Reads the table in the file ``path``; higher scores are taken to mean better images.

    A score that is not a number becomes NaN, to be reported with its row by ``inspect``.

    Args:
      path: The file.
      required: Columns that must be present.

    Raises:
      DatasetError: If the file does not exist or is not a text table, two columns have the same
        name, a cell belongs to no column, or a required column is missing.
    """
    check_file(path, required=required)
    return parse_table(read_text(path), path, required=required)


def check_file(path: epath.Path, *, required: Sequence[str] = REQUIRED) -> None:
    """Checks that there is a file.

    Raises:
      DatasetError: If there is none.
    """
    if not path.exists() or path.is_dir():
        found = "a folder" if path.exists() else "no file"
        raise DatasetError(f"found {found} at {path}; expected a file with {_columns(required)}")


def parse_table(text: str, path: epath.Path, *, required: Sequence[str] = REQUIRED) -> PairTable:
    """The table in a text, as :func:`load` returns it.

    Args:
      text: The table, or its first row and some others.
      path: The file that it comes from.
      required: Columns that must be present.

    Raises:
      DatasetError: If the text is not such a table.
    """
    _, rows = parse_rows(text, path, required=required)
    return PairTable(
        name=path.stem,
        pairs=[_pair(row) for row in rows],
        images=ImageFolder(path.parent),
        higher_is_better=True,
        target="score",
    )


def _pair(row: dict[str, str]) -> Pair:
    return Pair(
        reference=row["reference"],
        distorted=row["distorted"],
        score=number_or_nan(row.get("score", "")),
        score_std=number_or_nan(row.get("score_std", "")),
        distortion=row.get("distortion", ""),
        level=row.get("level", ""),
        reference_id=row.get("reference_id", "") or row["reference"],
    )


def _columns(required: Sequence[str]) -> str:
    optional = [name for name in PAIR_FIELDS if name not in required]
    return f"the columns {','.join(required)} (and, if known, {','.join(optional)})"
