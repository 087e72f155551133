"""The registry as a table, as CSV and as JSON, and the sources of all weights as JSON."""

import dataclasses
import json
from typing import Any

from iqa_jax.text import aligned, csv_text
from iqa_jax.weights.download import UrlFile
from iqa_jax.zoo.entries import Model, Source
from iqa_jax.zoo.registry import MODELS, RELEVANCES, STUDY46

FACTS = (
    "architecture",
    "family",
    "trunk",
    "depth",
    "goal",
    "goal_family",
    "environment",
    "labels",
    "luminance_only",
    "epochs",
    "training_resolution",
    "recipe",
    "parameters",
    "top1",
    "linear_probe",
    "accuracy_source",
    "seed",
    "calibrated",
)
"""Facts about a network, which are attributes of its entry."""

HEADER = ("model", "goal", "environment", "trunk", "recipe", "from")
NUMBERS = ("depth", "epochs", "pixels", "parameters", "top-1", "probe")
"""Columns of the table: text and numbers."""


def facts(model: Model) -> dict[str, Any]:
    """The facts about a network by name, and where its weights come from."""
    return {name: getattr(model, name) for name in FACTS} | {"weights": _origin(model)}


def as_csv() -> str:
    """The networks of the registry and all facts about them as comma-separated values."""
    header = ("model", *FACTS, "weights")
    return csv_text(header, ((name, *facts(model).values()) for name, model in MODELS.items()))


def as_json() -> str:
    """The networks of the registry and all facts about them as JSON, by name."""
    return json.dumps({name: facts(model) for name, model in MODELS.items()}, indent=2) + "\n"


def table() -> str:
    """The networks of the registry, one per line, and a legend."""
    rows = [
        (name + ("*" if model.in_study else ""), *cells(model)) for name, model in MODELS.items()
    ]
    study = sum(model.in_study for model in MODELS.values())
    legend = (
        f"{len(MODELS)} networks; * the {study} of {STUDY46}.\n"
        "depth: layers with weights on the longest path. pixels: height and width of the training\n"
        "images. parameters: millions in the convolutional part. top-1: percent on ImageNet-1k\n"
        "after supervised training; probe: the same for a linear classifier on frozen features.\n"
        "Untrained networks need no file and exist for every seed."
    )
    lines = aligned((*HEADER, *NUMBERS), rows, text_columns=len(HEADER))
    return "\n".join([*lines, "", legend, ""])


def cells(model: Model) -> tuple[str, ...]:
    """Cells of the table for a network, after its name."""
    return (
        model.goal,
        model.environment,
        model.trunk,
        model.recipe,
        _origin(model),
        str(model.depth),
        _number(model.epochs),
        _number(model.training_resolution),
        f"{model.parameters / 1e6:.2f}",
        _percent(model.top1),
        _percent(model.linear_probe),
    )


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


def _origin(model: Model) -> str:
    if not model.conversions:
        return "seed"
    file = model.conversions[0].source.file
    return "download" if isinstance(file, UrlFile) else file.distribution


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)
