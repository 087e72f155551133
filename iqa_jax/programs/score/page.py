"""Scores as an HTML page, which lists the worst pairs."""

from collections.abc import Mapping, Sequence

import numpy as np
from etils import epath

from iqa_jax.files import is_local
from iqa_jax.programs.report.html import page_text
from iqa_jax.programs.report.model import Page, PairRow, Shown
from iqa_jax.programs.report.pictures import Pictures, find_maps, relative_url
from iqa_jax.programs.score.finished import FinishedTable, Row
from iqa_jax.programs.score.limits import Limit
from iqa_jax.text import counted


def scores_page(
    table: FinishedTable, limits: Sequence[Limit], output: epath.Path, maps_dir: str | None = None
) -> str:
    """The HTML of a page, which refers to the images by relative paths.

    Args:
      table: The scores.
      limits: Limits of the scores.
      output: The HTML file.
      maps_dir: Folder of the maps; None if there are none.
    """
    rows, metrics = list(table.rows()), table.metrics
    pairs = [PairRow(row.reference, row.distorted, note=_note(row, limits)) for row in rows]
    failed = sum(bool(row.error) for row in rows)
    facts = {"Pairs": counted(len(pairs), "pairs"), "Metrics": ", ".join(metrics)}
    if failed:
        facts["Not scored in full"] = counted(failed, "pairs")
    for limit in limits:
        beyond = sum(limit.is_exceeded(row.values[limit.metric]) for row in rows)
        facts[f"Beyond {limit.text}"] = counted(beyond, "pairs")
    columns = [
        Shown(
            name, np.array([row.values[name] for row in rows], np.float64), table.directions[name]
        )
        for name in metrics
    ]
    pictures = Pictures(_sources(table, rows, output), _maps(rows, output, maps_dir))
    return page_text(
        Page(title="Scores", facts=facts, pairs=pairs, columns=columns, pictures=pictures)
    )


def _note(row: Row, limits: Sequence[Limit]) -> str:
    values = [(limit, row.values[limit.metric]) for limit in limits]
    complaints = [limit.complaint(value) for limit, value in values if limit.is_exceeded(value)]
    return "; ".join([*([row.error] if row.error else []), *complaints])


def _sources(table: FinishedTable, rows: Sequence[Row], output: epath.Path) -> Mapping[str, str]:
    """Addresses of the images that can be reached from the page, by name."""
    if not table.images:
        return {}
    scored = {name for row in rows if not row.error for name in row.image_names}
    sources = {}
    for name in dict.fromkeys(name for row in rows for name in row.image_names):
        path = table.images.file(name)
        if path and is_local(path) == is_local(output) and (name in scored or path.exists()):
            sources[name] = relative_url(path, output)
    return sources


def _maps(
    rows: Sequence[Row], output: epath.Path, maps_dir: str | None
) -> Mapping[int, Mapping[str, str]]:
    """Addresses of the maps, by row and metric."""
    if maps_dir is None:
        return {}
    found = find_maps(epath.Path(maps_dir), [row.distorted for row in rows])
    return {
        row: {metric: relative_url(path, output) for metric, path in of_pair.items()}
        for row, of_pair in found.items()
    }
