"""Metrics: a score for each pair, as functions that can be compiled and differentiated."""

from iqa_jax.metrics.metric import Metric
from iqa_jax.metrics.registry import (
    MetricName,
    find_metric,
    groups,
    list_metrics,
    load_group,
    load_metric,
    outline_group,
    parse_metric,
    parse_metrics,
)

__all__ = [
    "Metric",
    "MetricName",
    "find_metric",
    "groups",
    "list_metrics",
    "load_group",
    "load_metric",
    "outline_group",
    "parse_metric",
    "parse_metrics",
]
