"""Metrics by name, and how to load them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from etils import epath

from iqa_jax.errors import CheckpointError, InputError
from iqa_jax.files import absolute
from iqa_jax.images.resize import Resize
from iqa_jax.metrics.metric import Metric
from iqa_jax.metrics.pair_function import PairFunction
from iqa_jax.metrics.pixels import FULL_NAMES, PIXEL_METRICS, PixelScores, pixel_metric
from iqa_jax.metrics.protocols import DeepWSD, Protocol
from iqa_jax.readouts import READOUTS, ReadoutName, has_relevance, parse_readout
from iqa_jax.text import do_you_mean
from iqa_jax.weights.checkpoints import NAME_ANOTHER, resolve_directory
from iqa_jax.weights.relevance_files import is_relevance_file, read_relevance

if TYPE_CHECKING:
    from iqa_jax.backbones import Backbone
    from iqa_jax.zoo.functions import Function

_DISTS = (
    "vgg16-supervised-imagenet1k-l2pool/"
    "input+relu1_2+relu2_2+relu3_3+relu4_3+relu5_3/structure_texture@dists"
)

_DEEPWSD = (
    "vgg16-supervised-imagenet1k-deepwsd/input+relu1_2+relu2_2+relu3_3+relu4_3+relu5_3/wasserstein"
)
_DEEPDC = (
    "vgg19-supervised-imagenet1k-deepdc/"
    "relu1_2+relu2_2+relu3_4+relu4_4+conv5_4/distance_correlation"
)


class ReadoutMetric(NamedTuple):
    """A published metric that is a read-out.

    Attributes:
      readout: Name of the read-out.
      protocol: Its protocol; None for the read-out alone.
      speed: Key of ``SPEEDS``.
    """

    readout: str
    protocol: Protocol | None = None
    speed: str = "slow"


READOUT_METRICS: Mapping[str, ReadoutMetric] = {
    "lpips-alex": ReadoutMetric(
        "alexnet/relu1+relu2+relu3+relu4+relu5/unit@lpips-alex", speed="medium"
    ),
    "lpips-vgg": ReadoutMetric("vgg16/relu1_2+relu2_2+relu3_3+relu4_3+relu5_3/unit@lpips-vgg"),
    "lpips-squeeze": ReadoutMetric(
        "squeezenet1_1/relu1+fire3+fire5+fire6+fire7+fire8+fire9/unit@lpips-squeeze",
        speed="medium",
    ),
    "dists": ReadoutMetric(_DISTS),
    "dists:resize256": ReadoutMetric(_DISTS, Protocol(Resize("short:256", only_larger=True))),
    "deepwsd": ReadoutMetric(_DEEPWSD, DeepWSD()),
    "deepdc": ReadoutMetric(_DEEPDC, Protocol(Resize("short:224", only_larger=True))),
    "perceptnet": ReadoutMetric("perceptnet-ratings-tid2008/gdn4/l2", speed="medium"),
}
"""Published metrics that are read-outs: LPIPS v0.1 (Zhang et al. 2018); DISTS (Ding et al. 2020),
whose paper shrinks images to 256 pixels first; DeepWSD (Liao et al. 2022); DeepDC (Zhu et al.
2022), whose program shrinks them to 224; and PerceptNet (Hepburn et al. 2020). DeepDC's authors
name five convolutions, but in four of them their program reads what the ReLU after it has left in
the same memory."""


@dataclass(frozen=True)
class MetricName:
    """A metric.

    Attributes:
      name: Name as the user wrote it.
      readout: Read-out that it names; None for a pixel metric.
      protocol: Its protocol; None for a read-out alone.
    """

    name: str
    readout: ReadoutName | None
    protocol: Protocol | None = None

    @property
    def computed(self) -> str:
        """Full name, as in the names of a pair function."""
        return FULL_NAMES.get(self.name, self.name) if self.readout is None else str(self.readout)

    @property
    def higher_is_better(self) -> bool:
        """Direction of its scores; read-outs are distances."""
        metric = None if self.readout else pixel_metric(self.name)
        return metric is not None and metric.higher_is_better

    @property
    def group(self) -> tuple[str | None, Protocol | None]:
        """Network and protocol, the same for all metrics that are computed in one pass."""
        return (self.readout.model if self.readout else None), self.protocol


def parse_metric(name: str) -> MetricName:
    """Reads the name of a metric.

    Args:
      name: A published metric, ``MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE]``, or the file of a
        relevance, ``FILE.safetensors``, for the read-out that it was learned for.

    Raises:
      InputError: If there is no such metric.
      CheckpointError: If there is no such file, or it is damaged.
    """
    if pixel_metric(name):
        return MetricName(name, None)
    if is_relevance_file(name) and not has_relevance(name):
        if "@" in name and not epath.Path(name).is_file():
            _refuse_missing(name)
        return MetricName(name, _learned(name))
    if name in READOUT_METRICS:
        published = READOUT_METRICS[name]
        return MetricName(name, ReadoutName.parse(published.readout), published.protocol)
    family, _, preset = name.partition(":")
    if family in FULL_NAMES:
        presets = [
            each.partition(":")[2] for each in PIXEL_METRICS if each.startswith(f"{family}:")
        ]
        raise InputError(f"{family}: expected the preset {' or '.join(presets)}, got {preset!r}")
    if "/" not in name:
        raise InputError(
            f"there is no metric {name!r}; {do_you_mean(name, list_metrics())}there are: "
            f"{', '.join(list_metrics())}, and any read-out "
            "MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE]"
        )
    return MetricName(name, ReadoutName.parse(name))


def _refuse_missing(name: str) -> NoReturn:
    """Says why a name ``...@FILE`` is neither a file nor the read-out of one."""
    word = name.partition("@")[0].rpartition("/")[2]
    raise InputError(
        f"there is no relevance file {name}, and no read-out {word!r}; "
        f"{do_you_mean(word, READOUTS)}there are: {', '.join(READOUTS)}"
    )


def _learned(file: str) -> ReadoutName:
    """The read-out that a relevance file was learned for."""
    from iqa_jax.zoo.functions import is_own  # noqa: PLC0415  imports flax

    card = read_relevance(file).provenance
    if is_own(card["model"]):  # a file must not choose the code that is run
        raise InputError(
            f"{file}: weighs the backbone {card['model']}; give the name of the read-out, "
            f"MODEL/LAYER[+LAYER...]/{card['readout']}@{file}"
        )
    layers = "+".join(card["layers"])
    return ReadoutName.parse(f"{card['model']}/{layers}/{card['readout']}@{file}")


def find_metric(name: str) -> MetricName | None:
    """Metric of this name, a published one also in upper case; None for an unknown name."""
    published = name.lower() in list_metrics()
    try:
        return parse_metric(name.lower() if published else name)
    except (InputError, CheckpointError):
        return None


def list_metrics() -> list[str]:
    """Names of the published metrics; any read-out is a metric, too.

    ``iqa models --metrics`` shows their directions, ranges, speeds and publications.

    Example:
      >>> import iqa_jax
      >>> iqa_jax.list_metrics()[:3]
      ['psnr', 'ssim', 'ms-ssim']
    """
    return [*PIXEL_METRICS, *READOUT_METRICS]


def parse_metrics(names: Iterable[str]) -> list[MetricName]:
    """Reads names and drops duplicates.

    Raises:
      InputError: If there is no such metric.
    """
    return [parse_metric(name) for name in dict.fromkeys(names)]


def networks_of(names: Iterable[str]) -> list[str]:
    """Names of the networks of the zoo that metrics need, each once.

    Raises:
      InputError: If there is no such metric.
      CheckpointError: If a relevance file is damaged.
    """
    from iqa_jax.zoo.functions import is_own  # noqa: PLC0415  imports flax

    models = [metric.readout.model for metric in parse_metrics(names) if metric.readout]
    return [model for model in dict.fromkeys(models) if not is_own(model)]


def groups(metrics: Iterable[MetricName]) -> list[list[MetricName]]:
    """Groups of metrics that are computed in one pass through a network."""
    found: dict[object, list[MetricName]] = {}
    for metric in metrics:
        found.setdefault(metric.group, []).append(metric)
    return list(found.values())


def outline_group(
    group: Sequence[MetricName],
    *,
    backbone: "Backbone | None" = None,
    checkpoints_dir: epath.PathLike | None = None,
    precision: str = "highest",
) -> PairFunction:
    """Checks metrics without loading the weights of a network.

    Args:
      group: One of :func:`groups`.
      backbone: Their network, if it is in memory.
      checkpoints_dir: See ``load_backbone``.
      precision: See ``load_backbone``.

    Returns:
      Outline of the function that computes the metrics under their ``computed`` names.

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
        backbone=backbone,
        checkpoints_dir=checkpoints_dir,
        precision=precision,
        protocol=group[0].protocol,
    )


