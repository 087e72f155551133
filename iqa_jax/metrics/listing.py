"""The published metrics as a table for the terminal."""

import math

from iqa_jax.bibliography import citation_text
from iqa_jax.metrics.citing import uses_of
from iqa_jax.metrics.pixels import PIXEL_METRICS
from iqa_jax.metrics.registry import READOUT_METRICS, list_metrics, parse_metric
from iqa_jax.metrics.speed import SPEEDS
from iqa_jax.text import aligned

HEADER = ("metric", "direction", "range", "speed", "computed from", "publications")
"""Columns of the table."""


def table() -> str:
    """The published metrics, one per line, and a legend."""
    rows = [(name, *facts(name)) for name in list_metrics()]
    (fast, medium), slow = list(SPEEDS.items())[:-1], list(SPEEDS)[-1]
    legend = (
        "speed, compared with ssim on a CPU: "
        f"{fast[0]} up to {fast[1]:g} times its time, {medium[0]} up to {medium[1]:g}, "
        f"{slow} beyond.\n"
        "Any read-out is a metric, too: MODEL/LAYER[+LAYER...]/READOUT[@RELEVANCE]."
    )
    return "\n".join([*aligned(HEADER, rows, text_columns=len(HEADER)), "", legend, ""])


def facts(name: str) -> tuple[str, ...]:
    """Facts about a metric, in the order of :data:`HEADER` after the name.

    Args:
      name: One of ``list_metrics()``.
    """
    metric = parse_metric(name)
    keys = dict.fromkeys(key for each in uses_of(name).values() for key in each)
    computed = str(metric.readout) if metric.readout else "pixels"
    entry = READOUT_METRICS[name] if metric.readout else PIXEL_METRICS[name]
    ends = PIXEL_METRICS[name].score_range if not metric.readout else (0.0, math.inf)
    return (
        "similarity" if metric.higher_is_better else "distance",
        _range(ends),
        entry.speed,
        computed,
        citation_text(keys) or "-",
    )


def _range(ends: tuple[float, float]) -> str:
    """Lowest and highest score in words."""
    low, high = ends
    if math.isinf(high):
        return f"{low:g} or more"
    return f"{high:g} or less" if math.isinf(low) else f"{low:g} to {high:g}"
