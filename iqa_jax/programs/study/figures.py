"""Figures of a study: depth, factors, accuracy, and types of distortion by depth."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from iqa_jax.programs.pictures import Picture
from iqa_jax.study.findings import by_family
from iqa_jax.study.models_table import SPLIT, TRANSFERRED
from iqa_jax.study.pseudovalues import SPEARMAN, Pseudovalues, rank_correlations
from iqa_jax.study.quantities import View
from iqa_jax.study.rows import ContrastRow
from iqa_jax.study.whole import Study

_FACTORS = ("goal", "environment", "architecture", "depth", "read-out", "metric")
_MOST_CONTRASTS = 60
_STEPS = 10
"""Steps of relative depth in the map of distortions."""


def figures_of(study: Study) -> Mapping[str, Picture]:
    """The figures by the names of their files; one without data is left out.

    Args:
      study: The study.
    """
    found: dict[str, Picture | None] = {"study_contrasts.png": _contrasts(study)}
    for dataset in study.evidence.native:
        view = study.evidence.view(dataset, SPEARMAN, study.readout)
        name = dataset.results.dataset
        found[f"study_depth_{name}.png"] = _depth(view)
        found[f"study_accuracy_{name}.png"] = _accuracy(study, name)
        found[f"study_distortions_{name}.png"] = _distortions(dataset, view)
    return {name: picture for name, picture in found.items() if picture is not None}


def _depth(view: View) -> Picture | None:
    """Correlation of every layer over relative depth, a panel for each family."""
    families = by_family(view.trained)
    if not families:
        return None
    columns = min(3, len(families))
    rows = math.ceil(len(families) / columns)
    picture = Picture(figsize=(3.6 * columns, 2.8 * rows), layout="constrained")
    axes = picture.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for panel in axes.flat[len(families) :]:
        panel.set_axis_off()
    for panel, (family, networks) in zip(axes.flat, families.items(), strict=False):
        for network in networks:
            places = view.places(network)
            depth = [view.columns[place].relative_depth or 0.0 for place in places]
            panel.plot(depth, view.sample.whole.values[places], marker=".", label=network.name)
        panel.set_title(family or "other")
        if len(networks) <= 6:
            panel.legend(fontsize=6)
    picture.supxlabel("relative depth")
    picture.supylabel("Spearman's correlation with people")
    return picture


def _contrasts(study: Study) -> Picture | None:
    """Differences behind the claims on factors, with their intervals over images."""
    rows = [
        row
        for factor in _FACTORS
        for row in study.contrasts
        if row.factor == factor and row.readout == study.readout and math.isfinite(row.low)
    ]
    rows = [row for row in rows if row.factor != "metric"][:_MOST_CONTRASTS]
    if not rows:
        return None
    picture = Picture(figsize=(8, 1 + 0.2 * len(rows)), layout="constrained")
    panel = picture.subplots()
    places = np.arange(len(rows))[::-1]
    values = np.array([row.difference for row in rows])
    ends = np.array([[row.difference - row.low, row.high - row.difference] for row in rows]).T
    panel.axvspan(-study.margin, study.margin, color="0.92")
    panel.axvline(0, color="0.5", linewidth=0.8)
    panel.errorbar(values, places, xerr=ends, fmt="o", markersize=3, linewidth=1)
    panel.set_yticks(places, [_label(row) for row in rows], fontsize=6)
    panel.set_xlabel("difference of Spearman's correlations, 95 % over images")
    return picture


def _label(row: ContrastRow) -> str:
    against = f" - {row.b}" if row.b else ""
    return f"{row.claim}, {row.dataset}, {row.block}: {row.a}{against}"


def _accuracy(study: Study, dataset: str) -> Picture | None:
    """Accuracy at the task and agreement with people."""
    rows = [
        row
        for row in study.models
        if row.dataset == dataset
        and row.measure == SPEARMAN
        and row.readout == study.readout
        and row.quantity in (TRANSFERRED, SPLIT)
    ]
    axes = {"top-1 accuracy (%)": "top1", "accuracy of a linear probe (%)": "linear_probe"}
    known = {
        label: those
        for label, field in axes.items()
        if (those := [row for row in rows if getattr(row, field) is not None])
    }
    if not known:
        return None
    picture = Picture(figsize=(0.5 + 4.5 * len(known), 3.8), layout="constrained")
    panels = picture.subplots(1, len(known), sharey=True, squeeze=False)[0]
    for panel, (label, those) in zip(panels, known.items(), strict=True):
        for family in dict.fromkeys(row.family for row in those):
            of_family = [row for row in those if row.family == family]
            values = np.array([row.value for row in of_family])
            errors = np.array([[row.value - row.low, row.high - row.value] for row in of_family]).T
            x = [getattr(row, axes[label]) for row in of_family]
            panel.errorbar(x, values, yerr=np.nan_to_num(errors), fmt="o", ms=4, label=family)
        panel.set_xlabel(label)
        panel.legend(fontsize=7)
    panels[0].set_ylabel("best layer, chosen on other data")
    return picture


def _distortions(dataset: Pseudovalues, view: View) -> Picture | None:
    """Agreement within each type of distortion, by relative depth, mean over networks."""
    results = dataset.results
    types = [each for each in dict.fromkeys(results.distortions.tolist()) if each]
    if not types or not view.trained:
        return None
    places = [place for network in view.trained for place in view.places(network)]
    steps = [
        min(_STEPS - 1, int((view.columns[place].relative_depth or 0.0) * _STEPS))
        for place in places
    ]
    table = np.array([_by_depth(dataset, each, places, np.array(steps)) for each in types])
    picture = Picture(figsize=(6.5, max(3.6, 1.5 + 0.22 * len(types))), layout="constrained")
    panel = picture.subplots()
    image = panel.imshow(table, aspect="auto", cmap="viridis", extent=(0, 1, len(types), 0))
    panel.set_yticks(np.arange(len(types)) + 0.5, types, fontsize=7)
    panel.set_xlabel("relative depth")
    picture.colorbar(image, ax=panel, label="Spearman's correlation within the type")
    return picture


def _by_depth(
    dataset: Pseudovalues, distortion: str, places: Sequence[int], steps: np.ndarray
) -> list[float]:
    """Mean correlation within a type of distortion at each step of depth; NaN without layers."""
    results = dataset.results
    rows = results.distortions == distortion
    human = results.human[rows]
    if not np.ptp(human) > 0:
        return [math.nan] * _STEPS
    found = rank_correlations(results.distances[np.ix_(rows, places)], human)
    at_steps = [found[(steps == step) & np.isfinite(found)] for step in range(_STEPS)]
    return [float(each.mean()) if each.size else math.nan for each in at_steps]
