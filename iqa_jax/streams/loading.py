"""Streams by the names of their metrics."""

from etils import epath

from iqa_jax.errors import InputError
from iqa_jax.metrics import Metric, groups, load_group, parse_metric
from iqa_jax.metrics.pair_function import PairFunction
from iqa_jax.streams.metric_stream import Stream
from iqa_jax.streams.totals import Totals


def stream(
    *metrics: str | Metric,
    checkpoints_dir: epath.PathLike | None = None,
    precision: str = "highest",
) -> Stream:
    """Loads metrics to average over the batches of a loop.

    Args:
      *metrics: Names (see ``load_metric``), or metrics in memory. Named metrics that share a
        network are computed in one pass.
      checkpoints_dir: See ``load_backbone``.
      precision: See ``load_backbone``.

    Returns:
      An empty stream.

    Raises:
      InputError: If no metric is given, one is given twice, or a name is unknown.
      CheckpointError: If the weights have not been fetched.

    Example:
      >>> import numpy as np, iqa_jax
      >>> reference = np.random.default_rng(0).random((20, 64, 64, 3), np.float32)
      >>> stream = iqa_jax.stream("ssim", "psnr")
      >>> for rows in np.split(np.arange(20), 5):
      ...     stream = stream.update(reference[rows], reference[rows] / 2)
      >>> stream.compute()["psnr"].count
      20
    """
    strange = [each for each in metrics if not isinstance(each, str | Metric)]
    if strange:
        raise InputError(
            "expected names or metrics, each an argument of its own as in stream('psnr', 'ssim'), "
            f"got {type(strange[0]).__name__}"
        )
    names = tuple(each.name if isinstance(each, Metric) else each for each in metrics)
    if not names or len(set(names)) < len(names):
        raise InputError(
            f"expected at least one metric and none twice, got {', '.join(names) or 'none'}"
        )
    functions: list[PairFunction] = []
    places: dict[str, int] = {}
    count = 0
    for group in groups(parse_metric(each) for each in metrics if isinstance(each, str)):
        function = load_group(group, checkpoints_dir=checkpoints_dir, precision=precision)
        places |= {each.name: count + function.names.index(each.computed) for each in group}
        functions.append(function)
        count += len(function.names)
    for each in metrics:
        if isinstance(each, Metric):
            places[each.name] = count
            functions.append(each.function)
            count += 1
    totals = Totals.empty(len(names))
    return Stream(tuple(functions), totals, names, tuple(places[name] for name in names))
