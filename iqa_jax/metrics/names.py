"""What the names of metrics mean."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from iqa_jax.errors import InputError
from iqa_jax.images.resize import Resize
from iqa_jax.metrics.pixels import FULL_NAMES, PIXEL_METRICS
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
      name: As the user wrote it.
      readout: What it reads out; None for a pixel metric.
      resize: What its own protocol does to an image first.
    """

    name: str
    readout: ReadoutName | None
    resize: Resize | None = None

    @property
    def computed(self) -> str:
        """What it is in full, the name under which a comparison computes it."""
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
