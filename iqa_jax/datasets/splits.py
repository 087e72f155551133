"""Training and test data that share nothing: folds by content.

Versions of one reference resemble each other, and so do their scores: a split by pairs would test
what was learned by heart. All pairs of a reference therefore belong to one fold.
"""

import hashlib
from collections.abc import Iterable, Mapping

from etils import epath

from iqa_jax.errors import DatasetError
from iqa_jax.files import write_text
from iqa_jax.text import counted, csv_text

COLUMNS = ("reference_id", "fold")


def content_folds(contents: Iterable[str], folds: int, seed: int) -> dict[str, int]:
    """Divides contents into folds of equal size, give or take one.

    The folds depend only on the names, the number of folds and the seed: not on the order or
    repetition of the names, the machine, or the version of any library.

    Args:
      contents: ``reference_id`` of the pairs.
      folds: Number of folds, at least 2.
      seed: Seed; different seeds give different folds.

    Returns:
      The fold of each ``reference_id``, from 0 to ``folds`` - 1.

    Raises:
      DatasetError: If there are fewer contents than folds, or fewer than 2 folds.
    """
    different = set(contents)
    if not 2 <= folds <= len(different):
        raise DatasetError(
            "expected at least 2 folds and at least as many references as folds, found "
            f"{folds} folds and {counted(len(different), 'references')}"
        )

    def drawn(content: str) -> tuple[bytes, str]:
        return hashlib.sha256(f"{seed}\t{content}".encode()).digest(), content

    return {
        content: position % folds for position, content in enumerate(sorted(different, key=drawn))
    }


def write_folds(path: epath.Path, folds: Mapping[str, int]) -> None:
    """Writes folds as CSV with the columns ``reference_id,fold``, sorted by reference.

    Args:
      path: The file.
      folds: Result of :func:`content_folds`.
    """
    write_text(path, csv_text(COLUMNS, sorted(folds.items())))
