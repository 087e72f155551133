"""Metrics by name."""

from collections.abc import Iterable, Sequence

from etils import epath

from iqa_jax.metrics.metric import Metric
from iqa_jax.metrics.names import MetricName, parse_metric
from iqa_jax.metrics.pair_function import PairComparison
from iqa_jax.metrics.pixel_comparison import PixelComparison

Group = list[MetricName]


def load_metric(
    name: str, *, checkpoints_dir: epath.PathLike | None = None, precision: str = "highest"
) -> Metric:
    """Loads a metric.

    Args:
      name: One of :func:`list_metrics`, such as ``lpips-vgg``; or any read-out,
        ``MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE]``, such as ``vgg16/relu3_3/l2``.
      checkpoints_dir: As for ``load_backbone``.
      precision: As for ``load_backbone``.

    Returns:
      A function ``metric(reference, distorted) -> [B]``.

    Raises:
      InputError: If there is no such metric, model, layer or read-out.
      CheckpointError: If the weights have not been fetched.
    """
    metric = parse_metric(name)
    comparison = load_group([metric], checkpoints_dir=checkpoints_dir, precision=precision)
    return Metric(comparison, name, metric.higher_is_better)


def groups(metrics: Iterable[MetricName]) -> list[Group]:
    """Metrics that share a pass through a network stand together."""
    found: dict[object, Group] = {}
    for metric in metrics:
        found.setdefault(metric.group, []).append(metric)
    return list(found.values())


def load_group(
    group: Sequence[MetricName],
    *,
    checkpoints_dir: epath.PathLike | None = None,
    precision: str = "highest",
) -> PairComparison:
    """Loads what the metrics of a group need.

    Args:
      group: One of :func:`groups`.
      checkpoints_dir: As for ``load_backbone``.
      precision: As for ``load_backbone``.

    Raises:
      InputError: If there is no such model or layer.
      CheckpointError: If the weights have not been fetched.
    """
    readouts = [metric.readout for metric in group if metric.readout]
    if not readouts:
        return PixelComparison(tuple(dict.fromkeys(metric.computed for metric in group)))
    from iqa_jax.metrics.features import load_comparison  # noqa: PLC0415  loads flax

    return load_comparison(
        list(dict.fromkeys(readouts)),
        checkpoints_dir=checkpoints_dir,
        precision=precision,
        resize=group[0].resize,
    )


def check_group(
    group: Sequence[MetricName],
    sizes: Sequence[tuple[int, int]],
    *,
    checkpoints_dir: epath.PathLike | None = None,
    stored: bool = False,
) -> PairComparison:
    """Raises what :func:`load_group` and scoring would, without loading any network.

    Args:
      group: One of :func:`groups`.
      sizes: (height, width) of the images.
      checkpoints_dir: As for ``load_backbone``.
      stored: Whether the scores are read from stored statistics.

    Returns:
      An outline: what is compared, with the shapes of the parameters in their place.

    Raises:
      InputError: As by :func:`load_group`, or if images are too small.
    """
    readouts = [metric.readout for metric in group if metric.readout]
    if readouts:
        from iqa_jax.metrics.features import check_comparison  # noqa: PLC0415  loads flax

        return check_comparison(
            readouts,
            sizes,
            checkpoints_dir=checkpoints_dir,
            resize=group[0].resize,
            stored=stored,
        )
    comparison = PixelComparison(tuple(metric.name for metric in group))
    for size in sizes:
        comparison.check_size(*size)
    return comparison
