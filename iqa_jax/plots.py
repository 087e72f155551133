"""Figures."""

import io
import math
from collections.abc import Sequence

from etils import epath
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from iqa_jax.agreement import Agreement
from iqa_jax.evaluate import Evaluation
from iqa_jax.files import appearing_whole
from iqa_jax.forced_choice import ForcedChoice
from iqa_jax.report import short_name
from iqa_jax.selection import Column

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette: told apart by colour-blind readers too."""

_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_DASHES = ((0, (5, 2)), (0, (2, 1.5)), (0, (5, 1.5, 1, 1.5)))
_CORRELATIONS = (("srcc", "Spearman correlation"), ("plcc", "Pearson correlation"))
_FORCED_CHOICES = (("score", "agreement with choices"),)

_LONG_LABEL = 20

Found = tuple[Column, Agreement | ForcedChoice]


def correlation_by_layer(evaluation: Evaluation, path: epath.Path) -> None:
    """Draws agreement with people against depth: a column of panels a read-out, a line a model.

    The best layer of each line is ringed and named; concatenations and metrics are dashed levels.

    Args:
      evaluation: What is drawn.
      path: Of the PNG file, which appears whole.
    """
    analysis = evaluation.analysis
    forced = [(column, subsets.mean) for column, subsets in analysis.forced_choices]
    found = forced or list(analysis.agreements)
    kinds = _FORCED_CHOICES if forced else _CORRELATIONS
    models = list(dict.fromkeys(column.model for column, _ in found if column.layer))
    readouts = list(dict.fromkeys(column.readout for column, _ in found if column.layer)) or [""]
    metrics = [(short_name(column.name), a) for column, a in found if not column.layer]
    size = (2.0 + 4.2 * len(readouts), 1.6 + 2.7 * len(kinds))
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(len(kinds), len(readouts), sharex=True, sharey=True, squeeze=False)
    for (kind, name), row in zip(kinds, panels, strict=True):
        row[0].set_ylabel(name)
        for readout, panel in zip(readouts, row, strict=True):
            for number, model in enumerate(models):
                _draw_model(panel, _select(found, model, readout), kind, model, number)
            _draw_levels(panel, metrics, kind, "0.35")
            panel.grid(alpha=0.25)
            panel.spines[["top", "right"]].set_visible(False)
    for readout, top, bottom in zip(readouts, panels[0], panels[-1], strict=True):
        top.set_title(readout and f"read-out: {readout}", fontsize=11)
        bottom.set_xlabel("relative depth of the layer (0: pixels)")
    table, references = evaluation.table, evaluation.record["dataset"]["references"]
    figure.suptitle(
        f"{table.name}: {len(table.pairs)} pairs of {references} references\n"
        f"agreement with: {table.target}",
        fontsize=12,
    )
    labels = {label: handle for p in panels.flat for handle, label in _legend_of(p)}
    figure.legend(
        labels.values(),
        labels.keys(),
        loc="outside lower center",
        ncols=1 if max(map(len, labels)) > _LONG_LABEL else 4,
        frameon=False,
    )
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=150)
    with appearing_whole(path) as unfinished:
        unfinished.write_bytes(image.getvalue())


def _select(found: Sequence[Found], model: str, readout: str) -> list[Found]:
    return [(c, a) for c, a in found if (c.model, c.readout) == (model, readout)]


def _draw_model(panel: Axes, found: Sequence[Found], kind: str, model: str, number: int) -> None:
    """A line through the single layers of a model, and a level for each concatenation."""
    colour = _COLOURS[number % len(_COLOURS)]
    layers = [
        (column.relative_depth, getattr(agreement, kind), column.layer)
        for column, agreement in found
        if column.relative_depth is not None
    ]
    panel.plot(
        [depth for depth, _, _ in layers],
        [value for _, value, _ in layers],
        color=colour,
        marker=_MARKERS[number % len(_MARKERS)],
        markersize=4.5,
        linewidth=1.6,
        label=model,
    )
    drawn = [layer for layer in layers if not math.isnan(layer[1])]
    if drawn:
        depth, value, name = max(drawn, key=lambda layer: layer[1])
        panel.plot(depth, value, "o", ms=10, mew=1.6, fillstyle="none", color=colour)
        panel.annotate(
            name,
            (depth, value),
            xytext=(0, 9 if number % 2 == 0 else -17),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            color=colour,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
        )
    joined = [(f"{model} {short_name(c.layer)}", a) for c, a in found if c.layer_index is None]
    _draw_levels(panel, joined, kind, colour)


def _draw_levels(
    panel: Axes, levels: Sequence[tuple[str, Agreement | ForcedChoice]], kind: str, colour: str
) -> None:
    for number, (label, agreement) in enumerate(levels):
        panel.axhline(
            getattr(agreement, kind),
            color=colour,
            linestyle=_DASHES[number % len(_DASHES)],
            linewidth=1.2,
            label=label,
        )


def _legend_of(panel: Axes) -> list[tuple[Artist, str]]:
    return list(zip(*panel.get_legend_handles_labels(), strict=True))
