"""What ``run.json`` says of the dataset and of the columns, for an analysis that comes later."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from iqa_jax.agreement.ceiling import Ceiling
from iqa_jax.datasets import PairTable
from iqa_jax.programs.evaluate.columns import ScoreColumn


def describe_dataset(table: PairTable, fingerprint: str, ceiling: Ceiling | None) -> dict[str, Any]:
    """The dataset, as far as it was scored.

    Args:
      table: The pairs.
      fingerprint: Fingerprint of these pairs.
      ceiling: What agreement the uncertainty of the scores allows; None where it is unknown.
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
    """What each column is, by its name.

    ``model`` is the network that is read out; the pixels are none, and neither model nor layers are
    said of scores that were given.
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
