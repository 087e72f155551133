"""Comparing images in two steps: what is needed of each, then the two.

A reference is prepared once for all its versions; what was prepared of a version is gone before the
next version is looked at. What the pixels of a pair tell holds by construction, whatever a compiler
makes of the reference and of its versions: identical images are at a distance of exactly 0, and an
image with a pixel that is not finite has no score.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from typing import Any, Self

import jax
import jax.numpy as jnp

from iqa_jax.errors import InputError
from iqa_jax.images.preprocess import unit_range

Scores = dict[str, jax.Array]
_Compare = Callable[[Any, Any, jax.Array], Scores]


class PairFunction(ABC):
    """Values of pairs of images, by name.

    Implementations are pytrees, to be arguments of ``jit``.
    """

    @abstractmethod
    def prepare(self, image: jax.Array) -> Any:
        """What is needed of one image ``[H, W, 3]``, ``uint8`` or float32 in [0, 1]."""

    @abstractmethod
    def compare(self, reference: Any, distorted: Any, identical: jax.Array) -> Scores:
        """The values of two images as they were prepared.

        Args:
          reference: As it was prepared.
          distorted: Likewise.
          identical: Whether all their pixels are equal, a scalar; then differences are exactly 0.

        Returns:
          ``{name: value}``.
        """

    def versions(self, reference: jax.Array, distorted: jax.Array) -> Scores:
        """Compares a reference with its versions.

        Args:
          reference: ``[H, W, 3]``, ``uint8`` or float32 in [0, 1].
          distorted: ``[V, H, W, 3]``, likewise.

        Returns:
          ``{name: [V, ...]}``.
        """
        prepared = self.prepare(reference)

        def version(image: jax.Array) -> Scores:
            return _of_pixels(self.compare, (reference, prepared), (image, self.prepare(image)))

        return jax.lax.map(version, distorted)

    def pairs(self, reference: jax.Array, distorted: jax.Array) -> Scores:
        """Compares images ``[B, H, W, 3]``, each with its own reference: ``{name: [B, ...]}``."""
        return jax.vmap(lambda r, d: self._pair(self.compare, r, d))(reference, distorted)

    def _pair(self, compare: _Compare, reference: jax.Array, distorted: jax.Array) -> Scores:
        images = ((image, self.prepare(image)) for image in (reference, distorted))
        return _of_pixels(compare, *images)


def _of_pixels(
    compare: _Compare, reference: tuple[jax.Array, Any], distorted: tuple[jax.Array, Any]
) -> Scores:
    """Compares two images, each with what was prepared of it, and says what their pixels tell."""
    (r, r_prepared), (d, d_prepared) = reference, distorted
    if r.dtype == d.dtype == jnp.uint8:
        return compare(r_prepared, d_prepared, jnp.all(r == d))
    r, d = unit_range(r), unit_range(d)
    is_finite = jnp.all(jnp.isfinite(r)) & jnp.all(jnp.isfinite(d))
    values = compare(r_prepared, d_prepared, jnp.all(r == d))
    return {name: jnp.where(is_finite, value, jnp.nan) for name, value in values.items()}


class PairComparison(PairFunction):
    """Scores that are computed together, as they share what they need of an image."""

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

    def compare_maps(self, reference: Any, distorted: Any, identical: jax.Array) -> Scores:
        """Local scores of two images as they were prepared: ``{name: [height, width]}``.

        Scores that have no map are missing.
        """
        del reference, distorted, identical
        return {}

    def maps(self, reference: jax.Array, distorted: jax.Array) -> Scores:
        """Local scores of images ``[B, H, W, 3]``: ``{name: [B, H, W]}``."""
        size = reference.shape[1:3]

        def pair_maps(r: jax.Array, d: jax.Array) -> Scores:
            maps = self._pair(self.compare_maps, r, d)
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
