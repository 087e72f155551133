"""Metrics: one distance a pair, as functions that can be compiled and differentiated."""

from iqa_jax.metrics.loading import load_metric
from iqa_jax.metrics.readout import ReadoutMetric

__all__ = ["ReadoutMetric", "load_metric"]
