"""Comparing images in two steps: what is needed of each, then the two.

A reference is prepared once for all its versions; what was prepared of a version is gone before the
next version is looked at.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Any, Self

import jax

from iqa_jax.errors import InputError

Scores = dict[str, jax.Array]


class PairComparison(ABC):
    """Scores that are computed together, as they share what they need of an image.

    Implementations are pytrees, to be arguments of ``jit``.
    """

    @property
    @abstractmethod
    def label(self) -> str:
        """A short name for progress and folders."""

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """The scores that are computed."""

    @property
    @abstractmethod
    def signature(self) -> dict[str, Any]:
        """What the scores depend on besides the images, as JSON."""

    @property
    @abstractmethod
    def mapped(self) -> list[str]:
        """Those of the scores that have maps."""

    @abstractmethod
    def refusals(self, height: int, width: int) -> dict[str, str]:
        """Which scores images of this size cannot have, and why: ``{name: reason}``."""

    @abstractmethod
    def only(self, names: Collection[str]) -> Self:
        """The same with some of the scores."""

    def check_size(self, height: int, width: int) -> None:
        """Refuses images that cannot have all the scores (:class:`InputError`)."""
        for reason in self.refusals(height, width).values():
            raise InputError(reason)

    @abstractmethod
    def prepare(self, image: jax.Array) -> Any:
        """What is needed of one image ``[H, W, 3]``, ``uint8`` or float32 in [0, 1]."""

    @abstractmethod
    def compare(self, reference: Any, distorted: Any) -> Scores:
        """The scores of two images as they were prepared: ``{name: scalar}``."""

    def compare_maps(self, reference: Any, distorted: Any) -> Scores:
        """Local scores of two images as they were prepared: ``{name: [height, width]}``.

        Scores that have no map are missing.
        """
        del reference, distorted
        return {}

    def versions(self, reference: jax.Array, distorted: jax.Array) -> Scores:
        """Compares a reference with its versions.

        Args:
          reference: ``[H, W, 3]``, ``uint8`` or float32 in [0, 1].
          distorted: ``[V, H, W, 3]``, likewise.

        Returns:
          ``{name: [V]}``.
        """
        prepared = self.prepare(reference)
        return jax.lax.map(lambda version: self.compare(prepared, self.prepare(version)), distorted)

    def pairs(self, reference: jax.Array, distorted: jax.Array) -> Scores:
        """Compares images ``[B, H, W, 3]``, each with its own reference: ``{name: [B]}``."""
        return jax.vmap(lambda r, d: self.compare(self.prepare(r), self.prepare(d)))(
            reference, distorted
        )

    def maps(self, reference: jax.Array, distorted: jax.Array) -> Scores:
        """Local scores of images ``[B, H, W, 3]``: ``{name: [B, H, W]}``."""
        size = reference.shape[1:3]

        def pair_maps(r: jax.Array, d: jax.Array) -> Scores:
            maps = self.compare_maps(self.prepare(r), self.prepare(d))
            return {
                name: enlarged(self.with_margins(name, values), size)
                for name, values in maps.items()
            }

        return jax.vmap(pair_maps)(reference, distorted)

    def with_margins(self, name: str, values: jax.Array) -> jax.Array:
        """The map of a score ``[h, w]``, continued to the borders of the image."""
        del name
        return values


def enlarged(values: jax.Array, size: tuple[int, ...]) -> jax.Array:
    """A map ``[h, w]`` at the size of an image, between its positions interpolated linearly."""
    return jax.image.resize(values, size, "linear", antialias=False)
