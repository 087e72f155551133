"""Metrics by name: what the names mean, and what computes them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from etils import epath

from iqa_jax.errors import InputError
from iqa_jax.images.resize import Resize
from iqa_jax.metrics.metric import Metric
from iqa_jax.metrics.pair_function import PairFunction
from iqa_jax.metrics.pixels import FULL_NAMES, PIXEL_METRICS, PixelScores
from iqa_jax.readouts import ReadoutName

_DISTS = (
    "vgg16-supervised-imagenet1k-l2pool/"
    "input+relu1_2+relu2_2+relu3_3+relu4_3+relu5_3/structure_texture@dists"
)

READOUT_METRICS: Mapping[str, tuple[str, Resize | None]] = {
    "lpips-alex": ("alexnet/relu1+relu2+relu3+relu4+relu5/unit@lpips-alex", None),
    "lpips-vgg": ("vgg16/relu1_2+relu2_2+relu3_3+relu4_3+relu5_3/unit@lpips-vgg", None),
    "lpips-squeeze": (
        "squeezenet1_1/relu1+fire3+fire5+fire6+fire7+fire8+fire9/unit@lpips-squeeze",
        None,
    ),
    "dists": (_DISTS, None),
    "dists:resize256": (_DISTS, Resize("short:256", only_larger=True)),
}
"""Published metrics that are read-outs: LPIPS v0.1 (Zhang et al. 2018) and DISTS (Ding et al.
2020), whose paper shrinks images to 256 pixels first."""


@dataclass(frozen=True)
class MetricName:
    """A metric.

    Attributes:
      name: Name as the user wrote it.
      readout: The read-out that it is; None for a pixel metric.
      resize: What its own protocol does to an image first.
    """

    name: str
    readout: ReadoutName | None
    resize: Resize | None = None

    @property
    def computed(self) -> str:
        """The full name, under which a pair function computes it."""
        return FULL_NAMES.get(self.name, self.name) if self.readout is None else str(self.readout)

    @property
    def higher_is_better(self) -> bool:
        """The direction: read-outs are distances."""
        return self.readout is None and PIXEL_METRICS[self.name].higher_is_better

    @property
    def group(self) -> tuple[str | None, Resize | None]:
        """What it shares with the metrics that are computed in the same pass."""
        return (self.readout.model if self.readout else None), self.resize


def parse_metric(name: str) -> MetricName:
    """Reads the name of a metric: a published one, or ``MODEL/LAYER[+LAYER...]/READOUT[@...]``.

    Raises:
      InputError: If there is no such metric.
    """
    if name in PIXEL_METRICS:
        return MetricName(name, None)
    if name in READOUT_METRICS:
        readout, resize = READOUT_METRICS[name]
        return MetricName(name, ReadoutName.parse(readout), resize)
    if "/" not in name:
        raise InputError(
            f"there is no metric {name!r}; there are: {', '.join(list_metrics())}, and any "
            "read-out MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE]"
        )
    return MetricName(name, ReadoutName.parse(name))


def find_metric(name: str) -> MetricName | None:
    """The metric that goes by a name, a published one also in upper case; None if there is none."""
    published = name.lower() in list_metrics()
    try:
        return parse_metric(name.lower() if published else name)
    except InputError:
        return None


def list_metrics() -> list[str]:
    """Names of the published metrics; besides them any read-out is a metric."""
    return [*PIXEL_METRICS, *READOUT_METRICS]


def parse_metrics(names: Iterable[str]) -> list[MetricName]:
    """Reads names, each once.

    Raises:
      InputError: If there is no such metric.
    """
    return [parse_metric(name) for name in dict.fromkeys(names)]


def groups(metrics: Iterable[MetricName]) -> list[list[MetricName]]:
    """Groups of metrics that are computed in one pass through a network."""
    found: dict[object, list[MetricName]] = {}
    for metric in metrics:
        found.setdefault(metric.group, []).append(metric)
    return list(found.values())


def outline_group(
    group: Sequence[MetricName],
    *,
    checkpoints_dir: epath.PathLike | None = None,
    precision: str = "highest",
) -> PairFunction:
    """Checks metrics without loading the weights of a network.

    Args:
      group: One of :func:`groups`.
      checkpoints_dir: As for ``load_backbone``.
      precision: As for ``load_backbone``.

    Returns:
      An outline of the function that computes the metrics, under their ``computed`` names.

    Raises:
      InputError: If there is no such model or layer, a relevance does not fit, or a read-out
        compares with a dataset.
      CheckpointError: If the weights have not been fetched.
    """
    readouts = list(dict.fromkeys(metric.readout for metric in group if metric.readout))
    if not readouts:
        return PixelScores(tuple(dict.fromkeys(metric.computed for metric in group)))
    from iqa_jax.metrics.features import FeatureScores, check_no_dataset  # noqa: PLC0415  loads flax

    check_no_dataset(readouts)
    return FeatureScores.outline(
        readouts,
        checkpoints_dir=checkpoints_dir,
        precision=precision,
        resize=group[0].resize,
    )


def load_group(
    group: Sequence[MetricName],
    *,
    checkpoints_dir: epath.PathLike | None = None,
    precision: str = "highest",
) -> PairFunction:
    """Loads what computes the metrics of a group.

    Args:
      group: One of :func:`groups`.
      checkpoints_dir: As for ``load_backbone``.
      precision: As for ``load_backbone``.

    Raises:
      InputError: As by :func:`outline_group`.
      CheckpointError: If the weights have not been fetched, or are damaged.
    """
    outline = outline_group(group, checkpoints_dir=checkpoints_dir, precision=precision)
    return outline.fill(checkpoints_dir=checkpoints_dir)


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
    function = load_group([metric], checkpoints_dir=checkpoints_dir, precision=precision)
    return Metric(function, name, metric.higher_is_better)
