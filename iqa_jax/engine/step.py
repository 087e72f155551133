"""Interface between the engine and what it computes: metrics, or statistics of a network."""

from collections.abc import Sequence
from typing import Any, Protocol

import jax


class Step(Protocol):
    """Function of a reference and its distorted versions; a pytree, compiled per image size."""

    @property
    def label(self) -> str:
        """Short name for progress, messages and folders."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """Names of the values; they do not belong to the compiled program."""
        ...

    def prepare(self, image: jax.Array) -> Any:
        """Prepared reference ``[H, W, 3]``, kept while its versions are processed."""
        ...

    def versions(self, reference: jax.Array, distorted: jax.Array) -> Sequence[jax.Array]:
        """Values ``[V, ...]``, in the order of their names.

        Args:
          reference: ``uint8`` ``[H, W, 3]``.
          distorted: ``uint8`` ``[V, H, W, 3]``.
        """
        ...
