"""What the engine computes: it asks no more of a metric, or of the statistics of a network."""

from collections.abc import Mapping
from typing import Any, Protocol

import jax


class Step(Protocol):
    """Values of a reference and its distorted versions; a pytree, compiled for each image size."""

    @property
    def label(self) -> str:
        """A short name for progress, messages and folders."""
        ...

    def prepare(self, image: jax.Array) -> Any:
        """What is kept of the reference ``[H, W, 3]`` while its versions are looked at."""
        ...

    def versions(self, reference: jax.Array, distorted: jax.Array) -> Mapping[str, jax.Array]:
        """The values ``[V, ...]`` by name.

        Args:
          reference: ``uint8`` ``[H, W, 3]``.
          distorted: ``uint8`` ``[V, H, W, 3]``.
        """
        ...
