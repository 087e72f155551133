"""Finding files whatever the case of their names: copies of a dataset differ in it."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from etils import epath

from iqa_jax.errors import DatasetError

_MOST_LISTED = 10

_MOST_WAYS = 1000
"""By which one folder may be reached through links; some thousand links make billions."""


class FolderIndex:
    """The entries of one folder by name, upper and lower case taken as equal.

    Args:
      folder: Listed once; none of its entries is looked at.
      prefix: What its images' names begin with in the dataset.

    Raises:
      DatasetError: If there is no such folder, or it cannot be listed.
    """

    def __init__(self, folder: epath.Path, *, prefix: str = ""):
        self._folder = folder
        self._prefix = prefix
        self._names = defaultdict(list)
        for entry in _entries(folder):
            self._names[entry.lower()].append(entry)

    @property
    def entries(self) -> Sequence[str]:
        """The names of all entries, sorted."""
        return sorted(entry for entries in self._names.values() for entry in entries)

    def find(self, *names: str) -> str | None:
        """The entry that has one of ``names``; None if there is none.

        Raises:
          DatasetError: If several entries could be meant: they differ from a name in case only, or
            more than one of ``names`` is there.
        """
        found = [entry for entry in map(self._find, names) if entry is not None]
        if len(found) > 1:
            raise DatasetError(
                f"{self._folder}: has {' and '.join(found)}, of which only one is expected; "
                "keep the one that is meant"
            )
        return found[0] if found else None

    def require(self, *names: str) -> epath.Path:
        """As :meth:`find`, whole, and it has to be there.

        Raises:
          DatasetError: Also if it is not there; the message says what is instead.
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
        """The index of the folder in this one that has one of ``names``.

        Raises:
          DatasetError: As :meth:`require`, or if that is not a folder.
        """
        folder = self.require(*names)
        return FolderIndex(folder, prefix=f"{self._prefix}{folder.name}/")

    def image(self, name: str) -> str:
        """What the dataset calls the image ``name`` of this folder; as given if it is not there.

        Raises:
          DatasetError: If several entries differ from ``name`` in case only.
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
    """What the dataset calls the image ``name`` that may be in any of ``folders``.

    If it is in none, its name in the first.

    Raises:
      DatasetError: If it is in several.
    """
    holding = [folder.image(name) for folder in folders if folder.find(name)]
    if len(holding) > 1:
        raise DatasetError(f"{name} could be any of {', '.join(holding)}; keep one")
    return holding[0] if holding else folders[0].image(name)


def files_below(folder: epath.Path) -> Iterator[epath.Path]:
    """All files in a folder and those in it, through links too, in no order.

    A folder that links lead back to from within it is not entered again: nothing new is there.

    Raises:
      DatasetError: If a folder cannot be listed, or is reached by too many ways.
    """
    ways: Counter[str] = Counter()
    ahead: list[tuple[epath.Path, tuple[str, ...]]] = [(folder, ())]
    while ahead:
        folder, above = ahead.pop()
        real = os.path.realpath(folder)
        if real in above:
            continue
        ways[real] += 1
        if ways[real] > _MOST_WAYS:
            raise DatasetError(
                f"{folder}: links lead to it by more than {_MOST_WAYS} ways; remove some of them"
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
