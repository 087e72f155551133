"""Rows of the tables of contrasts and claims, and the pseudo-values behind them."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from iqa_jax.study.decisions import ALL, Verdict
from iqa_jax.study.findings import Contrast, Finding
from iqa_jax.study.pseudovalues import MEASURES, SPEARMAN, Pseudovalues


class ContrastRow(NamedTuple):
    """A comparison behind a claim; ``members`` are the networks behind groups."""

    claim: str
    dataset: str
    factor: str
    block: str
    a: str
    b: str
    readout: str
    measure: str
    quantity: str
    difference: float
    se: float
    df: float
    low: float
    high: float
    p: float
    p_holm: float
    p_tost: float
    margin: float
    margin_reached: float
    clean: bool
    confounds: str
    members: str


class ClaimRow(NamedTuple):
    """A claim on a dataset, or on all sources."""

    claim: str
    source: str
    text: str
    dataset: str
    readout: str
    measure: str
    estimand: str
    estimate: float
    low_images: float
    high_images: float
    low_networks: float
    high_networks: float
    p: float
    p_holm: float
    margin: float
    p_tost: float
    margin_reached: float
    networks: int
    contrasts: int
    blocks: int
    datasets: int
    replicated: str
    verdict: str
    robust: str
    reason: str
    note: str
    needed: str
    confounds: str


def contrast_rows(verdicts: Sequence[Verdict], margin: float) -> Iterator[ContrastRow]:
    """The comparisons behind the claims.

    Args:
      verdicts: Rows of the table of claims; those of all sources have no comparisons of their own.
      margin: Difference that counts as none.
    """
    for row in verdicts:
        if isinstance(row.finding, Finding) and row.dataset != ALL:
            for contrast in row.finding.contrasts:
                yield _contrast(row, contrast, margin)


def _contrast(row: Verdict, contrast: Contrast, margin: float) -> ContrastRow:
    images = contrast.images
    return ContrastRow(
        *(row.claim.id, row.dataset, contrast.factor, contrast.block, contrast.a, contrast.b),
        *(row.readout, SPEARMAN, contrast.quantity, images.value, images.error, images.df),
        *(images.low, images.high, contrast.p, contrast.p_holm),
        *(images.p_equivalent(margin), margin, images.margin_reached),
        *(contrast.clean, contrast.confounds, ",".join(contrast.members)),
    )


def claim_rows(verdicts: Sequence[Verdict], margin: float) -> Iterator[ClaimRow]:
    """The table of claims.

    Args:
      verdicts: The verdicts.
      margin: Difference that counts as none.
    """
    for row in verdicts:
        claim, found = row.claim, row.finding
        is_found = isinstance(found, Finding)
        yield ClaimRow(
            *(claim.id, claim.source, claim.text, row.dataset, row.readout, SPEARMAN),
            *(claim.estimand, row.estimate, row.low_images, row.high_images),
            *(row.low_networks, row.high_networks, row.p, row.p_holm, margin),
            *((found.p_tost, found.margin_reached) if is_found else (math.nan, math.nan)),
            *(found.count, len(found.contrasts) if is_found else 0),
            *(found.blocks if is_found else 0, row.sources),
            f"{row.replicated} of {row.sources}" if row.sources else "",
            *(row.verdict, row.robust, row.reason, found.note if is_found else ""),
            *(claim.needs, claim.confounds),
        )


def pseudovalue_arrays(datasets: Sequence[Pseudovalues]) -> dict[str, np.ndarray]:
    """Pseudo-values by ``DATASET/MEASURE``, with the columns and references of each dataset.

    Args:
      datasets: The datasets.
    """
    found: dict[str, np.ndarray] = {}
    for each in datasets:
        name = each.results.dataset
        found[f"{name}/columns"] = np.array([column.name for column in each.results.columns])
        found[f"{name}/references"] = np.unique(each.results.reference_ids)
        for measure in MEASURES:
            found[f"{name}/{measure}/values"] = each.whole[measure].values
            found[f"{name}/{measure}/psi"] = each.whole[measure].psi
    return found
