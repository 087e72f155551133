"""Finding files whatever the case of their names: copies of a dataset differ in it."""

from collections import defaultdict

from etils import epath

from iqa_jax.errors import DatasetError


class FolderIndex:
    """The entries of one folder by name, upper and lower case taken as equal.

    Args:
      folder: Listed once.

    Raises:
      DatasetError: If there is no such folder.
    """

    def __init__(self, folder: epath.Path):
        if not folder.is_dir():
            raise DatasetError(f"there is no folder {folder}")
        self._folder = folder
        self._names = defaultdict(list)
        for entry in sorted(path.name for path in folder.iterdir()):
            self._names[entry.lower()].append(entry)

    def find(self, name: str) -> str | None:
        """The entry called ``name``; None if there is none.

        Raises:
          DatasetError: If several entries differ from ``name`` in case only.
        """
        entries = self._names.get(name.lower(), [])
        if name in entries:
            return name
        if len(entries) > 1:
            raise DatasetError(f"{self._folder}: {name} could be any of {', '.join(entries)}")
        return entries[0] if entries else None

    def require(self, name: str) -> epath.Path:
        """As :meth:`find`, whole, and it has to be there.

        Raises:
          DatasetError: If it is not; the message says what is there instead.
        """
        entry = self.find(name)
        if entry is None:
            entries = sorted(entry for entries in self._names.values() for entry in entries)
            seen = ", ".join(entries[:10]) + (", ..." if len(entries) > 10 else "")
            raise DatasetError(f"{self._folder}: expected {name} in it, found {seen or 'nothing'}")
        return self._folder / entry
