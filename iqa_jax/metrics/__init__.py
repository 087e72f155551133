"""Metrics: functions from a pair of images to a score, to be compiled and differentiated."""

from iqa_jax.metrics.functions import (
    flip,
    gmsd,
    haarpsi,
    mdsi,
    ms_gmsd,
    ms_ssim,
    nlpd,
    psnr,
    ssim,
    ssimulacra2,
    vif,
)
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
    "gmsd",
    "groups",
    "haarpsi",
    "list_metrics",
    "load_group",
    "load_metric",
    "mdsi",
    "ms_gmsd",
    "ms_ssim",
    "nlpd",
    "outline_group",
    "parse_metric",
    "parse_metrics",
    "psnr",
    "ssim",
    "ssimulacra2",
    "vif",
]
