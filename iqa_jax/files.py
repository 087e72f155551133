"""Writing files so that they appear under their names whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from etils import epath


@contextmanager
def appearing_whole(path: epath.Path) -> Iterator[epath.Path]:
    """Gives a path beside ``path`` to write to; it is renamed to ``path`` if nothing is raised."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
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
