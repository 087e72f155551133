"""What an evaluation found, as text for a terminal."""

import math
import re
from collections.abc import Iterable, Sequence

from iqa_jax.agreement import Agreement
from iqa_jax.evaluate import Evaluation
from iqa_jax.selection import Column
from iqa_jax.tables import aligned

_MOST_MODELS = 6
"""With more models than this the layers are left to ``correlations.csv``."""

_MOST_JOINED = 3

Found = tuple[Column, Agreement]


def report(evaluation: Evaluation) -> str:
    """Two tables: the best layer of every model and read-out, and every model's layers by depth.

    Correlations are oriented: positive means that smaller distances go with better scores.
    """
    table = evaluation.table
    references = evaluation.record["dataset"]["references"]
    direction = "higher is better" if table.higher_is_better else "lower is better"
    lines = [
        f"{table.name}: {len(table.pairs)} pairs of {references} references",
        f"target: {table.target}, {direction}",
        "",
        "Best layers and metrics, by Spearman's correlation",
        *_best(evaluation.agreements),
    ]
    models = list(
        dict.fromkeys(column.model for column, _ in evaluation.agreements if column.layer)
    )
    if len(models) <= _MOST_MODELS:
        for model in models:
            of_model = [found for found in evaluation.agreements if found[0].model == model]
            lines += ["", f"{model} by depth (Spearman, Pearson; * best)", *_by_depth(of_model)]
    return "\n".join(lines)


def best_layers(agreements: Iterable[Found]) -> list[Found]:
    """The best layer of each model and read-out, and every metric; the best of all first."""
    best: dict[tuple[str, str], Found] = {}
    for column, agreement in agreements:
        key = (column.model, column.readout)
        if key not in best or _rank(agreement) > _rank(best[key][1]):
            best[key] = column, agreement
    return sorted(best.values(), key=lambda found: _rank(found[1]), reverse=True)


def _rank(agreement: Agreement) -> float:
    return -math.inf if math.isnan(agreement.srcc) else agreement.srcc


def short_name(name: str) -> str:
    """The name of a layer or a metric with only the ends of a long concatenation."""
    return re.sub(rf"([^+/]+)(\+[^+/]+){{{_MOST_JOINED},}}(\+[^+/]+)", r"\1+...\3", name)


def _best(agreements: Sequence[Found]) -> list[str]:
    header = (
        "model",
        "layer",
        "read-out",
        "srcc",
        "plcc",
        "krcc",
        "plcc_logistic",
        "rmse_logistic",
    )
    rows = [
        (
            short_name(column.model),
            short_name(column.layer) or "-",
            column.readout or "-",
            _number(agreement.srcc),
            _number(agreement.plcc),
            _number(agreement.krcc),
            _number(agreement.logistic.plcc),
            _number(agreement.logistic.rmse)
            + ("" if agreement.logistic.converged else " (no fit)"),
        )
        for column, agreement in best_layers(agreements)
    ]
    return aligned(header, rows, text_columns=3)


def _by_depth(agreements: Sequence[Found]) -> list[str]:
    """A line a layer, first to last, with two numbers for each read-out."""
    readouts = list(dict.fromkeys(column.readout for column, _ in agreements))
    best = {id(agreement) for _, agreement in best_layers(agreements)}
    by_layer: dict[str, dict[str, Agreement]] = {}
    depths = {}
    for column, agreement in agreements:
        by_layer.setdefault(column.layer, {})[column.readout] = agreement
        depths[column.layer] = column.relative_depth
    rows = []
    for layer, by_readout in by_layer.items():
        depth = depths[layer]
        row = ["" if depth is None else f"{depth:.2f}", short_name(layer)]
        for readout in readouts:
            found = by_readout.get(readout)
            mark = "*" if id(found) in best else " "
            row += [_number(found.srcc) + mark, _number(found.plcc)] if found else ["", ""]
        rows.append(row)
    header = [
        "depth",
        "layer",
        *(f"{name} {kind}" for name in readouts for kind in ("srcc ", "plcc")),
    ]
    return aligned(header, rows, text_columns=2)


def _number(value: float) -> str:
    return "nan" if math.isnan(value) else f"{value:.3f}"
