"""Objects in buckets: written whole, created only if absent, dated by the store's own clock.

A bucket has neither folders nor renames, and an object appears as a whole when its upload ends. The
client is the one that ``etils.epath`` uses, without its cache of listings, which would hide what
other machines have written.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etils import epath
from etils.epath.backend import fsspec_backend

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_CHECKED = "md5"
"""The client compares the checksum of what has arrived in the store."""


def read(path: epath.Path) -> bytes:
    """The bytes of an object, in one request.

    Args:
      path: The object.

    Raises:
      OSError: If there is no such object, or the store refuses or cannot be reached.
    """
    with _store(path) as store:
        data = store.cat_file(str(path))
        assert isinstance(data, bytes)
        return data


def read_all(paths: Sequence[epath.Path]) -> list[bytes]:
    """The bytes of objects, in one request each and many at once; empty where there is no object.

    Args:
      paths: The objects, all in one store.

    Raises:
      OSError: If the store refuses or cannot be reached.
    """
    if not paths:
        return []
    with _store(paths[0]) as store:
        found = store.cat([str(path) for path in paths], on_error="return")
        assert isinstance(found, dict)
        texts = [found[str(path).partition("://")[2]] for path in paths]
        for text in texts:
            if isinstance(text, Exception) and not isinstance(text, FileNotFoundError):
                raise text
        return [text if isinstance(text, bytes) else b"" for text in texts]


def write(path: epath.Path, data: bytes) -> None:
    """Writes an object, unless it has these bytes already: stores limit how often one is written.

    Args:
      path: The object.
      data: Its bytes.

    Raises:
      OSError: If the store refuses or cannot be reached.
    """
    with _store(path) as store:
        if _checksum(store, path) != _encoded(hashlib.md5(data)):
            store.pipe_file(str(path), data, consistency=_CHECKED)


def create(path: epath.Path, data: bytes) -> bool:
    """Writes an object unless it exists; only one of several writers succeeds.

    Args:
      path: The object.
      data: Its bytes.

    Returns:
      Whether this call wrote it.

    Raises:
      OSError: If the store refuses or cannot be reached.
    """
    with _store(path) as store:
        try:
            store.pipe_file(str(path), data, mode="create", consistency=_CHECKED)
        except FileExistsError:
            return False
    return True


def upload(source: Path, path: epath.Path) -> None:
    """Uploads a file as an object, unless it has these bytes already.

    Args:
      source: The file.
      path: The object.

    Raises:
      OSError: If the store refuses or cannot be reached.
    """
    with _store(path) as store:
        with source.open("rb") as file:
            checksum = _encoded(hashlib.file_digest(file, "md5"))
        if _checksum(store, path) != checksum:
            store.put_file(str(source), str(path), consistency=_CHECKED)


def remove(path: epath.Path) -> None:
    """Removes an object, or all objects in a folder; there may be none.

    Args:
      path: The object or folder.

    Raises:
      OSError: If the store refuses or cannot be reached.
    """
    with _store(path) as store:
        for name in store.find(str(path)):
            try:
                store.rm_file(name)
            except FileNotFoundError:  # another process removed it
                continue


def names(folder: epath.Path) -> list[str]:
    """Names of the objects and folders in a folder, as the store lists them now.

    Args:
      folder: The folder; it may be empty.

    Raises:
      OSError: If the store refuses or cannot be reached.
    """
    with _store(folder) as store:
        try:
            return [name.rstrip("/").rpartition("/")[2] for name in store.ls(str(folder), False)]
        except FileNotFoundError:
            return []


def modified_in(folder: epath.Path) -> dict[str, float]:
    """Times at which the objects in a folder were last written, by name, from one listing.

    Args:
      folder: The folder; it may be empty.

    Returns:
      Seconds since 1970, by the clock of the store.

    Raises:
      OSError: If the store refuses or cannot be reached.
    """
    with _store(folder) as store:
        try:
            found = store.ls(str(folder), True)
        except FileNotFoundError:
            return {}
        objects = (each for each in found if each["type"] == "file")
        return {each["name"].rpartition("/")[2]: each["mtime"].timestamp() for each in objects}


def touch(path: epath.Path) -> None:
    """Writes an object again as it is, so that its time of modification is now.

    Args:
      path: The object, a small one.

    Raises:
      OSError: If there is no such object, or the store refuses or cannot be reached.
    """
    with _store(path) as store:
        store.pipe_file(str(path), store.cat_file(str(path)), consistency=_CHECKED)


def is_client_error(error: BaseException) -> bool:
    """Whether the client of a store raised this error, which it does beside those of the system.

    Args:
      error: Any error.
    """
    return type(error).__module__.partition(".")[0] in {"aiohttp", "gcsfs", "google"}


@contextmanager
def _store(path: epath.Path) -> Iterator["AbstractFileSystem"]:
    """The client for a path; any error in the block is an ``OSError``."""
    try:
        store = fsspec_backend.fs(path)
        if store.dircache.use_listings_cache:
            store.dircache.use_listings_cache = False
            store.invalidate_cache()
        yield store
    except (OSError, ImportError):
        raise
    except Exception as error:  # the clients of stores have their own classes
        raise OSError(f"{path}: {error or type(error).__name__}") from error


def _checksum(store: "AbstractFileSystem", path: epath.Path) -> str | None:
    """MD5 of an object, as the store states it; None if there is no object."""
    try:
        return store.info(str(path)).get("md5Hash")
    except FileNotFoundError:
        return None


def _encoded(md5: Any) -> str:
    return base64.b64encode(md5.digest()).decode()
