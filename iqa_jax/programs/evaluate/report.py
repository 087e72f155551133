"""The report of an evaluation, as text for a terminal."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from iqa_jax.agreement.analysis import Analysis
from iqa_jax.agreement.columns import Column
from iqa_jax.agreement.layer_choice import Chosen
from iqa_jax.agreement.results import ColumnResult
from iqa_jax.programs.evaluate.evaluation import Evaluation
from iqa_jax.text import aligned, counted

_MOST_MODELS = 6
"""Number of models above which the report leaves the layers to ``correlations.csv``."""

_MOST_JOINED = 3

_CHOSEN_HERE = "chosen here"
"""Replaces an interval, which would cover the truth only half of the time."""
_IN_SAMPLE, _TRANSDUCTIVE = "(i)", "(t)"
_MARKS = {
    _IN_SAMPLE: "in sample: learned from this dataset, or from the same photographs",
    _TRANSDUCTIVE: "transductive: compared with means over this dataset, or the same photographs",
}


def report_text(evaluation: Evaluation) -> str:
    """The report: the dataset, the best layers of every model, and all layers by depth.

    Correlations are oriented: positive means that smaller distances go with better scores.
    """
    analysis = evaluation.analysis
    results = analysis.forced_choices or analysis.results
    tables = _forced_choices(analysis) if analysis.forced_choices else _correlations(analysis)
    marks = [f"  {line}" for line in legend(result.column for result in results)]
    notes = [line for warning in analysis.warnings for line in ("", f"Note: {warning}")]
    return "\n".join([*_heading(evaluation), "", *tables, *marks, *notes])


def _heading(evaluation: Evaluation) -> Iterator[str]:
    table = evaluation.table
    references = evaluation.record["dataset"]["references"]
    direction = "higher is better" if table.higher_is_better else "lower is better"
    pairs = f"{counted(len(table.pairs), 'pairs')} of {counted(references, 'references')}"
    yield f"{table.name}: {pairs}"
    yield f"target: {table.target}, {direction}"
    ceiling = evaluation.analysis.ceiling
    if ceiling:
        yield (
            "ceiling, the true quality against these scores: "
            f"srcc {_number(ceiling.srcc)}, plcc {_number(ceiling.plcc)}"
        )
        if not math.isnan(ceiling.observer_plcc):
            yield (
                "one more observer against these scores: "
                f"srcc {_number(ceiling.observer_srcc)}, plcc {_number(ceiling.observer_plcc)}"
            )


def _correlations(analysis: Analysis) -> Iterator[str]:
    if analysis.chosen:
        yield from _chosen(analysis.chosen)
        yield ""
    yield "Best layers on these data (optimistic) and metrics, by Spearman's correlation"
    yield from _best(analysis)
    columns = [result.column for result in analysis.results]
    models = list(dict.fromkeys(column.model for column in columns if column.layer))
    if len(models) <= _MOST_MODELS:
        for model in models:
            yield ""
            yield f"{model} by depth (Spearman, Pearson; * best)"
            yield from _by_depth([each for each in analysis.results if each.column.model == model])


def _forced_choices(analysis: Analysis) -> list[str]:
    """All columns, the best first, with their scores in each subset; an observer is the last."""
    ranked = sorted(
        analysis.forced_choices, key=lambda each: _nan_last(each.subsets.mean.score), reverse=True
    )
    first, has_intervals = ranked[0].subsets, analysis.has_intervals
    header = ("model", "layer", "read-out", *first.subsets, "mean", *["95 %"] * has_intervals)
    rows = []
    for result in ranked:
        found = result.subsets
        scores = [_number(subset.score) for subset in (*found.subsets.values(), found.mean)]
        interval = [_interval(found.mean.interval)] * has_intervals
        rows.append((*_names(result.column), *scores, *interval))
    subsets, empty = (*first.subsets.values(), first.mean), [""] * has_intervals
    rows.append(("best possible", "-", "-", *(_number(each.best) for each in subsets), *empty))
    if not math.isnan(first.mean.observer):
        rows.append(("an observer", "-", "-", *(_number(e.observer) for e in subsets), *empty))
    title = "Agreement with the observers' choices, by subset, the best first"
    return [title, *aligned(header, rows, text_columns=3)]


def best_layers(results: Iterable[ColumnResult]) -> list[ColumnResult]:
    """The best layer of each model and read-out, and every other column; the best of all first."""
    best: dict[tuple[str, str], ColumnResult] = {}
    for result in results:
        key = (result.column.model, result.column.readout)
        if key not in best or _rank(result) > _rank(best[key]):
            best[key] = result
    return sorted(best.values(), key=_rank, reverse=True)


def _rank(result: ColumnResult) -> float:
    return _nan_last(result.agreement.srcc)


def _nan_last(value: float) -> float:
    """Key that sorts NaN last when the largest comes first."""
    return -math.inf if math.isnan(value) else value


def marked(text: str, column: Column) -> str:
    """Text with the marks of a column that has seen the pairs it is tested on."""
    return " ".join([text, *_marks_of(column)])


def legend(columns: Iterable[Column]) -> list[str]:
    """Explanations of the marks of some columns, a line each."""
    used = {mark for column in columns for mark in _marks_of(column)}
    return [f"{mark} {meaning}" for mark, meaning in _MARKS.items() if mark in used]


def _marks_of(column: Column) -> list[str]:
    has = {_IN_SAMPLE: column.is_in_sample, _TRANSDUCTIVE: column.is_transductive}
    return [mark for mark in _MARKS if has[mark]]


def short_name(name: str) -> str:
    """The name of a layer or a metric, with only the ends of a long concatenation."""
    return re.sub(rf"([^+/]+)(\+[^+/]+){{{_MOST_JOINED},}}(\+[^+/]+)", r"\1+...\3", name)


def _chosen(chosen: Sequence[Chosen]) -> Iterator[str]:
    """The layers that other data chose, with their intervals."""
    (source,) = {each.chosen_on for each in chosen if each.chosen_on}
    first = chosen[0]
    yield (
        f"Layers chosen on {source}, and metrics, scored on {counted(first.pairs, 'pairs')} of "
        f"{counted(first.references, 'references')}"
    )
    rows = [
        (
            *_names(each.column),
            *(_number(each.srcc), _interval((each.srcc_low, each.srcc_high))),
            *(_number(each.plcc), _interval((each.plcc_low, each.plcc_high))),
        )
        for each in chosen
    ]
    header = ("model", "layer", "read-out", "srcc", "95 %", "plcc", "95 %")
    yield from aligned(header, rows, text_columns=3)


def _names(column: Column) -> tuple[str, str, str]:
    """Model, layer and read-out; marks follow the read-out, or the name of a metric."""
    model, layer = short_name(column.model), short_name(column.layer) or "-"
    if column.readout:
        return model, layer, marked(column.readout, column)
    return marked(model, column), layer, "-"


def _best(analysis: Analysis) -> list[str]:
    header = ["model", "layer", "read-out", "srcc", *["95 %"] * analysis.has_intervals, "plcc"]
    header += ["krcc", "plcc_logistic", "rmse_logistic", "srcc in references"]
    candidates = Counter((each.column.model, each.column.readout) for each in analysis.results)
    rows = []
    for result in best_layers(analysis.results):
        column, agreement = result.column, result.agreement
        was_chosen = candidates[column.model, column.readout] > 1
        interval = _CHOSEN_HERE if was_chosen else _interval(result.srcc_interval)
        converged = "" if agreement.logistic.converged else " (no fit)"
        rows.append(
            [
                *_names(column),
                _number(agreement.srcc),
                *[interval] * analysis.has_intervals,
                _number(agreement.plcc),
                _number(agreement.krcc),
                _number(agreement.logistic.plcc),
                _number(agreement.logistic.rmse) + converged,
                _number(result.within.mean),
            ]
        )
    return aligned(header, rows, text_columns=3)


def _by_depth(results: Sequence[ColumnResult]) -> list[str]:
    """A line for each layer, from first to last, with two numbers for each read-out."""
    columns = [result.column for result in results]
    readouts = {column.readout: marked(column.readout, column) for column in columns}
    depths = {column.layer: column.relative_depth for column in columns}
    found = {(result.column.layer, result.column.readout): result for result in results}
    best = [each.column for each in best_layers(results) if not math.isnan(each.agreement.srcc)]
    rows = []
    for layer, depth in depths.items():
        row = ["" if depth is None else f"{depth:.2f}", short_name(layer)]
        for readout in readouts:
            result = found.get((layer, readout))
            row += _two_numbers(result, is_best=result.column in best) if result else ["", ""]
        rows.append(row)
    header = [
        "depth",
        "layer",
        *(f"{name} {kind}" for name in readouts.values() for kind in ("srcc ", "plcc")),
    ]
    return aligned(header, rows, text_columns=2)


def _two_numbers(result: ColumnResult, *, is_best: bool) -> list[str]:
    mark = "*" if is_best else " "
    return [_number(result.agreement.srcc) + mark, _number(result.agreement.plcc)]


def _interval(ends: tuple[float, float] | None) -> str:
    return "-" if ends is None or math.isnan(ends[0]) else "{:.3f} to {:.3f}".format(*ends)


def _number(value: float) -> str:
    return "nan" if math.isnan(value) else f"{value:.3f}"
