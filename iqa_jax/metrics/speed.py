"""Classes of metrics by the time that they take."""

import math
from collections.abc import Mapping

SPEEDS: Mapping[str, float] = {"fast": 3.0, "medium": 50.0, "slow": math.inf}
"""Greatest time of each class, as a multiple of that of ``ssim`` for the same images.

The times were measured on two CPU cores with images of 384x512 by
``scripts/benchmarks/metric_speed.py``; ``RESULTS.md`` there has the table. On accelerators networks
are nearer to SSIM.
"""


def speed_class(ratio: float) -> str:
    """Class of a metric that takes ``ratio`` times as long as ``ssim``."""
    return next(speed for speed, most in SPEEDS.items() if ratio <= most)
