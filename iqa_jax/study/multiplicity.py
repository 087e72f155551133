"""Several tests, and several sources of photographs."""

import math
from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple

import numpy as np
from scipy import stats

from iqa_jax.errors import InputError
from iqa_jax.study.estimates import ALPHA

LEAST_COMBINED = 4
"""Minimum number of sources for a meta-analysis; fewer are counted instead."""


class Combined(NamedTuple):
    """Random-effects mean of a difference over sources of photographs.

    Attributes:
      value: Paule and Mandel's mean.
      low: Lower end of the interval by Hartung and Knapp.
      high: Upper end of the same.
      p: Two-sided p-value of the mean.
      i2: Share of the variance that is between the sources, in [0, 1].
      low_new: Lower end of the prediction interval for another source.
      high_new: Upper end of the same.
    """

    value: float
    low: float
    high: float
    p: float
    i2: float
    low_new: float
    high_new: float


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted by Holm's method; NaN, which no test gives, stays and is not counted.

    Args:
      p_values: The p-values.
    """
    adjusted = np.asarray(p_values, np.float64).copy()
    tested = np.flatnonzero(np.isfinite(adjusted))
    ordered = tested[np.argsort(adjusted[tested])]
    multiplied = adjusted[ordered] * np.arange(len(ordered), 0, -1)
    adjusted[ordered] = np.minimum(1.0, np.maximum.accumulate(multiplied))
    return adjusted.tolist()


def combine(values: Sequence[float], errors: Sequence[float]) -> Combined:
    """Combines a difference over sources: Paule and Mandel with Hartung and Knapp.

    Args:
      values: The difference on each source.
      errors: Their standard errors.
    """
    meta = _statsmodels().stats.meta_analysis
    variances = np.square(errors)
    found = meta.combine_effects(
        np.asarray(values), variances, method_re="iterated", use_t=True, alpha=ALPHA
    )
    mean, error, df = float(found.mean_effect_re), float(found.sd_eff_w_re_hksj), found.df_resid
    width = float(stats.t.isf(ALPHA / 2, df))
    spread = math.sqrt(max(float(found.tau2), 0.0) + error**2)
    of_new = float(stats.t.isf(ALPHA / 2, max(len(values) - 2, 1))) * spread
    p = float(2 * stats.t.sf(np.abs(mean) / error, df)) if error > 0 else float(mean == 0)
    i2 = max(float(found.i2), 0.0)
    return Combined(
        *(mean, mean - width * error, mean + width * error, p, i2), mean - of_new, mean + of_new
    )


def partial_conjunction(p_values: Sequence[float]) -> float:
    """p-value of an effect on more than half of several sources (Benjamini and Heller 2008).

    Args:
      p_values: p-value on each source, 1 where the effect has the other sign.
    """
    ordered, needed = sorted(p_values), len(p_values) // 2 + 1
    return min(1.0, (len(ordered) - needed + 1) * ordered[needed - 1])


def _statsmodels() -> ModuleType:
    try:
        import statsmodels  # noqa: PLC0415  belongs to the extra "study"
        import statsmodels.stats.meta_analysis  # noqa: PLC0415
    except ImportError as error:
        raise InputError(
            "the study needs statsmodels; install it with: pip install 'jax-iqa[study]'"
        ) from error
    return statsmodels
