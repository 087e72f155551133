"""Whether the scores point the way that their dataset says: PSNR has to agree with them in sign.

PSNR is a poor judge of quality, and yet a fair one of direction: on the published datasets it
correlates positively with the oriented scores.
"""

import math

import numpy as np

from iqa_jax.agreement import spearman
from iqa_jax.datasets.table import PairTable, Protocol
from iqa_jax.verification.checks import Check, Verdict
from iqa_jax.verification.examination import Examination

HIGHEST_DECIBELS = 100.0
"""Of identical images."""

LEAST_PAIRS = 10
"""With fewer judgements nothing is said."""

_LEAST_EVIDENCE = 2.33
"""Standard errors from no relation at all; on one side chance goes further once in a hundred."""

_PEAK = 255
_SPEARMAN_VARIANCE = 1.06
"""Of Fisher's z of a rank correlation, times the number of pairs less 3 (Fieller, Hartley and
Pearson, Tests for rank correlation coefficients I, Biometrika 44, 1957)."""


def decibels(squared_errors: np.ndarray) -> np.ndarray:
    """PSNR of 8-bit images, at most 100 dB.

    Args:
      squared_errors: ``[pairs]``, means in levels from 0 to 255; NaN stays NaN.
    """
    least = _PEAK**2 / 10 ** (HIGHEST_DECIBELS / 10)
    return 10 * np.log10(_PEAK**2 / np.maximum(squared_errors, least))


def check_direction(table: PairTable, examination: Examination) -> Check:
    """Compares PSNR with the oriented scores.

    For opinions by Spearman's correlation, which has to be positive; for two alternatives by the
    share of triplets whose version of higher PSNR is the one that most observers preferred (equal
    PSNR counts one half), which has to exceed one half.

    Returns:
      The check. No verdict where too few pairs can be compared, PSNR or the scores are constant, or
      the value is as near to no relation as chance may bring it.
    """
    psnr = decibels(examination.squared_errors)
    scores = np.array([pair.score for pair in table.pairs], np.float64)
    if table.protocol is Protocol.TWO_ALTERNATIVES:
        value, evidence, count = _share(psnr, scores)
        subject, expected = "triplets where PSNR agrees (share)", "above 0.5"
    else:
        value, evidence, count = _correlation(psnr, scores, table.higher_is_better)
        subject, expected = "PSNR against scores (Spearman)", "above 0"
    found = None if math.isnan(value) else value
    if not examination.is_decoded:
        return Check(subject, Verdict.NOT_CHECKED, None, expected)
    if count < LEAST_PAIRS:
        why = f"only {count} can be compared, of the {LEAST_PAIRS} that it takes"
    elif found is None:
        why = "PSNR or the scores are the same for all"
    elif abs(evidence) < _LEAST_EVIDENCE:
        why = (
            f"of {count}, chance alone may bring such a value; if these are the images that people "
            "saw, look whether they stand beside their own scores"
        )
    elif evidence > 0:
        return Check(subject, Verdict.OK, found, expected)
    else:
        return Check(subject, Verdict.PROBLEM, found, expected, (), _advice(table))
    return Check(subject, Verdict.NOTE, found, expected, (), f"Cannot be judged: {why}.")


def _advice(table: PairTable) -> str:
    direction = "higher" if table.higher_is_better else "lower"
    return (
        f"The scores are taken to be {direction} for better images, and images of higher PSNR have "
        "the worse ones: the direction is the other (for csv say --score_direction), or the scores "
        "stand beside the wrong images."
    )


def _correlation(
    psnr: np.ndarray, scores: np.ndarray, higher_is_better: bool
) -> tuple[float, float, int]:
    """The value, its distance from no relation in standard errors, and the number of pairs."""
    usable = np.isfinite(psnr) & np.isfinite(scores)
    fidelity, quality = psnr[usable], scores[usable] if higher_is_better else -scores[usable]
    count = len(quality)
    if count < LEAST_PAIRS or np.ptp(fidelity) == 0 or np.ptp(quality) == 0:
        return math.nan, 0.0, count
    found = spearman(fidelity, quality)
    inside = min(max(found, -1 + 1e-12), 1 - 1e-12)  # Fisher's z of 1 is infinite
    return found, math.atanh(inside) * math.sqrt((count - 3) / _SPEARMAN_VARIANCE), count


def _share(psnr: np.ndarray, scores: np.ndarray) -> tuple[float, float, int]:
    """The same for triplets; those without a majority are left out."""
    fidelity, preference = (np.diff(values.reshape(-1, 2))[:, 0] for values in (psnr, scores))
    usable = np.isfinite(fidelity) & np.isfinite(preference) & (preference != 0)
    count = int(usable.sum())
    if not count:
        return math.nan, 0.0, 0
    agreeing = 0.5 + 0.5 * np.sign(fidelity[usable]) * np.sign(preference[usable])
    share = float(agreeing.mean())
    return share, (share - 0.5) * 2 * math.sqrt(count), count
