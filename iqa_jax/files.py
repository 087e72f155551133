"""Atomic writes: a file appears under its name complete or not at all, even after a crash."""

import errno
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from etils import epath

UNFINISHED = ".unfinished"
"""Suffix of a file that is still being written, or was when its run was killed."""

_REPLACED = ".replaced"


def user_cache() -> Path:
    """This package's folder in the user's cache; it need not exist.

    It is ``iqa_jax`` in ``XDG_CACHE_HOME`` if that is set, otherwise in ``~/.cache``.

    Raises:
      RuntimeError: If the user has no home folder.
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "iqa_jax"


def is_local(path: epath.Path) -> bool:
    """Whether the operating system can open ``path``."""
    return "://" not in os.fspath(path)


@contextmanager
def appearing_whole(path: epath.Path, *, replacing: bool = True) -> Iterator[epath.Path]:
    """Yields a path beside ``path`` to write to, renamed to ``path`` if the block succeeds.

    If several processes, on any machines, write the same path at once, the last one wins.

    Args:
      path: The file or folder to create.
      replacing: Whether to replace an existing file or folder. If false, an existing folder is
        kept, so the first of several writers wins; the others get an ``OSError``.
    """
    unfinished = _beside(path, UNFINISHED)
    try:
        yield unfinished
        put(unfinished, path, replacing=replacing)
    except BaseException:
        remove(unfinished)
        raise


def put(unfinished: epath.Path, path: epath.Path, *, replacing: bool = True) -> None:
    """Flushes a complete file or folder to disk and renames it.

    Args:
      unfinished: The complete file or folder.
      path: Its final path, in the same folder.
      replacing: Whether to replace an existing one; see :func:`appearing_whole`.
    """
    if is_local(path):
        _to_disk(unfinished)
    if not replacing:
        unfinished.rename(path)
    elif unfinished.is_dir():
        _rename_folder(unfinished, path)
    else:
        unfinished.replace(path)
    if is_local(path):
        _folder_to_disk(path.parent)


def write_text(path: epath.Path, text: str) -> None:
    """Writes a text file atomically."""
    with appearing_whole(path) as unfinished:
        unfinished.write_text(text)


def write_bytes(path: epath.Path, data: bytes) -> None:
    """Writes a binary file atomically."""
    with appearing_whole(path) as unfinished:
        unfinished.write_bytes(data)


def create_text(path: epath.Path, text: str) -> bool:
    """Writes a text file atomically unless it exists; only one of several writers succeeds.

    Returns:
      Whether this call wrote the file.
    """
    if path.exists():
        return False
    created = _beside(path, UNFINISHED)
    created.write_text(text)
    if is_local(path):
        _to_disk(created)
    try:
        os.link(created, path)
    except FileExistsError:
        return False
    except OSError:  # the file system has no hard links
        created.replace(path)
    finally:
        created.unlink(missing_ok=True)
    return True


def remove(path: epath.Path) -> None:
    """Removes a file or folder if it exists."""
    if path.is_dir():
        path.rmtree(missing_ok=True)
    else:
        path.unlink(missing_ok=True)


def remove_leftovers(path: epath.Path, seconds: float) -> None:
    """Removes the unfinished files that killed runs left beside ``path``.

    Args:
      path: The path given to :func:`appearing_whole`.
      seconds: Age from which an unfinished file is considered abandoned. A more recently modified
        one may belong to a live run and is kept.
    """
    for ending in (UNFINISHED, _REPLACED):
        for leftover in path.parent.glob(f".{path.name}.*{ending}"):
            with suppress(OSError):  # another process removed it
                if time.time() - leftover.stat().mtime > seconds:
                    remove(leftover)


def _beside(path: epath.Path, ending: str) -> epath.Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}{ending}")


def _rename_folder(unfinished: epath.Path, path: epath.Path) -> None:
    """Renames a folder to ``path``, retrying if another process creates one there meanwhile."""
    is_done = False
    while not is_done:
        replaced = _beside(path, _REPLACED)
        with suppress(FileNotFoundError):  # another process moved it aside
            if path.exists():
                path.rename(replaced)
        try:
            unfinished.rename(path)
            is_done = True
        except OSError as error:
            if not isinstance(error, FileExistsError) and error.errno != errno.ENOTEMPTY:
                with suppress(OSError):
                    replaced.rename(path)
                raise
        remove(replaced)


def _to_disk(path: epath.Path) -> None:
    """Flushes a file, or a folder and everything in it, to disk."""
    if path.is_dir():
        for entry in path.iterdir():
            _to_disk(entry)
        _folder_to_disk(path)
    else:
        with path.open("ab") as file:
            os.fsync(file.fileno())


def _folder_to_disk(path: epath.Path) -> None:
    with suppress(OSError):  # not every platform can flush a folder
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
