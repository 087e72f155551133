"""A stream as a metric of Flax NNX."""

from typing import Any

import jax
import numpy as np
from etils import epath
from flax import nnx

from iqa_jax.metrics import Metric
from iqa_jax.streams.metric_stream import Stream, stream
from iqa_jax.streams.totals import Summary


class MetricWeight(nnx.Variable):
    """Weights of a metric: a type of their own, which no optimizer of ``nnx.Param`` touches."""


class StreamMetric(nnx.Metric):
    """A :class:`Stream` that is updated in place, as Flax's own metrics are.

    Totals are ``nnx.metrics.MetricState``, weights are :class:`MetricWeight`: ``nnx.jit``,
    ``nnx.split`` and checkpoints of the state hold both.

    >>> import numpy as np
    >>> import iqa_jax
    >>> metric = iqa_jax.StreamMetric("psnr", "ssim")
    >>> images = np.zeros((2, 64, 64, 3), np.uint8)
    >>> metric.update(reference=images, distorted=images)
    >>> metric.compute()["psnr"]
    Summary(mean=100.0, standard_error=0.0, count=2, nan_count=0)

    Args:
      *metrics: As for :func:`iqa_jax.stream`.
      checkpoints_dir: As for ``load_backbone``.
      precision: As for ``load_backbone``.

    Raises:
      InputError: If there is no metric, one is given twice, or there is none of this name.
      CheckpointError: If the weights have not been fetched.
    """

    def __init__(
        self,
        *metrics: str | Metric,
        checkpoints_dir: epath.PathLike | None = None,
        precision: str = "highest",
    ):
        loaded = stream(*metrics, checkpoints_dir=checkpoints_dir, precision=precision)
        self._structure = jax.tree.structure(loaded)
        self.weights = nnx.List([MetricWeight(leaf) for leaf in jax.tree.leaves(loaded.functions)])
        self.totals = nnx.List(
            [nnx.metrics.MetricState(leaf) for leaf in jax.tree.leaves(loaded.totals)]
        )

    @property
    def stream(self) -> Stream:
        """The stream as it is now."""
        leaves = [variable[...] for variable in (*self.weights, *self.totals)]
        return jax.tree.unflatten(self._structure, leaves)

    def reset(self) -> None:
        """Forgets all scores."""
        self._keep(self.stream.empty())

    def update(
        self,
        *,
        reference: jax.Array | np.ndarray,
        distorted: jax.Array | np.ndarray,
        mask: jax.Array | np.ndarray | None = None,
        **_: Any,
    ) -> None:
        """Adds the scores of a batch.

        Args:
          reference: As for :meth:`Stream.update`.
          distorted: As for :meth:`Stream.update`.
          mask: As for :meth:`Stream.update`.
          **_: What other metrics of an ``nnx.MultiMetric`` take.

        Raises:
          InputError: If images or mask are of another type, range or shape.
        """
        self._keep(self.stream.update(reference, distorted, mask=mask))

    def compute(self) -> dict[str, Summary]:
        """A summary of every metric as Python numbers, outside of ``jit``."""
        return self.stream.compute()

    def _keep(self, changed: Stream) -> None:
        for variable, value in zip(self.totals, jax.tree.leaves(changed.totals), strict=True):
            variable[...] = value
