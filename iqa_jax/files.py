"""Writing files so that they appear under their names whole or not at all, also after a crash."""

import errno
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from etils import epath

UNFINISHED = ".unfinished"
"""How the name of a file ends that is being written, or was when a run was killed."""

_REPLACED = ".replaced"


def user_cache() -> Path:
    """The folder of this package among the user's caches; it need not be there.

    It is ``iqa_jax`` below ``XDG_CACHE_HOME``, else below ``.cache`` in the home folder.

    Raises:
      RuntimeError: If the user has no home folder.
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "iqa_jax"


def is_local(path: epath.Path) -> bool:
    """Whether the operating system can open ``path``."""
    return "://" not in os.fspath(path)


@contextmanager
def appearing_whole(path: epath.Path, *, replacing: bool = True) -> Iterator[epath.Path]:
    """Gives a path beside ``path`` to write to; it is renamed to ``path`` if nothing is raised.

    Of several that are written at once, by any process on any machine, the last one stays.

    Args:
      path: The file or folder to be made.
      replacing: Whether it takes the place of what is there; else a folder that is there stays,
        of several the first one, and an ``OSError`` is raised.
    """
    unfinished = _beside(path, UNFINISHED)
    try:
        yield unfinished
        put(unfinished, path, replacing=replacing)
    except BaseException:
        remove(unfinished)
        raise


def put(unfinished: epath.Path, path: epath.Path, *, replacing: bool = True) -> None:
    """Renames a file or folder that is whole, once it is on the disk, to what lies beside it.

    Args:
      unfinished: What is whole.
      path: What it is to be called.
      replacing: As for :func:`appearing_whole`.
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
    """Writes a text file whole."""
    with appearing_whole(path) as unfinished:
        unfinished.write_text(text)


def write_bytes(path: epath.Path, data: bytes) -> None:
    """Writes a binary file whole."""
    with appearing_whole(path) as unfinished:
        unfinished.write_bytes(data)


def create_text(path: epath.Path, text: str) -> bool:
    """Writes a text file whole unless it is there: of several who try at once, one does.

    Returns:
      Whether it was written.
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
    except OSError:  # the file system has no links
        created.replace(path)
    finally:
        created.unlink(missing_ok=True)
    return True


def remove(path: epath.Path) -> None:
    """Removes a file or a folder, if it is there."""
    if path.is_dir():
        path.rmtree(missing_ok=True)
    else:
        path.unlink(missing_ok=True)


def remove_leftovers(path: epath.Path, seconds: float) -> None:
    """Removes what killed runs left of ``path`` unless it may be that of a live one.

    Args:
      path: What :func:`appearing_whole` was called with.
      seconds: What has not changed for that long is nobody's any more.
    """
    for ending in (UNFINISHED, _REPLACED):
        for leftover in path.parent.glob(f".{path.name}.*{ending}"):
            with suppress(OSError):  # somebody else removed it
                if time.time() - leftover.stat().mtime > seconds:
                    remove(leftover)


def _beside(path: epath.Path, ending: str) -> epath.Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}{ending}")


def _rename_folder(unfinished: epath.Path, path: epath.Path) -> None:
    """Renames a folder to ``path``, again if another process puts one there in between."""
    is_done = False
    while not is_done:
        replaced = _beside(path, _REPLACED)
        with suppress(FileNotFoundError):  # somebody else moved it aside
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
    """Waits until a file, or a folder with all that is in it, is on the disk."""
    if path.is_dir():
        for entry in path.iterdir():
            _to_disk(entry)
        _folder_to_disk(path)
    else:
        with path.open("ab") as file:
            os.fsync(file.fileno())


def _folder_to_disk(path: epath.Path) -> None:
    with suppress(OSError):  # not every platform can
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
