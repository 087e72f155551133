"""A stream as a metric of Flax NNX."""

from typing import Any

import jax
import numpy as np
from etils import epath
from flax import nnx

from iqa_jax.metrics import Metric
from iqa_jax.streams.loading import stream
from iqa_jax.streams.metric_stream import Stream
from iqa_jax.streams.totals import Summary


class MetricWeight(nnx.Variable):
    """Weights of a metric. They are not ``nnx.Param``, so that no optimiser trains them."""


class StreamMetric(nnx.Metric):
    """A :class:`Stream` that is updated in place like Flax's own metrics.

    Totals are ``nnx.metrics.MetricState`` and weights :class:`MetricWeight`, so that ``nnx.jit``,
    ``nnx.split`` and checkpoints include them. ``nnx.jit`` copies the weights of its arguments at
    each call; an update outside of it is compiled, too, and copies nothing.

    Args:
      *metrics: Names, or metrics in memory; see :func:`iqa_jax.stream`.
      checkpoints_dir: See ``load_backbone``.
      precision: See ``load_backbone``.

    Raises:
      InputError: If no metric is given, one is given twice, or a name is unknown.
      CheckpointError: If the weights have not been fetched.

    Example:
      >>> import numpy as np, iqa_jax
      >>> metric = iqa_jax.StreamMetric("psnr", "ssim")
      >>> images = np.zeros((2, 64, 64, 3), np.uint8)
      >>> metric.update(reference=images, distorted=images)
      >>> metric.compute()["psnr"]
      Summary(mean=100.0, standard_error=0.0, count=2, nan_count=0)
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
        """The current stream."""
        leaves = [variable[...] for variable in (*self.weights, *self.totals)]
        return jax.tree.unflatten(self._structure, leaves)

    def reset(self) -> None:
        """Removes all scores."""
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
          reference: See :meth:`Stream.update`.
          distorted: See :meth:`Stream.update`.
          mask: See :meth:`Stream.update`.
          **_: Arguments for other metrics of an ``nnx.MultiMetric``, ignored.

        Raises:
          InputError: If the images or the mask are invalid; see :meth:`Stream.update`.
        """
        self._keep(self.stream.update(reference, distorted, mask=mask))

    def compute(self) -> dict[str, Summary]:
        """Means, standard errors and counts; see :meth:`Stream.compute`."""
        return self.stream.compute()

    def _keep(self, changed: Stream) -> None:
        for variable, value in zip(self.totals, jax.tree.leaves(changed.totals), strict=True):
            variable[...] = value