def check_fetched(
    metrics: Iterable[MetricName], *, checkpoints_dir: epath.PathLike | None = None
) -> None:
    """Makes sure that the networks of published metrics have their weights.

    Args:
      metrics: Metrics; those that are not published under a name of their own are left out.
      checkpoints_dir: See ``load_backbone``.

    Raises:
      CheckpointError: If weights have not been fetched; it names all such metrics.
    """
    needed = {
        metric.name: metric.readout.model
        for metric in metrics
        if metric.readout and metric.name in READOUT_METRICS
    }
    if not needed:
        return
    from iqa_jax.zoo import has_weights  # noqa: PLC0415  loads flax

    absent = {
        name: model
        for name, model in needed.items()
        if not has_weights(model, checkpoints_dir=checkpoints_dir)
    }
    if absent:
        where = absolute(resolve_directory(checkpoints_dir))
        models = ", ".join(dict.fromkeys(absent.values()))
        raise CheckpointError(
            f"{', '.join(absent)}: there is no checkpoint {models} in {where}; fetch with: "
            f"iqa fetch --metrics={','.join(absent)}, or {NAME_ANOTHER}"
        )


def load_group(
    group: Sequence[MetricName],
    *,
    checkpoints_dir: epath.PathLike | None = None,
    precision: str = "highest",
) -> PairFunction:
    """Loads the function that computes the metrics of a group.

    Args:
      group: One of :func:`groups`.
      checkpoints_dir: See ``load_backbone``.
      precision: See ``load_backbone``.

    Raises:
      InputError: For the reasons of :func:`outline_group`.
      CheckpointError: If the weights have not been fetched, or are damaged.
    """
    check_fetched(group, checkpoints_dir=checkpoints_dir)
    outline = outline_group(group, checkpoints_dir=checkpoints_dir, precision=precision)
    return outline.fill(checkpoints_dir=checkpoints_dir)


