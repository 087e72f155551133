"""Every file that the registry knows, as JSON: what ``checkpoints/MANIFEST.json`` holds."""

import dataclasses
import json
from collections.abc import Iterator

from iqa_jax.zoo.entries import Conversion
from iqa_jax.zoo.registry import MODELS, RELEVANCES


def manifest() -> str:
    """The manifest: for each checkpoint its sources with hash, licence and citation."""
    entries = {
        name: [_source(conversion) for conversion in conversions]
        for name, conversions in _checkpoints()
        if conversions
    }
    return json.dumps(entries, indent=2) + "\n"


def _checkpoints() -> Iterator[tuple[str, tuple[Conversion, ...]]]:
    for entries in (MODELS, RELEVANCES):
        for name, entry in entries.items():
            yield name, entry.conversions


def _source(conversion: Conversion) -> dict[str, str | int | None]:
    source = conversion.source
    return {
        **dataclasses.asdict(source.file),
        "sha256": source.sha256,
        "licence": source.licence,
        "citation": source.citation,
    }
