"""Metrics: a score for each pair, as functions that can be compiled and differentiated."""

from iqa_jax.metrics.metric import Metric, compute_maps
from iqa_jax.metrics.names import MetricName, find_metric, list_metrics, parse_metric, parse_metrics
from iqa_jax.metrics.registry import Group, check_group, groups, load_group, load_metric

__all__ = [
    "Group",
    "Metric",
    "MetricName",
    "check_group",
    "compute_maps",
    "find_metric",
    "groups",
    "list_metrics",
    "load_group",
    "load_metric",
    "parse_metric",
    "parse_metrics",
]
