"""Figure of the share of each layer and channel in the distance, before and after learning."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from iqa_jax.programs.pictures import Picture
from iqa_jax.text import counted

_COLOURS = {"uniform": "0.55", "learned": "#0072B2"}
_OTHERS = ("#D55E00", "#009E73", "#CC79A7")
"""Colours of Okabe and Ito's palette, which remain distinct for colour-blind readers."""

_COLUMNS = 5
_DECADES = 5
"""Shares smaller than the largest by more than this are drawn at the lower edge."""

Shares = Mapping[str, np.ndarray]


def shares_by_layer(shares: Mapping[str, Shares], title: str) -> Picture:
    """Draws the shares of layers as bars, and those of their channels as sorted curves.

    Args:
      shares: Share of each channel in the mean distance (in its square, for a root),
        ``[channels]``, by the name of the weights, then by layer; all add up to 1.
      title: Title of the figure.
    """
    layers = list(next(iter(shares.values())))
    columns = min(_COLUMNS, len(layers))
    rows = math.ceil(len(layers) / columns)
    others = [name for name in shares if name not in _COLOURS]
    colours = {**_COLOURS, **dict(zip(others, _OTHERS, strict=False))}
    figure = Picture(figsize=(2.1 * max(columns, 3) + 0.6, 3.2 + 2.1 * rows), layout="constrained")
    heights = [2.6, 2.1 * rows]
    ((upper,), (lower,)) = figure.subfigures(2, 1, height_ratios=heights, squeeze=False)
    bars = upper.subplots()
    _draw_layers(bars, shares, layers, colours)
    panels = lower.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    top = max(float(each.max()) for by_layer in shares.values() for each in by_layer.values())
    for layer, panel in zip(layers, panels.flat, strict=False):
        for name, by_layer in shares.items():
            _draw_channels(panel, by_layer[layer], colours[name], top)
        channels = counted(len(shares["learned"][layer]), "channels")
        panel.set_title(f"{layer}, {channels}", fontsize=9)
    for panel in panels.flat[len(layers) :]:
        panel.set_axis_off()
    for panel in panels.flat[max(0, len(layers) - columns) : len(layers)]:
        panel.tick_params(labelbottom=True)
    panels[0, 0].set_ylim(100 * top * 10.0**-_DECADES, 150 * top)
    lower.supxlabel("channels of the layer, %, those with the largest share first", fontsize=9)
    lower.supylabel("share of the channel, %", fontsize=9)
    handles, labels = bars.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    figure.suptitle(title, fontsize=11)
    return figure


def _draw_layers(
    panel: Axes, shares: Mapping[str, Shares], layers: Sequence[str], colours: Mapping[str, str]
) -> None:
    width = 0.8 / len(shares)
    places = np.arange(len(layers))
    for number, (name, by_layer) in enumerate(shares.items()):
        heights = [100 * float(by_layer[layer].sum()) for layer in layers]
        offset = (number - (len(shares) - 1) / 2) * width
        panel.bar(places + offset, heights, width, label=name, color=colours[name])
    slanted = {"rotation": 35, "ha": "right"} if len(layers) > _COLUMNS else {}
    panel.set_xticks(places, layers, fontsize=9, **slanted)
    panel.set_ylabel("share of the layer, %", fontsize=9)
    _tidy(panel)
    panel.grid(visible=False, axis="x")


def _draw_channels(panel: Axes, shares: np.ndarray, colour: str, top: float) -> None:
    ordered = 100 * np.maximum(np.sort(shares)[::-1], top * 10.0**-_DECADES)
    places = 100 * (np.arange(len(ordered)) + 0.5) / len(ordered)
    panel.semilogy(places, ordered, color=colour, linewidth=1.6)
    _tidy(panel)


def _tidy(panel: Axes) -> None:
    panel.tick_params(labelsize=8)
    panel.set_axisbelow(True)
    panel.grid(alpha=0.25)
    panel.spines[["top", "right"]].set_visible(False)
