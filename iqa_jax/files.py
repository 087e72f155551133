"""Writing files so that they appear under their names whole or not at all."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from etils import epath

UNFINISHED = ".unfinished"
"""How the name of a file ends that is being written, or was when a run was killed."""


@contextmanager
def appearing_whole(path: epath.Path) -> Iterator[epath.Path]:
    """Gives a path beside ``path`` to write to; it is renamed to ``path`` if nothing is raised."""
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}{UNFINISHED}")
    try:
        yield unfinished
        unfinished.replace(path)
    except BaseException:
        if unfinished.is_dir():
            unfinished.rmtree()
        else:
            unfinished.unlink(missing_ok=True)
        raise


def write_text(path: epath.Path, text: str) -> None:
    """Writes a text file whole."""
    with appearing_whole(path) as unfinished:
        unfinished.write_text(text)


def create_text(path: epath.Path, text: str) -> bool:
    """Writes a text file whole unless it is there: of several who try at once, one does.

    Returns:
      Whether it was written.
    """
    if path.exists():
        return False
    created = path.with_name(f".{path.name}.{uuid.uuid4().hex}{UNFINISHED}")
    created.write_text(text)
    try:
        os.link(created, path)
    except FileExistsError:
        return False
    except OSError:  # the file system has no links
        created.replace(path)
    finally:
        created.unlink(missing_ok=True)
    return True
