"""Metrics: functions from a pair of images to a score, to be compiled and differentiated."""

from iqa_jax.metrics.functions import flip, ms_ssim, psnr, ssim, ssimulacra2
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
    "flip",
    "groups",
    "list_metrics",
    "load_group",
    "load_metric",
    "ms_ssim",
    "outline_group",
    "parse_metric",
    "parse_metrics",
    "psnr",
    "ssim",
    "ssimulacra2",
]
