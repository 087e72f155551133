"""What the engine computes: it asks no more of a metric, or of the statistics of a network."""

from collections.abc import Sequence
from typing import Any, Protocol

import jax


class Step(Protocol):
    """Values of a reference and its distorted versions; a pytree, compiled for each image size."""

    @property
    def label(self) -> str:
        """A short name for progress, messages and folders."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """Names of the values, which are no part of what is compiled."""
        ...

    def prepare(self, image: jax.Array) -> Any:
        """What is kept of the reference ``[H, W, 3]`` while its versions are looked at."""
        ...

    def versions(self, reference: jax.Array, distorted: jax.Array) -> Sequence[jax.Array]:
        """The values ``[V, ...]``, in the order of their names.

        Args:
          reference: ``uint8`` ``[H, W, 3]``.
          distorted: ``uint8`` ``[V, H, W, 3]``.
        """
        ...
