"""Case-insensitive search for files: copies of a dataset differ in the case of their names."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from etils import epath

from iqa_jax.errors import DatasetError
from iqa_jax.files import is_local

_MOST_LISTED = 10

_MOST_WAYS = 1000
"""Limit on the paths by which links may lead to one folder; a few thousand links can make
billions."""


class FolderIndex:
    """Entries of one folder, found by name regardless of case.

    Args:
      folder: The folder. It is listed once; none of its entries is opened.
      prefix: Prefix of the names that the dataset gives to images in this folder.

    Raises:
      DatasetError: If the folder does not exist or cannot be listed.
    """

    def __init__(self, folder: epath.Path, *, prefix: str = ""):
        self._folder = folder
        self._prefix = prefix
        self._names = defaultdict(list)
        for entry in _entries(folder):
            self._names[entry.lower()].append(entry)

    @property
    def entries(self) -> Sequence[str]:
        """Names of all entries, sorted."""
        return sorted(entry for entries in self._names.values() for entry in entries)

    def find(self, *names: str) -> str | None:
        """The entry with one of ``names``; None if there is none.

        Raises:
          DatasetError: If several entries match: they differ from a name only in case, or more than
            one of ``names`` is present.
        """
        found = [entry for entry in map(self._find, names) if entry is not None]
        if len(found) > 1:
            raise DatasetError(
                f"{self._folder}: has {' and '.join(found)}, but only one of them is expected; "
                "keep the right one"
            )
        return found[0] if found else None

    def require(self, *names: str) -> epath.Path:
        """Path of the entry with one of ``names``, which must exist.

        Raises:
          DatasetError: If there is no such entry (the message lists those found), or several match.
        """
        entry = self.find(*names)
        if entry is None:
            seen = ", ".join(self.entries[:_MOST_LISTED])
            seen += ", ..." if len(self.entries) > _MOST_LISTED else ""
            raise DatasetError(
                f"{self._folder}: expected {' or '.join(names)} in it, found {seen or 'nothing'}"
            )
        return self._folder / entry

    def enter(self, *names: str) -> "FolderIndex":
        """Index of the subfolder with one of ``names``.

        Raises:
          DatasetError: If there is no such entry, several match, or it is not a folder.
        """
        folder = self.require(*names)
        return FolderIndex(folder, prefix=f"{self._prefix}{folder.name}/")

    def image(self, name: str) -> str:
        """The dataset's name for this folder's image ``name``; spelt as given if it is missing.

        Raises:
          DatasetError: If several entries differ from ``name`` only in case.
        """
        return f"{self._prefix}{self.find(name) or name}"

    def _find(self, name: str) -> str | None:
        entries = self._names.get(name.lower(), [])
        if name in entries:
            return name
        if len(entries) > 1:
            raise DatasetError(f"{self._folder}: {name} could be any of {', '.join(entries)}")
        return entries[0] if entries else None


def image_in(folders: Sequence[FolderIndex], name: str) -> str:
    """The dataset's name for the image ``name``, which may be in any of ``folders``.

    If it is in none of them, the name it would have in the first.

    Raises:
      DatasetError: If it is in several of them.
    """
    holding = [folder.image(name) for folder in folders if folder.find(name)]
    if len(holding) > 1:
        raise DatasetError(f"{name} could be any of {', '.join(holding)}; keep one")
    return holding[0] if holding else folders[0].image(name)


def files_below(folder: epath.Path) -> Iterator[epath.Path]:
    """All files in a folder and its subfolders, through links too, in no particular order.

    Links back to a folder that contains them are not followed.

    Raises:
      DatasetError: If a folder cannot be listed, or can be reached by too many paths.
    """
    ways: Counter[str] = Counter()
    ahead: list[tuple[epath.Path, tuple[str, ...]]] = [(folder, ())]
    while ahead:
        folder, above = ahead.pop()
        real = os.path.realpath(folder) if is_local(folder) else os.fspath(folder)
        if real in above:
            continue
        ways[real] += 1
        if ways[real] > _MOST_WAYS:
            raise DatasetError(
                f"{folder}: links lead to it by more than {_MOST_WAYS} paths; remove some of them"
            )
        for path in map(folder.__truediv__, _entries(folder)):
            if path.is_dir():
                ahead.append((path, (*above, real)))
            else:
                yield path


def _entries(folder: epath.Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except FileNotFoundError as error:
        raise DatasetError(f"there is no folder {folder}") from error
    except NotADirectoryError as error:
        raise DatasetError(f"{folder}: expected a folder, found a file") from error
    except OSError as error:
        raise DatasetError(f"{folder}: cannot be listed ({error.strerror or error})") from error
