"""Limits of scores for people who guard pictures: ``METRIC:VALUE``."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from iqa_jax.errors import InputError


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

    def is_exceeded(self, score: np.float32) -> bool:
        """Whether a score is beyond the limit; a missing score is not."""
        return bool(score < self.value if self.higher_is_better else score > self.value)

    def complaint(self, score: np.float32) -> str:
        """Sentence about a score that is beyond the limit."""
        relation = "below" if self.higher_is_better else "above"
        return f"{self.metric} is {score:.6g}, {relation} {self.value:g}"


def parse_limits(texts: Sequence[str], directions: Mapping[str, bool]) -> list[Limit]:
    """Parses limits.

    Args:
      texts: Limits as ``METRIC:VALUE``; the name of a metric may contain colons.
      directions: Whether higher scores are better, for each metric that is computed.

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
        if metric not in directions:
            raise InputError(
                f"fail_beyond: {metric} is not computed; expected one of {', '.join(directions)}"
            )
        if metric in found:
            raise InputError(f"fail_beyond: {metric} has two limits; keep one")
        found[metric] = Limit(metric, value, directions[metric])
    return list(found.values())
