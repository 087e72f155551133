"""The registry as a table for the terminal, and the sources of all weights as JSON."""

import dataclasses
import json

from iqa_jax.text import aligned
from iqa_jax.weights.download import UrlFile
from iqa_jax.zoo.entries import Model, Source
from iqa_jax.zoo.registry import MODELS, RELEVANCES, STUDY

HEADER = ("model", "architecture", "goal", "environment", "from", "parameters", "top-1", "probe")
"""Columns of the table."""


def table() -> str:
    """The networks of the registry, one per line, and a legend."""
    rows = [
        (name + ("*" if model.in_study else ""), *facts(model)) for name, model in MODELS.items()
    ]
    study = sum(model.in_study for model in MODELS.values())
    legend = (
        f"{len(MODELS)} networks; * the {study} of {STUDY}.\n"
        "parameters: millions in the convolutional part. top-1: percent on ImageNet-1k after\n"
        "supervised training; probe: the same for a linear classifier on the frozen features.\n"
        "Untrained networks need no file and exist for every seed."
    )
    return "\n".join([*aligned(HEADER, rows, text_columns=5), "", legend, ""])


def manifest() -> str:
    """Contents of ``MANIFEST.json``: sources of each checkpoint with hash, licence and citation."""
    entries = {
        name: [_source(conversion.source) for conversion in entry.conversions]
        for name, entry in (*MODELS.items(), *RELEVANCES.items())
        if entry.conversions
    }
    return json.dumps(entries, indent=2) + "\n"


def _source(source: Source) -> dict[str, str | int | None]:
    return {
        **dataclasses.asdict(source.file),
        "sha256": source.sha256,
        "licence": source.licence,
        "citation": source.citation,
    }


def facts(model: Model) -> tuple[str, ...]:
    """Facts about a network for the table, in the order of :data:`HEADER` after the name."""
    return (
        model.architecture,
        model.goal,
        model.environment,
        _origin(model),
        f"{model.parameters / 1e6:.2f}",
        _percent(model.top1),
        _percent(model.linear_probe),
    )


def _origin(model: Model) -> str:
    if not model.conversions:
        return "seed"
    file = model.conversions[0].source.file
    return "download" if isinstance(file, UrlFile) else file.distribution


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
