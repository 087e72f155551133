"""Score files of datasets: reading bytes, text, numbers and names, with errors in plain words."""

import math
from collections.abc import Sequence

from etils import epath

from iqa_jax.errors import DatasetError, listed


def read_bytes(path: epath.Path) -> bytes:
    """The bytes of a file.

    Raises:
      DatasetError: If the file cannot be read or is empty.
    """
    data = _bytes(path)
    if not data:
        raise DatasetError(f"{path}: is empty")
    return data


def read_text(path: epath.Path) -> str:
    """The text of a file, which may be empty.

    Raises:
      DatasetError: If the file cannot be read or is not UTF-8 text.
    """
    return decode_text(_bytes(path), path)


def decode_text(data: bytes, path: epath.Path) -> str:
    """Text in UTF-8, as bytes or a part of the bytes of a file.

    Raises:
      DatasetError: If this is no UTF-8 text.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: is not text in UTF-8 ({error}); save it as UTF-8") from error


def read_lines(path: epath.Path) -> list[str]:
    """The lines of a text file, stripped of white space; empty lines are skipped.

    Raises:
      DatasetError: If the file is not a text file, or all its lines are empty.
    """
    text = read_text(path)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise DatasetError(f"{path}: {'has no rows' if text else 'is empty'}")
    return lines


def number_or_nan(text: str) -> float:
    """``text`` as a number; NaN if it is not one, for an inspection to report."""
    try:
        return math.nan if "_" in text else float(text)  # Python reads 1_5 as fifteen
    except ValueError:
        return math.nan


def plain_name(name: str, path: epath.Path) -> str:
    """Returns ``name``, as the score file ``path`` calls an image, if it is a mere file name.

    Raises:
      DatasetError: If the name is empty or leads to another folder.
    """
    if not name.strip(".") or not name.isprintable() or set(name) & set("/\\"):
        raise DatasetError(f"{path}: expected file names without folders, found {name!r}")
    return name


def refuse_rows(path: epath.Path, expected: str, rows: Sequence[str]) -> None:
    """Raises an error if some rows of a score file could not be understood.

    Args:
      path: The file.
      expected: Form of a row.
      rows: The rows that have another form.

    Raises:
      DatasetError: If there are such rows; the first of them are listed.
    """
    if rows:
        what = f"malformed rows; expected {expected}, found"
        raise DatasetError(f"{path}: {listed(rows, what)}")


def _bytes(path: epath.Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from error
