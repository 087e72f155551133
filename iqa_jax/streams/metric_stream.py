"""Metrics with running totals, as one immutable pytree."""

from dataclasses import dataclass, field, replace
from typing import Self

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.experimental import multihost_utils

from iqa_jax.compilation import compiled
from iqa_jax.errors import InputError
from iqa_jax.images.preprocess import check_pair
from iqa_jax.metrics.pair_function import PairFunction
from iqa_jax.pytrees import register_pytree
from iqa_jax.streams.totals import Summary, Totals


@register_pytree
@dataclass(frozen=True, eq=False)
class Stream:
    """Metrics with the totals of their scores so far.

    A stream is a pytree whose leaves are weights and totals: pass it to ``jit`` as an argument. It
    is immutable; methods that add scores return a new stream with the same weights.

    A compiled function that returns a stream copies the weights, unless the argument is donated.
    One that returns ``totals`` copies nothing::

        @jax.jit
        def evaluation_step(stream, reference, distorted, mask):
            return stream.update(reference, distorted, mask=mask).totals

        stream = stream.replace_totals(evaluation_step(stream, reference, distorted, mask))

    Outside of ``jit``, :meth:`update` is compiled and copies nothing.

    Attributes:
      functions: Functions that compute the scores, one for each network.
      totals: Totals of the scores, in the order of ``names``.
      names: Names of the metrics, as they were given.
      places: Position of each metric among the values of all functions.

    Example:
      >>> import jax, numpy as np, iqa_jax
      >>> step = jax.jit(lambda stream, *images: stream.update(*images).totals)
      >>> stream = iqa_jax.stream("psnr", "ssim")
      >>> stream
      Stream(names=('psnr', 'ssim'))
      >>> images = np.zeros((4, 64, 64, 3), np.uint8)
      >>> stream.replace_totals(step(stream, images, images)).compute()["ssim"]
      Summary(mean=1.0, standard_error=0.0, count=4, nan_count=0)
    """

    functions: tuple[PairFunction, ...] = field(repr=False)
    totals: Totals = field(repr=False)
    names: tuple[str, ...] = field(metadata={"static": True})
    places: tuple[int, ...] = field(metadata={"static": True}, repr=False)

    def empty(self) -> Self:
        """The same metrics without any scores.

        Example:
          >>> import iqa_jax
          >>> iqa_jax.stream("psnr").empty().compute()
          {'psnr': Summary(mean=nan, standard_error=nan, count=0, nan_count=0)}
        """
        return self.replace_totals(Totals.empty(len(self.names)))

    def replace_totals(self, totals: Totals) -> Self:
        """The same metrics with other totals, such as those that a compiled step returned."""
        return replace(self, totals=totals)

    def update(
        self,
        reference: jax.Array | np.ndarray,
        distorted: jax.Array | np.ndarray,
        *,
        mask: jax.Array | np.ndarray | None = None,
    ) -> Self:
        """Adds the scores of a batch.

        Args:
          reference: Images ``[B, H, W, 3]``, RGB, as for :class:`iqa_jax.metrics.Metric`.
          distorted: Images of the same shape.
          mask: Bool ``[B]``, False for pairs that only fill the batch; their pixels may be
            anything, even NaN. None if all pairs count.

        Returns:
          A stream with the new totals. Pairs with a pixel that is not finite are counted separately
          and left out of the mean.

        Raises:
          InputError: If the images have the wrong type, range or shape, or are too small, or if the
            mask is not bool ``[B]``.

        Example:
          >>> import numpy as np, iqa_jax
          >>> black = np.zeros((4, 64, 64, 3), np.uint8)
          >>> stream = iqa_jax.stream("psnr").update(black, black + np.uint8(51))
          >>> stream = stream.update(black, black, mask=np.array([True, False, False, False]))
          >>> summary = stream.compute()["psnr"]
          >>> summary.count, round(summary.mean, 2)
          (5, 31.18)
        """
        shown = _as_mask(mask, reference)
        self._check(reference, distorted, shown)
        images = (jnp.asarray(each) for each in (reference, distorted, shown))
        return self.replace_totals(_updated(self, *images))

    def _check(
        self,
        reference: jax.Array | np.ndarray,
        distorted: jax.Array | np.ndarray,
        mask: jax.Array | np.ndarray,
    ) -> None:
        checked, _ = check_pair(
            *(_pixels_to_check(images, mask) for images in (reference, distorted))
        )
        batch, height, width, _ = checked.shape
        if not _is_mask_of(mask, reference):
            raise InputError(
                f"mask: expected bool [{batch}], one value for each pair, got {mask.dtype} "
                f"{list(mask.shape)}"
            )
        for function in self.functions:
            function.check_size(height, width)

    def merge(self, other: "Stream") -> Self:
        """Adds the scores of another stream of the same metrics.

        Args:
          other: A stream of pairs that are not in this one.

        Returns:
          A stream with the totals of both, and the weights of this one.

        Raises:
          InputError: If the other stream has other metrics.
        """
        if other.names != self.names:
            raise InputError(
                f"expected a stream of {', '.join(self.names)}, got one of {', '.join(other.names)}"
            )
        return self.replace_totals(self.totals.merge(other.totals))

    def psum(self, axis_name: str) -> Self:
        """Joins the totals of all devices inside ``jax.shard_map``.

        Start from an empty stream on every device: scores from before would be counted once per
        device. A step is therefore::

            batch = stream.empty().update(reference, distorted, mask=mask).psum("devices")
            return stream.merge(batch).totals

        Args:
          axis_name: Axis of the mesh.

        Returns:
          A stream with the same totals on every device.
        """
        return self.replace_totals(self.totals.psum(axis_name))

    def merge_processes(self) -> Self:
        """Joins the totals of all processes if each has scored pairs of its own.

        All processes have to call it together, outside of ``jit``. With one process, or if the
        totals are already arrays of all processes, the stream itself is returned.
        """
        if jax.process_count() == 1 or not self.totals.count.is_fully_addressable:
            return self
        gathered = multihost_utils.process_allgather(self.totals)
        joined = self.empty().totals
        for process in range(jax.process_count()):
            joined = joined.merge(jax.tree.map(lambda each, at=process: each[at], gathered))
        return self.replace_totals(joined)

    def compute(self) -> dict[str, Summary]:
        """Means, standard errors and counts as Python numbers.

        Returns:
          ``{name: Summary}`` for every metric.

        Raises:
          InputError: If it is called inside ``jit``; read ``totals.mean`` and ``totals.count``
            there.
        """
        if isinstance(self.totals.count, Tracer):
            raise InputError(
                "compute() returns Python numbers: expected a stream outside of jit, got a traced "
                "one; return its totals, or read totals.mean and totals.count"
            )
        return dict(zip(self.names, self.totals.summaries(), strict=True))


