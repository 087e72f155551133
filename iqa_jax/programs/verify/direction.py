"""Whether the scores point the way that their dataset says: PSNR has to agree with them in sign.

PSNR is a poor judge of quality, and yet a fair one of direction: on the published datasets it
correlates positively with the oriented scores. Versions of one reference are compared with each
other alone, and references are what is counted: how high PSNR and scores are differs from one
reference to the next by chance, which many pairs of few references would show as a correlation.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import special

from iqa_jax.agreement.correlation import spearman
from iqa_jax.datasets.table import PairTable, Question
from iqa_jax.metrics.gray import PEAK
from iqa_jax.metrics.peak_signal_to_noise import HIGHEST_DECIBELS
from iqa_jax.programs.verify.checks import Check, Verdict
from iqa_jax.programs.verify.examination import Examination

LEAST_PAIRS = 10
"""With fewer judgements nothing is said."""

LEAST_REFERENCES = 5
"""With fewer it cannot be told how much references differ: no disagreement is called a problem."""

_LEAST_ERROR = PEAK**2 / 10 ** (HIGHEST_DECIBELS / 10)
"""Images that differ by less have one PSNR."""

_CHANCE = 0.01
"""How often chance alone may go as far, on either side."""


class _Agreement(NamedTuple):
    """How well PSNR agrees with people, from -1 to 1, in groups that have nothing in common.

    Attributes:
      values: Of each group.
      variances: Of these, if there is no relation and versions are independent.
      judgements: How many could be compared, in all groups.
      has_references: Whether groups are references; else one group holds a pair of each reference.
    """

    values: np.ndarray
    variances: np.ndarray
    judgements: int
    has_references: bool = True

    @property
    def is_certain(self) -> bool:
        """Whether there are enough references to see how much they differ."""
        return not self.has_references or len(self.values) >= LEAST_REFERENCES

    @property
    def mean(self) -> float:
        """Over the groups; NaN if there is none."""
        return float(self.values.mean()) if self.values.size else math.nan

    @property
    def evidence(self) -> float:
        """The mean in multiples of what chance alone exceeds once in a hundred.

        By a t test over the references, whose standard error is taken to be no smaller than it is
        for independent versions; with few references by that alone.
        """
        groups = len(self.values)
        error, limit = math.sqrt(self.variances.mean() / groups), special.ndtri(1 - _CHANCE)
        if self.has_references and self.is_certain:
            error = max(error, self.values.std(ddof=1) / math.sqrt(groups))
            limit = special.stdtrit(groups - 1, 1 - _CHANCE)
        return self.mean / (error * limit)


def check_direction(table: PairTable, examination: Examination) -> Check:
    """Compares PSNR with the oriented scores.

    For opinions by the mean over references of Spearman's correlation between their versions, which
    has to be positive (where no reference has two versions, by the correlation of all pairs). For
    two alternatives by the mean over references of the share of triplets whose version of higher
    PSNR is the one that most observers preferred (equal PSNR counts one half), which has to exceed
    one half.

    Returns:
      The check. No verdict where too few pairs can be compared, PSNR or the scores are constant, or
      the value is as near to no relation as chance may bring it. Of fewer references than
      :data:`LEAST_REFERENCES` a disagreement is noted, and no problem.
    """
    psnr = -np.maximum(examination.squared_errors, _LEAST_ERROR)  # its order, which is all it takes
    scores = np.array([pair.score for pair in table.pairs], np.float64)
    contents = np.array([pair.reference_id or pair.reference for pair in table.pairs])
    if table.protocol is Question.TWO_ALTERNATIVES:
        agreement = _of_triplets(psnr, scores, contents)
        found = 0.5 + 0.5 * agreement.mean
        subject, expected = "triplets where PSNR agrees (share)", "above 0.5"
    else:
        agreement = _of_versions(psnr, scores if table.higher_is_better else -scores, contents)
        found = agreement.mean
        subject, expected = "PSNR against scores (Spearman)", "above 0"
    if not examination.is_decoded:
        return Check(subject, Verdict.NOT_CHECKED, None, expected)
    found, advice = None if math.isnan(found) else found, ""
    count = agreement.judgements
    if count < LEAST_PAIRS:
        found, why = None, f"only {count} can be compared, of the {LEAST_PAIRS} that it takes"
    elif found is None:
        why = "PSNR or the scores are the same for all versions of a reference"
    elif abs(agreement.evidence) < 1:
        why = (
            f"of {count}, chance alone may bring such a value; if these are the images that people "
            "saw, look whether they stand beside their own scores"
        )
    elif agreement.evidence > 0:
        return Check(subject, Verdict.OK, found, expected)
    elif agreement.is_certain:
        return Check(subject, Verdict.PROBLEM, found, expected, (), _advice(table))
    else:
        references = len(agreement.values)
        why = f"there are only {references} references, of the {LEAST_REFERENCES} that it takes"
        advice = f" {_advice(table)}"
    return Check(subject, Verdict.NOTE, found, expected, (), f"Cannot be judged: {why}.{advice}")


def _advice(table: PairTable) -> str:
    direction = "higher" if table.higher_is_better else "lower"
    return (
        f"The scores are taken to be {direction} for better images, and images of higher PSNR have "
        "the worse ones: the direction is the other (for csv say --score_direction), or the scores "
        "stand beside the wrong images."
    )


def _of_versions(psnr: np.ndarray, quality: np.ndarray, contents: np.ndarray) -> _Agreement:
    """Spearman's correlation between the versions of each reference."""
    usable = np.isfinite(psnr) & np.isfinite(quality)
    psnr, quality = psnr[usable], quality[usable]
    _, of_reference, sizes = np.unique(contents[usable], return_inverse=True, return_counts=True)
    has_references = sizes.max(initial=0) > 1
    if not has_references:  # each pair is another reference: they are independent as they are
        of_reference, sizes = np.zeros(len(quality), int), np.array([len(quality)])
    ends = np.cumsum(sizes)[:-1]
    groups = [
        rows
        for rows in np.split(np.argsort(of_reference, kind="stable"), ends)
        if len(rows) > 1 and np.ptp(psnr[rows]) > 0 and np.ptp(quality[rows]) > 0
    ]
    return _Agreement(
        values=np.array([spearman(psnr[rows], quality[rows]) for rows in groups]),
        variances=np.array([1 / (len(rows) - 1) for rows in groups]),  # whatever ties there are
        judgements=len(quality),
        has_references=bool(has_references),
    )


def _of_triplets(psnr: np.ndarray, scores: np.ndarray, contents: np.ndarray) -> _Agreement:
    """Agreement (1), disagreement (-1) or neither (0), over the triplets of each reference.

    Those without a majority are left out.
    """
    fidelity, preference = (np.diff(values.reshape(-1, 2))[:, 0] for values in (psnr, scores))
    usable = np.isfinite(fidelity) & np.isfinite(preference) & (preference != 0)
    agreeing = np.sign(fidelity[usable]) * np.sign(preference[usable])
    _, of_reference, sizes = np.unique(
        contents[::2][usable], return_inverse=True, return_counts=True
    )
    return _Agreement(
        values=np.bincount(of_reference, agreeing, len(sizes)) / sizes,
        variances=1 / sizes,
        judgements=len(agreeing),
    )
