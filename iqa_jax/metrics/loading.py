"""Metrics by name."""

from etils import epath

from iqa_jax.comparison import load_comparison
from iqa_jax.metrics.readout import ReadoutMetric
from iqa_jax.readouts import ReadoutName


def load_metric(
    name: str, *, checkpoints_dir: epath.PathLike | None = None, precision: str = "highest"
) -> ReadoutMetric:
    """Loads a metric.

    Args:
      name: A read-out, ``MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE]``, such as
        ``vgg16/relu3_3/l2``.
      checkpoints_dir: As for ``load_backbone``.
      precision: As for ``load_backbone``.

    Returns:
      A function ``metric(reference, distorted) -> [B]``.

    Raises:
      InputError: If there is no such model, layer or read-out.
      CheckpointError: If the weights have not been fetched.
    """
    readout = ReadoutName.parse(name)
    comparison = load_comparison([readout], checkpoints_dir=checkpoints_dir, precision=precision)
    return ReadoutMetric(comparison, str(readout))