@compiled
def _updated(stream: Stream, reference: jax.Array, distorted: jax.Array, mask: jax.Array) -> Totals:
    images = [_black_where(~mask, each) for each in (reference, distorted)]
    values = [value for function in stream.functions for value in function.pairs(*images)]
    scores = jnp.stack([values[place] for place in stream.places])
    return stream.totals.merge(Totals.of(scores, mask))


def _black_where(pairs: jax.Array, images: jax.Array) -> jax.Array:
    """Images of which some are replaced by black ones."""
    return jnp.where(pairs[:, None, None, None], jnp.zeros((), images.dtype), images)


def _as_mask(
    mask: jax.Array | np.ndarray | None, images: jax.Array | np.ndarray
) -> jax.Array | np.ndarray:
    """The mask as an array; if there is none, all pairs count."""
    if mask is None:
        return np.ones(np.shape(images)[:1], bool)
    return mask if isinstance(mask, jax.Array) else np.asarray(mask)


def _is_mask_of(mask: jax.Array | np.ndarray, images: jax.Array | np.ndarray) -> bool:
    return mask.dtype == bool and mask.shape == np.shape(images)[:1]


def _pixels_to_check(
    images: jax.Array | np.ndarray, mask: jax.Array | np.ndarray
) -> jax.Array | np.ndarray:
    """Images with black in place of pixels that may have any value: masked or not finite."""
    is_floating = isinstance(images, jax.Array | np.ndarray) and jnp.issubdtype(
        images.dtype, jnp.floating
    )
    if not is_floating or images.ndim != 4 or not _is_mask_of(mask, images):
        return images
    return jnp.where(jnp.isfinite(images) & mask[:, None, None, None], images, 0)
