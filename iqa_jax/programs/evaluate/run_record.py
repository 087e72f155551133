"""Descriptions of the dataset and the columns in ``run.json``, for later analyses."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from iqa_jax.agreement.ceiling import Ceiling
from iqa_jax.datasets import PairTable
from iqa_jax.programs.evaluate.columns import ScoreColumn


def describe_dataset(table: PairTable, fingerprint: str, ceiling: Ceiling | None) -> dict[str, Any]:
    """Describes the pairs that were scored.

    Args:
      table: The pairs.
      fingerprint: Fingerprint of these pairs.
      ceiling: Agreement that the uncertainty of the scores allows; None if it is unknown.
    """
    return {
        "name": table.name,
        "fingerprint": fingerprint,
        "references": table.reference_count,
        "pairs": len(table.pairs),
        "published_pairs": table.published_pairs,
        "pairs_left_out": table.pairs_left_out,
        "protocol": table.protocol.value,
        "target": table.target,
        "higher_is_better": table.higher_is_better,
        "score_range": list(table.score_range),
        "opinions": table.opinions,
        "ceiling": asdict(ceiling) if ceiling else None,
        "licence": table.licence,
        "citation": table.citation,
    }


def describe_columns(columns: Sequence[ScoreColumn]) -> dict[str, dict[str, Any]]:
    """Describes each column, by its name.

    ``model`` is the network that is read out; it is None for the pixels, and model and layers are
    missing for scores that were given.
    """
    return {column.name: _describe(column) for column in columns}


def _describe(column: ScoreColumn) -> dict[str, Any]:
    readout = column.metric.readout if column.metric else None
    return {
        "kind": column.kind,
        "model": readout.model if readout and column.kind != "baseline" else None,
        "layers": list(readout.layers) if readout else [],
        "readout": readout.readout if readout else None,
        "relevance": readout.relevance if readout else None,
        "direction": column.direction,
        "in_sample": column.is_in_sample,
        "transductive": column.is_transductive,
    }
