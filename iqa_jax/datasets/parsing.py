"""Score files of datasets: bytes, text, numbers and names, read with errors in words."""

import math
from collections.abc import Sequence

from etils import epath

from iqa_jax.errors import DatasetError, listed


def read_bytes(path: epath.Path) -> bytes:
    """The bytes of a file.

    Raises:
      DatasetError: If it cannot be read, or is empty.
    """
    data = _bytes(path)
    if not data:
        raise DatasetError(f"{path}: is empty")
    return data


def read_text(path: epath.Path) -> str:
    """The text of a file, which may be empty.

    Raises:
      DatasetError: If it cannot be read, or is not text in UTF-8.
    """
    try:
        return _bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: is not text in UTF-8 ({error}); save it as UTF-8") from error


def read_lines(path: epath.Path) -> list[str]:
    """The lines of a text file without white space around them, empty ones left out.

    Raises:
      DatasetError: If it is no text file, or has no such line.
    """
    text = read_text(path)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise DatasetError(f"{path}: {'has no rows' if text else 'is empty'}")
    return lines


def number_or_nan(text: str) -> float:
    """The number that ``text`` says; NaN where it says none, for an inspection to report."""
    try:
        return math.nan if "_" in text else float(text)  # to Python 1_5 is fifteen
    except ValueError:
        return math.nan


def plain_name(name: str, path: epath.Path) -> str:
    """``name``, which the score file ``path`` gives to an image, if it is that of a file alone.

    Raises:
      DatasetError: If it is empty or leads to another folder.
    """
    if not name.strip(".") or not name.isprintable() or set(name) & set("/\\"):
        raise DatasetError(f"{path}: expected the names of files without folders, found {name!r}")
    return name


def refuse_rows(path: epath.Path, expected: str, rows: Sequence[str]) -> None:
    """Raises if there are ``rows`` of a score file that could not be understood.

    Args:
      path: The file.
      expected: What a row looks like.
      rows: Those that do not.

    Raises:
      DatasetError: Listing the first of them.
    """
    if rows:
        what = f"rows of another form; expected {expected}, found"
        raise DatasetError(f"{path}: {listed(rows, what)}")


def _bytes(path: epath.Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from error
