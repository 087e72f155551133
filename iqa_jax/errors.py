"""Errors caused by user input. Any other exception is a bug in iqa_jax."""

import os
import tempfile
from collections.abc import Sequence

from iqa_jax.text import counted

_MOST_LISTED = 20


class InputError(ValueError):
    """Invalid input. The message says what was expected, what was found and what to do."""


class ImageError(InputError):
    """An image that cannot be scored."""


class MissingImageError(ImageError):
    """An image that does not exist."""


class DatasetError(InputError):
    """A dataset that cannot be used as it is."""


class CheckpointError(InputError):
    """Weights that are missing, damaged, refused or for a different network."""


def listed(lines: Sequence[str], what: str) -> str:
    """Formats a list for an error message: a count, then one line per item.

    Only the first twenty are shown. If there are more, the last line names a file in the system's
    temporary folder with the complete list.

    Args:
      lines: The items, at least one.
      what: Plural noun for the items.
    """
    shown = [f"{counted(len(lines), what)}:", *lines[:_MOST_LISTED]]
    if len(lines) > _MOST_LISTED:
        shown.append(f"and {len(lines) - _MOST_LISTED} more{_kept(lines)}")
    return "\n  ".join(shown)


def _kept(lines: Sequence[str]) -> str:
    """Writes all lines to a temporary file and names it; empty if the file cannot be written."""
    try:
        handle, name = tempfile.mkstemp(prefix="iqa_jax_", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(f"{line}\n" for line in lines)
    except OSError:
        return ""
    return f"; all are in {name}"
