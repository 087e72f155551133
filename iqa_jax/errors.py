"""What users are told; everything else that is raised is a fault of ours."""

import os
import tempfile
from collections.abc import Sequence

from iqa_jax.text import counted

_MOST_LISTED = 20


class InputError(ValueError):
    """Something given cannot be used: the message says what was expected, found, and what to do."""


class ImageError(InputError):
    """An image cannot be scored."""


class MissingImageError(ImageError):
    """There is no such image."""


class DatasetError(InputError):
    """A dataset cannot be used as it is."""


class CheckpointError(InputError):
    """Weights are missing, damaged, refused or of another network."""


def listed(lines: Sequence[str], what: str) -> str:
    """The number of lines and the first of them below each other, for a message.

    Where there are more than twenty, all are written to a file in the system's folder for temporary
    files, whose name stands in the last line.

    Args:
      lines: At least one.
      what: What they are, in the plural.
    """
    shown = [f"{counted(len(lines), what)}:", *lines[:_MOST_LISTED]]
    if len(lines) > _MOST_LISTED:
        shown.append(f"and {len(lines) - _MOST_LISTED} more{_kept(lines)}")
    return "\n  ".join(shown)


def _kept(lines: Sequence[str]) -> str:
    """Where all lines were written; nothing if they cannot be."""
    try:
        handle, name = tempfile.mkstemp(prefix="iqa_jax_", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.writelines(f"{line}\n" for line in lines)
    except OSError:
        return ""
    return f"; all are in {name}"
