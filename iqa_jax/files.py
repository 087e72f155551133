"""Atomic writes: a file appears under its name complete or not at all, even after a crash.

All of this works in buckets too (``gs://``), where files are objects.
"""

import errno
import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from etils import epath

from iqa_jax import buckets

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


def absolute(path: epath.Path) -> epath.Path:
    """The path from the root of the file system; in a bucket, the path itself."""
    return path.resolve() if is_local(path) else path


@contextmanager
def appearing_whole(
    path: epath.Path, *, replacing: bool = True, last: str = ""
) -> Iterator[epath.Path]:
    """Yields a path to write to, which becomes ``path`` if the block succeeds.

    It is beside ``path``, and renamed; for a bucket, it is in a temporary folder, and uploaded. If
    several processes, on any machines, write the same path at once, the last one wins.

    Args:
      path: The file or folder to create.
      replacing: Whether to replace an existing file or folder. If false, an existing folder is
        kept, so the first of several writers wins; the others get an ``OSError``.
      last: Name of the file that marks a folder as complete: in a bucket, the other files are
        uploaded before it.
    """
    if not is_local(path):
        with tempfile.TemporaryDirectory() as folder:
            unfinished = epath.Path(folder) / path.name
            yield unfinished
            _upload(Path(unfinished), path, replacing=replacing, last=last)
        return
    unfinished = _beside(path, UNFINISHED)
    with _named_as(path, unfinished):
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
      path: Its final path, in the same folder of the file system.
      replacing: Whether to replace an existing one; see :func:`appearing_whole`.
    """
    _to_disk(unfinished)
    if not replacing:
        unfinished.rename(path)
    elif unfinished.is_dir():
        _rename_folder(unfinished, path)
    else:
        unfinished.replace(path)
    _folder_to_disk(path.parent)


def write_text(path: epath.Path, text: str) -> None:
    """Writes a text file atomically."""
    write_bytes(path, text.encode())


def write_bytes(path: epath.Path, data: bytes) -> None:
    """Writes a binary file atomically."""
    if not is_local(path):
        buckets.write(path, data)
        return
    with appearing_whole(path) as unfinished:
        unfinished.write_bytes(data)


def create_text(path: epath.Path, text: str) -> bool:
    """Writes a text file atomically unless it exists; only one of several writers succeeds.

    Returns:
      Whether this call wrote the file.
    """
    if not is_local(path):
        return buckets.create(path, text.encode())
    if path.exists():
        return False
    created = _beside(path, UNFINISHED)
    with _named_as(path, created):
        created.write_text(text)
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


def check_writable(path: epath.Path) -> None:
    """Makes sure that a file can be written later; its folder is created if necessary.

    Args:
      path: The file; whether a bucket can be written to is not checked.

    Raises:
      OSError: If the folder cannot be created or written to, or the path is a folder itself.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not is_local(path):
        return
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    trial = _beside(path, UNFINISHED)
    with _named_as(path, trial):
        trial.touch()
    remove(trial)


def names(folder: epath.Path) -> list[str]:
    """Names of the files and folders in a folder, as they are now; none if there is no folder."""
    if not is_local(folder):
        return buckets.names(folder)
    try:
        return [path.name for path in Path(folder).iterdir()]
    except FileNotFoundError:
        return []


def modified_in(folder: epath.Path, wanted: Callable[[str], bool]) -> dict[str, float]:
    """Times of the last modification of files in a folder, as they are now.

    Args:
      folder: The folder.
      wanted: Whether a name is of interest.

    Returns:
      Seconds since 1970 by the clock of the file system or the store, by name.
    """
    if not is_local(folder):
        found = buckets.modified_in(folder)
        return {name: time for name, time in found.items() if wanted(name)}
    times = {}
    for name in filter(wanted, names(folder)):
        with suppress(FileNotFoundError), (folder / name).open("rb") as file:
            times[name] = os.fstat(file.fileno()).st_mtime  # once open, NFS knows it afresh
    return times


def read_all(paths: Sequence[epath.Path]) -> list[bytes]:
    """The bytes of files in one file system or store; empty where there is no file."""
    if paths and not is_local(paths[0]):
        return buckets.read_all(paths)
    return [path.read_bytes() if path.exists() else b"" for path in paths]


def touch(path: epath.Path) -> None:
    """Makes now a file's time of modification; in a bucket, a small object is written again."""
    if is_local(path):
        os.utime(path)
    else:
        buckets.touch(path)


def remove(path: epath.Path) -> None:
    """Removes a file or folder if it exists."""
    if not is_local(path):
        buckets.remove(path)
    elif path.is_dir():
        path.rmtree(missing_ok=True)
    else:
        path.unlink(missing_ok=True)


def remove_leftovers(path: epath.Path, seconds: float) -> None:
    """Removes the unfinished files that killed runs left beside ``path``; a bucket has none.

    Args:
      path: The path given to :func:`appearing_whole`.
      seconds: Age from which an unfinished file is considered abandoned. A more recently modified
        one may belong to a live run and is kept.
    """
    if not is_local(path):
        return
    for ending in (UNFINISHED, _REPLACED):
        for leftover in path.parent.glob(f".{path.name}.*{ending}"):
            with suppress(OSError):  # another process removed it
                if time.time() - leftover.stat().mtime > seconds:
                    remove(leftover)


@contextmanager
def _named_as(path: epath.Path, unfinished: epath.Path) -> Iterator[None]:
    """Gives errors about an unfinished file or folder the name that the user knows."""
    try:
        yield
    except OSError as error:
        named, hidden = str(error.filename), os.fspath(unfinished)
        if named.startswith(hidden):
            error.filename = os.fspath(path) + named.removeprefix(hidden)
        raise


def _beside(path: epath.Path, ending: str) -> epath.Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}{ending}")


def _upload(source: Path, path: epath.Path, *, replacing: bool, last: str) -> None:
    """Uploads a file or a folder; what marks a folder as complete comes last."""
    if not source.is_dir():
        buckets.upload(source, path)
        return
    if replacing:
        if last:
            buckets.remove(path / last)
        buckets.remove(path)
    for file in sorted(source.rglob("*")):
        name = file.relative_to(source).as_posix()
        if file.is_file() and name != last:
            buckets.upload(file, path / name)
    if last and not buckets.create(path / last, (source / last).read_bytes()):
        raise FileExistsError(f"{path}: another process has just written it")


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
