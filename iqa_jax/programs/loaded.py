"""Networks and metrics in memory, alongside those that are loaded by name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING

from etils import epath

from iqa_jax.metrics import Metric, MetricName, check_fetched, outline_group, parse_metric
from iqa_jax.metrics.pair_function import PairFunction
from iqa_jax.readouts import ReadoutName

if TYPE_CHECKING:
    from iqa_jax.backbones import Backbone
    from iqa_jax.zoo import Relevance, TrainingData


@dataclass(frozen=True)
class LoadedMetric(MetricName):
    """A metric in memory.

    Attributes:
      metric: The metric.
    """

    _: KW_ONLY
    metric: Metric

    @classmethod
    def of(cls, metric: Metric) -> "LoadedMetric":
        """The metric under its own name."""
        readouts: Sequence[ReadoutName] = getattr(metric.function, "readouts", ())
        return cls(metric.name, next(iter(readouts), None), metric=metric)

    @property
    def computed(self) -> str:
        """Name under which its function computes it."""
        (name,) = self.metric.function.names
        return name

    @property
    def higher_is_better(self) -> bool:
        """Its direction."""
        return self.metric.higher_is_better

    @property
    def group(self) -> tuple[str | None, None]:
        """Its own name: it shares its pass through a network with no other metric."""
        return self.name, None

    @property
    def training(self) -> "TrainingData | None":
        """The pairs that its channel weights were learned from; None if unknown or none."""
        relevances: Sequence[Relevance] = getattr(self.metric.function, "relevances", ())
        return next((each.training for each in relevances), None)


@dataclass(frozen=True)
class Loaded:
    """Networks and metrics in memory, by name; all others are loaded by their names.

    Attributes:
      backbones: Networks by name.
      metrics: Metrics by name.
    """

    backbones: "Mapping[str, Backbone]" = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)

    def layers(self, model: str) -> tuple[str, ...]:
        """Names of the layers of a model in forward order, ``input`` first."""
        from iqa_jax.zoo import model_layers  # noqa: PLC0415  loads flax

        backbone = self.backbones.get(model)
        return backbone.layers if backbone else model_layers(model)

    def layers_on_request(self, model: str) -> tuple[str, ...]:
        """Names of further layers of a model, which belong to ``all`` only if it selects them."""
        from iqa_jax.zoo import layers_on_request  # noqa: PLC0415  loads flax

        backbone = self.backbones.get(model)
        return backbone.network.on_request if backbone else layers_on_request(model)

    def parse(self, names: Iterable[str]) -> list[MetricName]:
        """The metrics with some names, each once."""
        return [
            LoadedMetric.of(self.metrics[name]) if name in self.metrics else parse_metric(name)
            for name in dict.fromkeys(names)
        ]

    def holds(self, group: Sequence[MetricName]) -> bool:
        """Whether the network or metric that computes a group is in memory."""
        first = group[0]
        readout = first.readout
        return first.name in self.metrics or bool(readout and readout.model in self.backbones)

    def check_fetched(
        self,
        groups: Iterable[Sequence[MetricName]],
        *,
        checkpoints_dir: epath.PathLike | None = None,
    ) -> None:
        """Makes sure that published metrics that are not in memory have their weights.

        Raises:
          CheckpointError: If weights have not been fetched; it names all such metrics.
        """
        by_name = (metric for group in groups if not self.holds(group) for metric in group)
        check_fetched(by_name, checkpoints_dir=checkpoints_dir)

    def outline(
        self,
        group: Sequence[MetricName],
        *,
        checkpoints_dir: epath.PathLike | None = None,
        precision: str = "highest",
    ) -> PairFunction:
        """Checks a group of metrics without loading weights; see :func:`outline_group`.

        Args:
          group: Metrics that are computed in one pass.
          checkpoints_dir: Folder of all checkpoints.
          precision: Precision of networks that are loaded by name.
        """
        first = group[0]
        if isinstance(first, LoadedMetric):
            return first.metric.function
        return outline_group(
            group,
            backbone=self.backbones.get(first.readout.model) if first.readout else None,
            checkpoints_dir=checkpoints_dir,
            precision=precision,
        )

    def fill(
        self,
        group: Sequence[MetricName],
        outline: PairFunction,
        *,
        checkpoints_dir: epath.PathLike | None = None,
    ) -> PairFunction:
        """Loads the weights of an outline, if they are not in memory.

        Args:
          group: Metrics that are computed in one pass.
          outline: Result of :meth:`outline` for them.
          checkpoints_dir: Folder of all checkpoints.
        """
        return outline if self.holds(group) else outline.fill(checkpoints_dir=checkpoints_dir)


NOTHING_LOADED = Loaded()
