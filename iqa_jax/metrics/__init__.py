"""Metrics: functions from a pair of images to a score, to be compiled and differentiated."""

from iqa_jax.metrics.feature_functions import fsim, fsimc, gmsd, haarpsi, mdsi, ms_gmsd, vsi
from iqa_jax.metrics.functions import flip, iw_ssim, ms_ssim, nlpd, psnr, ssim, ssimulacra2, vif
from iqa_jax.metrics.metric import Metric
from iqa_jax.metrics.registry import (
    MetricName,
    check_fetched,
    find_metric,
    groups,
    list_metrics,
    load_group,
    load_metric,
    networks_of,
    outline_group,
    parse_metric,
    parse_metrics,
)

__all__ = [
    "Metric",
    "MetricName",
    "check_fetched",
    "find_metric",
    "flip",
    "fsim",
    "fsimc",
    "gmsd",
    "groups",
    "haarpsi",
    "iw_ssim",
    "list_metrics",
    "load_group",
    "load_metric",
    "mdsi",
    "ms_gmsd",
    "ms_ssim",
    "networks_of",
    "nlpd",
    "outline_group",
    "parse_metric",
    "parse_metrics",
    "psnr",
    "ssim",
    "ssimulacra2",
    "vif",
    "vsi",
]
