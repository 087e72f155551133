"""A whole study: from folders of results to the rows of all tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from etils import epath

from iqa_jax.errors import InputError
from iqa_jax.study.claims import MARGIN, digest
from iqa_jax.study.evidence import Evidence
from iqa_jax.study.models_table import ModelRow, model_rows
from iqa_jax.study.published import PublishedRow, published_rows
from iqa_jax.study.reading import read_results
from iqa_jax.study.rows import (
    ClaimRow,
    ContrastRow,
    claim_rows,
    contrast_rows,
    pseudovalue_arrays,
)
from iqa_jax.study.verdicts import judge
from iqa_jax.text import do_you_mean

PREFERRED = ("l2", "rmse", "unit")
"""Read-outs for the confirmatory claims, the first that there is."""


@dataclass(frozen=True)
class Study:
    """All tables of a study.

    Attributes:
      claims: Rows of the table of claims, the primary read-out first.
      contrasts: Comparisons behind them.
      models: Quantities of networks and metrics.
      published: Correlations beside those that the authors published.
      pseudovalues: Pseudo-values of all columns, by name of the array.
      evidence: The datasets.
      readout: Primary read-out.
      margin: Difference that counts as none.
      digest: Version and hash of the table of claims.
    """

    claims: Sequence[ClaimRow]
    contrasts: Sequence[ContrastRow]
    models: Sequence[ModelRow]
    published: Sequence[PublishedRow]
    pseudovalues: Mapping[str, np.ndarray]
    evidence: Evidence
    readout: str
    margin: float
    digest: str


def run_study(
    folders: Sequence[epath.Path], *, readout: str | None = None, margin: float = MARGIN
) -> Study:
    """Tests all claims on results of evaluations.

    Args:
      folders: Folders that ``iqa evaluate`` and ``iqa train`` wrote.
      readout: Primary read-out; None for the first of :data:`PREFERRED` that there is.
      margin: Difference of Spearman's correlations that counts as none.

    Returns:
      The study. A claim that cannot be tested has a row that says why.

    Raises:
      InputError: If there are no results, they cannot be joined, or the read-out is not in them.
    """
    results, gains = read_results(folders)
    evidence = Evidence.of_results(results, gains, margin)
    if not evidence.native:
        raise InputError(
            "results: expected an evaluation at native size; found "
            f"{', '.join(each.resize for each in results) or 'none'}"
        )
    readouts = _readouts(evidence)
    primary = _primary(readouts, readout)
    others = [each for each in readouts if each != primary]
    verdicts = judge(evidence, primary)
    for other in others:
        verdicts += [
            row
            for row in judge(evidence, other, is_confirmatory=False)
            if not row.claim.from_training
        ]
    return Study(
        claims=[*claim_rows(verdicts, margin)],
        contrasts=[*contrast_rows(verdicts, margin)],
        models=[*model_rows(evidence, [primary, *others])],
        published=[row for each in evidence.native for row in published_rows(each)],
        pseudovalues=pseudovalue_arrays(evidence.native),
        evidence=evidence,
        readout=primary,
        margin=margin,
        digest=digest(margin),
    )


def _readouts(evidence: Evidence) -> list[str]:
    """Read-outs of single layers, in the order of the results."""
    return list(
        dict.fromkeys(
            column.readout
            for dataset in evidence.native
            for column in dataset.results.columns
            if column.is_layer
        )
    )


def _primary(readouts: Sequence[str], wanted: str | None) -> str:
    if wanted is None:
        found = [each for each in PREFERRED if each in readouts] or [*readouts, PREFERRED[0]]
        return found[0]
    if wanted not in readouts:
        raise InputError(
            f"readout: no layer is read out by {wanted!r}; {do_you_mean(wanted, readouts)}there "
            f"are: {', '.join(readouts) or 'none'}"
        )
    return wanted
