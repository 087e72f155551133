"""Limits of scores for people who guard pictures: ``METRIC:VALUE``."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from iqa_jax.errors import InputError
from iqa_jax.metrics import parse_metric


@dataclass(frozen=True)
class Limit:
    """The worst score of a metric that is accepted.

    Attributes:
      metric: Name of the metric.
      value: The score.
      higher_is_better: Direction of the metric; worse scores than ``value`` are beyond the limit.
    """

    metric: str
    value: float
    higher_is_better: bool

    @property
    def text(self) -> str:
        """The limit as written on the command line."""
        return f"{self.metric}:{self.value:g}"

    def exceeded(self, scores: np.ndarray) -> np.ndarray:
        """Which scores are beyond the limit, bool ``[pairs]``; a missing score is not."""
        return scores < self.value if self.higher_is_better else scores > self.value

    def complaint(self, score: float) -> str:
        """Sentence about a score that is beyond the limit."""
        relation = "below" if self.higher_is_better else "above"
        return f"{self.metric} is {score:.6g}, {relation} {self.value:g}"


def parse_limits(texts: Sequence[str], metrics: Sequence[str]) -> list[Limit]:
    """Parses limits.

    Args:
      texts: Limits as ``METRIC:VALUE``; the name of a metric may contain colons.
      metrics: Names of the metrics that are computed.

    Raises:
      InputError: If a limit is malformed, its metric is not computed, or has two limits.
    """
    found: dict[str, Limit] = {}
    for text in texts:
        metric, _, number = text.rpartition(":")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not metric or not math.isfinite(value):
            raise InputError(f"fail_beyond: expected METRIC:VALUE, such as ssim:0.95, got {text!r}")
        if metric not in metrics:
            raise InputError(
                f"fail_beyond: {metric} is not computed; add it to --metrics, which has "
                f"{', '.join(metrics)}"
            )
        if metric in found:
            raise InputError(f"fail_beyond: {metric} has two limits; keep one")
        found[metric] = Limit(metric, value, parse_metric(metric).higher_is_better)
    return list(found.values())
