"""The figure of an evaluation: agreement with people against the depth of the layer."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes

from iqa_jax.agreement.analysis import Analysis
from iqa_jax.agreement.columns import Column
from iqa_jax.programs.evaluate.evaluation import Evaluation
from iqa_jax.programs.evaluate.report import legend, marked, short_name
from iqa_jax.programs.pictures import Picture
from iqa_jax.text import counted

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette, whose colours remain distinct for colour-blind readers."""

_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_LINES = ("-", "--", "-.")  # dotted lines are for the first layers joined
_DASHES = (
    *((0, (5, 2)), (0, (2, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (10, 2)), (0, (1, 1))),
    *((0, (10, 2, 2, 2)), (0, (5, 1.5, 1, 1.5, 1, 1.5)), (0, (3, 5)), (0, (10, 5, 1, 5))),
)
_CORRELATIONS = (("srcc", "Spearman correlation"), ("plcc", "Pearson correlation"))
_FORCED_CHOICES = (("score", "agreement with choices"),)

_MOST_NAMED = 8
"""Number of models above which the names and intervals of their layers would hide the lines."""

_PER_LETTER, _BESIDE_LABEL, _PER_ROW = 0.085, 0.7, 0.2
"""Sizes of a legend in inches."""

_BESIDE, _STEP = 1.03, 0.015
"""Relative depths at which the intervals of levels are drawn, side by side."""

_SIDES = ((9, "center"), (-17, "center"), (-17, "right"), (9, "left"))
"""Where the name of a model's best layer is, in turn: points upwards, and alignment."""

_THICK = {"linewidth": 3, "alpha": 0.3, "zorder": 4}  # above the labels
_THIN = {"linewidth": 1, "alpha": 0.8, "zorder": 4}


@dataclass(frozen=True)
class _Style:
    """Style of a model; the first 147 differ."""

    colour: str
    marker: str
    line: str

    @classmethod
    def of(cls, number: int) -> "_Style":
        """The style of a numbered model: colours change first, then markers, then lines."""
        turn, colour = divmod(number, len(_COLOURS))
        lines, marker = divmod(turn, len(_MARKERS))
        return cls(
            _COLOURS[colour],
            _MARKERS[(marker + colour) % len(_MARKERS)],
            _LINES[lines % len(_LINES)],
        )


@dataclass(frozen=True)
class _Point:
    """A column with its agreement with people, and the ends of its interval if there is one."""

    column: Column
    value: float
    interval: tuple[float, float] | None = None

    @property
    def name(self) -> str:
        """Name of the layer, if the column is a layer of a model."""
        return short_name(self.column.layer)


def correlation_by_layer(evaluation: Evaluation) -> Picture:
    """Draws agreement with people against depth, with a panel for each read-out.

    Each model has a line, on which the best layer is ringed and, where there are few models, named.
    Joining the first layers of a model, for several numbers of layers, gives a dotted line; other
    concatenations, metrics and the pixels are dashed levels. Bars are the intervals over
    references, if there are any and not too many models; those of joined layers are thin.
    """
    analysis = evaluation.analysis
    kinds = _FORCED_CHOICES if analysis.forced_choices else _CORRELATIONS
    columns = [result.column for result in analysis.forced_choices or analysis.results]
    models = list(dict.fromkeys(column.model for column in columns if column.layer))
    titles = {c.readout: f"read-out: {marked(c.readout, c)}" for c in columns if c.readout}
    readouts = list(titles) or [""]
    few = len(models) <= _MOST_NAMED
    size = (2.0 + 4.2 * len(readouts), 1.6 + 2.7 * len(kinds))
    figure = Picture(figsize=size, layout="constrained")
    panels = figure.subplots(len(kinds), len(readouts), sharex=True, sharey=True, squeeze=False)
    for (kind, name), row in zip(kinds, panels, strict=True):
        points = _points(analysis, kind)
        row[0].set_ylabel(name)
        for readout, panel in zip(readouts, row, strict=True):
            for number, model in enumerate(models):
                place = (model, readout)
                of_model = [p for p in points if (p.column.model, p.column.readout) == place]
                _draw_model(panel, of_model, model, number, is_one_of_few=few)
            _draw_levels(panel, _levels(points, readout), "0.35")
            panel.grid(alpha=0.25)
            panel.spines[["top", "right"]].set_visible(False)
    for readout, top, bottom in zip(readouts, panels[0], panels[-1], strict=True):
        top.set_title(titles.get(readout, ""), fontsize=11)
        bottom.set_xlabel("relative depth of the layer")
    table, pairs = evaluation.table, counted(len(evaluation.table.pairs), "pairs")
    references = counted(evaluation.record["dataset"]["references"], "references")
    title = [
        f"{table.name}: {pairs} of {references}",
        f"agreement with: {table.target}",
        *legend(columns),
    ]
    figure.suptitle("\n".join(title), fontsize=12)
    _add_legend(figure, panels.flat)
    return figure


def _add_legend(figure: Picture, panels: Iterable[Axes]) -> None:
    """Adds the legend below the panels, in as many columns as fit, and enlarges the figure."""
    labels = {label: handle for panel in panels for handle, label in _legend_of(panel)}
    width, height = figure.get_size_inches()
    per_column = _PER_LETTER * max(map(len, labels)) + _BESIDE_LABEL
    columns = min(max(1, int(width / per_column)), len(labels))
    rows = math.ceil(len(labels) / columns)
    figure.set_size_inches(width, height + _PER_ROW * rows)
    figure.legend(
        labels.values(),
        labels.keys(),
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        handlelength=3,
    )


def _levels(points: Sequence[_Point], readout: str) -> list[tuple[str, _Point]]:
    """The metrics, which are the same in all panels, and the pixels."""
    metrics = [p for p in points if not p.column.layer and not p.column.readout]
    pixels = [p for p in points if not p.column.layer and p.column.readout == readout]
    named = [(marked(short_name(p.column.model), p.column), p) for p in metrics]
    return named + [(p.column.model, p) for p in pixels if readout]


def _points(analysis: Analysis, kind: str) -> list[_Point]:
    """Every column with one kind of agreement."""
    if analysis.forced_choices:
        return [
            _Point(result.column, result.subsets.mean.score, result.subsets.mean.interval)
            for result in analysis.forced_choices
        ]
    return [
        _Point(result.column, getattr(result.agreement, kind), getattr(result, f"{kind}_interval"))
        for result in analysis.results
    ]


def _draw_model(
    panel: Axes, points: Sequence[_Point], model: str, number: int, *, is_one_of_few: bool
) -> None:
    """Draws lines through the single layers of a model and its joined first ones, and levels."""
    style = _Style.of(number)
    colour = style.colour
    layers = [(d, p) for p in points if (d := p.column.relative_depth) is not None]
    as_drawn = {"color": colour, "marker": style.marker, "linestyle": style.line, "markersize": 4.5}
    _draw_line(panel, layers, label=model, **as_drawn)
    if is_one_of_few:
        _draw_intervals(panel, layers, colour, _THICK)
    drawn = [(depth, point) for depth, point in layers if not math.isnan(point.value)]
    if drawn:
        depth, best = max(drawn, key=lambda layer: layer[1].value)
        panel.plot(depth, best.value, "o", ms=10, mew=1.6, fillstyle="none", color=colour)
        if is_one_of_few:
            _name(panel, best.name, (depth, best.value), colour, _SIDES[number % len(_SIDES)])
    joined = [p for p in points if p.column.layer_index is None]
    first = [(d, p) for p in points if (d := p.column.cumulative_depth) is not None]
    if sum(p.column.layer_index is None for _, p in first) > 1:
        as_drawn |= {"linestyle": ":", "markersize": 3, "fillstyle": "none"}
        _draw_line(panel, first, label=f"{model}, joined up to there", **as_drawn)
        if is_one_of_few:
            _draw_intervals(panel, first, colour, _THIN)
        joined = [p for p in joined if p.column.cumulative_depth is None]
    _draw_levels(panel, [(f"{model} {p.name}", p) for p in joined], colour)


def _name(
    panel: Axes, name: str, place: tuple[float, float], colour: str, side: tuple[int, str]
) -> None:
    offset, alignment = side
    panel.annotate(
        name,
        place,
        xytext=(0, offset),
        textcoords="offset points",
        ha=alignment,
        fontsize=9,
        color=colour,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
    )


def _draw_line(panel: Axes, points: Sequence[tuple[float, _Point]], **style: Any) -> None:
    panel.plot([depth for depth, _ in points], [p.value for _, p in points], lw=1.6, **style)


def _draw_levels(panel: Axes, levels: Sequence[tuple[str, _Point]], colour: str) -> None:
    for number, (label, point) in enumerate(levels):
        dashes = _DASHES[number % len(_DASHES)]
        panel.axhline(point.value, color=colour, linestyle=dashes, linewidth=1.2, label=label)
        _draw_intervals(panel, [(_BESIDE + number * _STEP, point)], colour, _THICK)


def _draw_intervals(
    panel: Axes, points: Sequence[tuple[float, _Point]], colour: str, style: Mapping[str, Any]
) -> None:
    for depth, point in points:
        if point.interval is not None:
            panel.vlines(depth, *point.interval, color=colour, **style)


def _legend_of(panel: Axes) -> list[tuple[Artist, str]]:
    return list(zip(*panel.get_legend_handles_labels(), strict=True))
