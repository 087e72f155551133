"""Scores as an HTML page, which lists the worst pairs."""

import math
from collections.abc import Sequence

import numpy as np
from etils import epath

from iqa_jax.metrics import parse_metric
from iqa_jax.programs.report.html import page_text
from iqa_jax.programs.report.model import Page, PairRow, Shown
from iqa_jax.programs.report.pictures import Pictures, find_maps, relative_url
from iqa_jax.programs.score.limits import Limit
from iqa_jax.programs.score.scores import Scores
from iqa_jax.text import counted


def scores_page(
    scores: Scores, limits: Sequence[Limit], output: epath.Path, maps_dir: str | None
) -> str:
    """The HTML of a page, which refers to the images by relative paths.

    Args:
      scores: The scores.
      limits: Limits of the scores.
      output: The HTML file.
      maps_dir: Folder of the maps; None if there are none.
    """
    beyond = {limit.text: limit.exceeded(scores.values[limit.metric]) for limit in limits}
    pairs = [
        PairRow(pair.reference, pair.distorted, note=_note(scores, limits, row))
        for row, pair in enumerate(scores.table.pairs)
    ]
    failed = sum(map(bool, scores.errors))
    facts = {"Pairs": counted(len(pairs), "pairs"), "Metrics": ", ".join(scores.values)}
    if failed:
        facts["Not scored in full"] = counted(failed, "pairs")
    for text, rows in beyond.items():
        facts[f"Beyond {text}"] = counted(int(rows.sum()), "pairs")
    columns = [
        Shown(name, values.astype(np.float64), parse_metric(name).higher_is_better)
        for name, values in scores.values.items()
    ]
    pictures = _pictures(scores, output, maps_dir)
    return page_text(
        Page(title="Scores", facts=facts, pairs=pairs, columns=columns, pictures=pictures)
    )


def _note(scores: Scores, limits: Sequence[Limit], row: int) -> str:
    found = [scores.errors[row]] if scores.errors[row] else []
    for limit in limits:
        value = scores.values[limit.metric][row]
        if not math.isnan(value) and limit.exceeded(value):
            found.append(limit.complaint(value))
    return "; ".join(found)


def _pictures(scores: Scores, output: epath.Path, maps_dir: str | None) -> Pictures:
    images = scores.table.images
    paths = {name: images.file(name) for name in scores.images}
    sources = {name: relative_url(path, output) for name, path in paths.items() if path}
    if maps_dir is None:
        return Pictures(sources)
    found = find_maps(epath.Path(maps_dir), [pair.distorted for pair in scores.table.pairs])
    maps = {
        row: {metric: relative_url(path, output) for metric, path in of_pair.items()}
        for row, of_pair in found.items()
    }
    return Pictures(sources, maps)