def load_metric(
    what: "str | Backbone | Function",
    *,
    layers: str | Sequence[str] | None = None,
    readout: str | None = None,
    checkpoints_dir: epath.PathLike | None = None,
    precision: str = "highest",
) -> Metric:
    """Loads a metric.

    Args:
      what: One of :func:`list_metrics`, such as ``lpips-vgg``; any read-out,
        ``MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE]``, such as ``vgg16/relu3_3/l2``; the file of a
        learned relevance, ``FILE.safetensors``; or a network to read out: a backbone, a function as
        for ``load_backbone``, or, if ``layers`` or ``readout`` is given, the name of a model.
      layers: Layers of the network, ``"relu1+relu2"`` or a sequence of names; None for all but
        ``input``.
      readout: Read-out of the layers, ``READOUT[@RELEVANCE]``; None for ``unit``.
      checkpoints_dir: See ``load_backbone``.
      precision: See ``load_backbone``.

    Returns:
      A function ``metric(reference, distorted) -> [B]``.

    Raises:
      InputError: If there is no such metric, model, layer or read-out, or a relevance does not fit.
      CheckpointError: If the weights have not been fetched.

    Example:
      >>> import numpy as np, iqa_jax
      >>> black, white = np.zeros((1, 64, 64, 3)), np.ones((1, 64, 64, 3))
      >>> iqa_jax.load_metric("ssim")(black, black).tolist()
      [1.0]
      >>> metric = iqa_jax.load_metric("resnet20-random-none-seed0/conv1+layer1/unit")
      >>> bool(metric(black, black)[0] == 0 < metric(black, white)[0])
      True
      >>> def gradient(images):
      ...     return {"across": images[:, :, 1:] - images[:, :, :-1]}
      >>> iqa_jax.load_metric(gradient, readout="l2")
      Metric('gradient/across/l2', lower is better, from 0)
    """
    where: dict[str, Any] = {"checkpoints_dir": checkpoints_dir}
    if isinstance(what, str) and layers is None and readout is None:
        metric = parse_metric(what)
        function = load_group([metric], precision=precision, **where)
        return Metric(function, what, metric.higher_is_better)
    if isinstance(what, str) and find_metric(what):
        raise InputError(
            f"{what} is a metric with its own layers and read-out; give the name of a model, or "
            "leave out layers and readout"
        )
    from iqa_jax.metrics.readout_metric import read_out  # noqa: PLC0415  imports flax
    from iqa_jax.zoo import load_backbone, load_relevance  # noqa: PLC0415

    backbone = load_backbone(what, precision=precision, **where)
    kind, name = parse_readout(readout or "unit")
    relevance = load_relevance(name, **where) if name else None
    return read_out(backbone, layers, kind, relevance=relevance)
