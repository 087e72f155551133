"""The metrics of a scoring, checked and loaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from iqa_jax.engine.run import environment
from iqa_jax.errors import InputError
from iqa_jax.images.resize import Resize
from iqa_jax.metrics import MetricName, groups
from iqa_jax.metrics.pair_function import PairFunction
from iqa_jax.programs.loaded import NOTHING_LOADED, Loaded
from iqa_jax.programs.score.settings import ScoreSettings


@dataclass(frozen=True)
class Scorers:
    """Metrics, checked and loaded.

    Attributes:
      settings: Settings of the scoring.
      resize: Resize of every image before it is scored.
      groups: Groups of metrics that share a pass through a network, with their functions.
      signature: Everything that the scores depend on besides the pairs, as JSON.
    """

    settings: ScoreSettings
    resize: Resize | None
    groups: Sequence[tuple[Sequence[MetricName], PairFunction]]
    signature: Mapping[str, Any]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the metrics, as requested."""
        return self.settings.metrics

    @property
    def mapped_metrics(self) -> list[str]:
        """Names of the metrics that have maps."""
        return [
            metric.name
            for group, scorer in self.groups
            for metric in group
            if metric.computed in scorer.mapped
        ]


def load_scorers(settings: ScoreSettings, *, loaded: Loaded = NOTHING_LOADED) -> Scorers:
    """Loads the metrics of a scoring.

    Args:
      settings: Settings of the scoring.
      loaded: Metrics in memory that the settings name.

    Raises:
      InputError: If a metric is unknown, its weights have not been fetched, or a setting is
        malformed.
    """
    resize = settings.parsed_resize
    wanted = groups(loaded.parse(settings.metrics))
    loaded.check_fetched(wanted, checkpoints_dir=settings.checkpoints_dir)
    scorers = [(group, _load(group, settings, loaded)) for group in wanted]
    if not scorers:
        raise InputError("nothing to score with: name at least one metric")
    signature = {
        "metrics": {
            metric.name: {
                "computed": metric.computed,
                "higher_is_better": metric.higher_is_better,
                **scorer.signature,
            }
            for group, scorer in scorers
            for metric in group
        },
        "resize": settings.resize,
        "versions": settings.versions or "auto",
        **environment(),
    }
    return Scorers(settings, resize, scorers, signature)


def _load(group: Sequence[MetricName], settings: ScoreSettings, loaded: Loaded) -> PairFunction:
    where = settings.checkpoints_dir
    outline = loaded.outline(group, checkpoints_dir=where, precision=settings.precision)
    return loaded.fill(group, outline, checkpoints_dir=where)
