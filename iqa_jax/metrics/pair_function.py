"""Functions of a pair of images in two steps: what is needed of each image, then the two.

A reference is prepared once for all its versions, and what was prepared of a version is freed
before the next version is looked at. What the pixels of a pair imply holds by construction,
whatever a compiler makes of the reference and of its versions: identical images are at a distance
of exactly 0, and an image with a pixel that is not finite has no score.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from typing import Any, Self

import jax
import jax.numpy as jnp
from etils import epath

from iqa_jax.errors import InputError
from iqa_jax.images.preprocess import unit_range

Values = tuple[jax.Array, ...]
"""An array for each of the names of a pair function, in their order."""

_Compare = Callable[[Any, Any, jax.Array], Values]


class PairFunction(ABC):
    """Values of pairs of images that are computed together: scores, or statistics of layers.

    Implementations are pytrees, to be arguments of ``jit``. Names are no part of what is compiled,
    so that values are returned without them.
    """

    @property
    @abstractmethod
    def label(self) -> str:
        """A short name for progress and folders."""

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """Names of the values."""

    @property
    @abstractmethod
    def signature(self) -> dict[str, Any]:
        """What the values depend on besides the images, as JSON."""

    @abstractmethod
    def refusals(self, height: int, width: int) -> dict[str, str]:
        """Which values images of this size cannot have, and why: ``{name: reason}``."""

    @abstractmethod
    def only(self, names: Collection[str]) -> Self:
        """The same function with some of the values."""

    @abstractmethod
    def prepare(self, image: jax.Array) -> Any:
        """What is needed of one image ``[H, W, 3]``, ``uint8`` or float32 in [0, 1]."""

    @abstractmethod
    def compare(self, reference: Any, distorted: Any, identical: jax.Array) -> Values:
        """The values of two prepared images.

        Args:
          reference: The prepared reference.
          distorted: The prepared distorted image.
          identical: Whether all their pixels are equal, a scalar; then differences are exactly 0.
        """

    @property
    def mapped(self) -> list[str]:
        """Names of the values that have maps."""
        return []

    def compare_maps(self, reference: Any, distorted: Any, identical: jax.Array) -> Values:
        """Local values ``[height, width]`` of two prepared images, for each name in ``mapped``."""
        del reference, distorted, identical
        return ()

    def with_margins(self, name: str, values: jax.Array) -> jax.Array:
        """The map of a value ``[h, w]``, continued to the borders of the image."""
        del name
        return values

    def fill(self, *, checkpoints_dir: epath.PathLike | None = None) -> Self:
        """Loads the weights of an outline, which has shapes in their place.

        Args:
          checkpoints_dir: As for ``load_backbone``.

        Raises:
          CheckpointError: If weights are damaged, or no longer there.
        """
        del checkpoints_dir
        return self

    def check_size(self, height: int, width: int) -> None:
        """Refuses images that cannot have all the values (:class:`InputError`)."""
        for reason in self.refusals(height, width).values():
            raise InputError(reason)

    def versions(self, reference: jax.Array, distorted: jax.Array) -> Values:
        """Compares a reference with its versions.

        Args:
          reference: ``[H, W, 3]``, ``uint8`` or float32 in [0, 1].
          distorted: ``[V, H, W, 3]``, of the same kind.

        Returns:
          An array ``[V, ...]`` for each name.
        """
        prepared = self.prepare(reference)

        def version(image: jax.Array) -> Values:
            return _of_pixels(self.compare, (reference, prepared), (image, self.prepare(image)))

        return jax.lax.map(version, distorted)

    def pairs(self, reference: jax.Array, distorted: jax.Array) -> Values:
        """Compares images ``[B, H, W, 3]``, each with its own reference.

        Args:
          reference: ``uint8`` or float32 in [0, 1].
          distorted: Images of the same shape.

        Returns:
          An array ``[B, ...]`` for each name.
        """
        return jax.vmap(lambda r, d: self._pair(self.compare, r, d))(reference, distorted)

    def maps(self, reference: jax.Array, distorted: jax.Array) -> Values:
        """Local values of images ``[B, H, W, 3]``.

        Args:
          reference: ``uint8`` or float32 in [0, 1].
          distorted: Images of the same shape.

        Returns:
          An array ``[B, H, W]`` for each name in ``mapped``.
        """
        size = reference.shape[1:3]

        def pair_maps(r: jax.Array, d: jax.Array) -> Values:
            maps = zip(self.mapped, self._pair(self.compare_maps, r, d), strict=True)
            return tuple(enlarged(self.with_margins(name, values), size) for name, values in maps)

        return jax.vmap(pair_maps)(reference, distorted)

    def _pair(self, compare: _Compare, reference: jax.Array, distorted: jax.Array) -> Values:
        images = ((image, self.prepare(image)) for image in (reference, distorted))
        return _of_pixels(compare, *images)


def _of_pixels(
    compare: _Compare, reference: tuple[jax.Array, Any], distorted: tuple[jax.Array, Any]
) -> Values:
    """Compares two images, each given with what was prepared of it, and heeds their pixels."""
    (r, r_prepared), (d, d_prepared) = reference, distorted
    if r.dtype == d.dtype == jnp.uint8:
        return compare(r_prepared, d_prepared, jnp.all(r == d))
    r, d = unit_range(r), unit_range(d)
    is_finite = jnp.all(jnp.isfinite(r)) & jnp.all(jnp.isfinite(d))
    values = compare(r_prepared, d_prepared, jnp.all(r == d))
    return tuple(jnp.where(is_finite, value, jnp.nan) for value in values)


def enlarged(values: jax.Array, size: tuple[int, ...]) -> jax.Array:
    """A map ``[h, w]`` at the size of an image, between its positions interpolated linearly."""
    return jax.image.resize(values, size, "linear", antialias=False)
