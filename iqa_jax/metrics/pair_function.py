"""Functions of a pair of images in two steps: each image is prepared, then the two are compared.

A reference is prepared once for all its versions, and a version's intermediate results are freed
before the next version is processed. Two facts about the pixels of a pair hold by construction,
however a compiler rounds: identical images are at a distance of exactly 0, and an image with a
pixel that is not finite has no score.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from typing import Any, Self

import jax
import jax.numpy as jnp
from etils import epath

from iqa_jax.errors import InputError
from iqa_jax.images.preprocess import unit_range

Values = tuple[jax.Array, ...]
"""One array per name of a pair function, in the same order."""

_Compare = Callable[[Any, Any, jax.Array], Values]


class PairFunction(ABC):
    """Values of pairs of images that are computed together: scores, or statistics of layers.

    Implementations are pytrees, to be arguments of ``jit``. Values are returned without their
    names, which do not belong to the compiled program.
    """

    @property
    @abstractmethod
    def label(self) -> str:
        """Short name for progress bars and folders."""

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """Names of the values."""

    @property
    @abstractmethod
    def signature(self) -> dict[str, Any]:
        """Weights, settings and formulas that the values depend on, as JSON."""

    @abstractmethod
    def refusals(self, height: int, width: int) -> dict[str, str]:
        """Reasons why images of this size cannot have some of the values: ``{name: reason}``."""

    @abstractmethod
    def only(self, names: Collection[str]) -> Self:
        """The same function with some of the values."""

    @abstractmethod
    def prepare(self, image: jax.Array) -> Any:
        """Prepares one image ``[H, W, 3]``, ``uint8`` or floating point in [0, 1]."""

    @abstractmethod
    def compare(self, reference: Any, distorted: Any, identical: jax.Array) -> Values:
        """Values of two prepared images.

        Args:
          reference: Prepared reference.
          distorted: Prepared distorted image.
          identical: Whether all their pixels are equal, a scalar; if so, differences are exactly 0.
        """

    @property
    def score_ranges(self) -> list[tuple[float, float]]:
        """Lowest and highest value of each name, infinite where there is none."""
        return [(-math.inf, math.inf)] * len(self.names)

    @property
    def mapped(self) -> list[str]:
        """Names of the values that have maps."""
        return []

    def compare_maps(self, reference: Any, distorted: Any, identical: jax.Array) -> Values:
        """Local values ``[height, width]`` of two prepared images, for each name in ``mapped``."""
        del reference, distorted, identical
        return ()

    def with_margins(self, name: str, values: jax.Array) -> jax.Array:
        """Map of a value ``[h, w]``, continued to the borders of the image."""
        del name
        return values

    def fill(self, *, checkpoints_dir: epath.PathLike | None = None) -> Self:
        """Loads the weights of an outline, which has their shapes only.

        Args:
          checkpoints_dir: See ``load_backbone``.

        Raises:
          CheckpointError: If weights are damaged or missing.
        """
        del checkpoints_dir
        return self

    def check_size(self, height: int, width: int) -> None:
        """Raises :class:`InputError` if images of this size cannot have all the values."""
        for reason in self.refusals(height, width).values():
            raise InputError(reason)

    def versions(self, reference: jax.Array, distorted: jax.Array) -> Values:
        """Compares a reference with its versions.

        Args:
          reference: ``[H, W, 3]``, ``uint8`` or floating point in [0, 1].
          distorted: ``[V, H, W, 3]``, ``uint8`` or floating point in [0, 1].

        Returns:
          An array ``[V, ...]`` per name.
        """
        prepared = self.prepare(reference)

        def version(image: jax.Array) -> Values:
            return _of_pixels(self.compare, (reference, prepared), (image, self.prepare(image)))

        return jax.lax.map(version, distorted)

    def pairs(self, reference: jax.Array, distorted: jax.Array) -> Values:
        """Compares images ``[B, H, W, 3]``, each with its own reference.

        Args:
          reference: ``uint8`` or floating point in [0, 1].
          distorted: Images of the same shape.

        Returns:
          An array ``[B, ...]`` per name.
        """
        return jax.vmap(lambda r, d: self._pair(self.compare, r, d))(reference, distorted)

    def maps(self, reference: jax.Array, distorted: jax.Array) -> Values:
        """Local values of images ``[B, H, W, 3]``.

        Args:
          reference: ``uint8`` or floating point in [0, 1].
          distorted: Images of the same shape.

        Returns:
          An array ``[B, H, W]`` per name in ``mapped``.
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
    """Compares two images, each given as pixels and prepared."""
    (r, r_prepared), (d, d_prepared) = reference, distorted
    if r.dtype == d.dtype == jnp.uint8:
        return compare(r_prepared, d_prepared, jnp.all(r == d))
    r, d = unit_range(r), unit_range(d)
    is_finite = jnp.all(jnp.isfinite(r)) & jnp.all(jnp.isfinite(d))
    values = compare(r_prepared, d_prepared, jnp.all(r == d))
    return tuple(jnp.where(is_finite, value, jnp.nan) for value in values)


def enlarged(values: jax.Array, size: tuple[int, ...]) -> jax.Array:
    """Enlarges a map ``[h, w]`` to the size of an image by linear interpolation."""
    return jax.image.resize(values, size, "linear", antialias=False)
