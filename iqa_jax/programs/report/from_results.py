"""The page of an evaluation, from its stored results."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from etils import epath

from iqa_jax.agreement.ceiling import noise_ceiling, standard_errors
from iqa_jax.agreement.columns import HIGHER
from iqa_jax.datasets import load_dataset
from iqa_jax.datasets.parsing import number_or_nan
from iqa_jax.errors import InputError
from iqa_jax.files import check_writable, write_text
from iqa_jax.images.sources import ImageSource
from iqa_jax.programs.report.heat_map import ALL, heat_maps
from iqa_jax.programs.report.html import page_text
from iqa_jax.programs.report.model import Cells, Page, PairRow, Shown
from iqa_jax.programs.report.pictures import (
    Pictures,
    data_url,
    embed,
    find_maps,
    link,
    relative_url,
)
from iqa_jax.programs.report.settings import ReportSettings
from iqa_jax.programs.report.stored import Row, Stored, read_results
from iqa_jax.text import counted

MOST_COLUMNS = 40
"""Number of columns of scores in a page if none are named."""

_TEXT = {"column", "subset"}
_LEFT_OUT = {"dataset", "model", "layer", "readout", "layer_index", "fit_converged"}
"""Columns of tables that the name of the column of scores says, or that are for other programs."""

_MEGABYTE = 10**6
_LEAST_OF_A_CEILING = 10
"""Number of pairs below which a distortion has no ceiling of its own."""


def write_report(settings: ReportSettings) -> list[str]:
    """Writes the page of an evaluation.

    Returns:
      Lines that say what was written.

    Raises:
      InputError: If the results, the dataset or the maps cannot be used.
    """
    stored = read_results(epath.Path(settings.results))
    output = epath.Path(settings.output)
    if output.is_dir():
        raise InputError(f"{output}: is a folder; expected the name of an HTML file")
    check_writable(output)
    page = page_of(stored, settings.columns)
    if settings.images != "none":
        page = replace(page, pictures=_pictures(page, stored, settings, output))
    text = page_text(page)
    write_text(output, text)
    lines = [*page.remarks, f"Written: {output} ({len(text.encode()) / _MEGABYTE:.1f} MB)"]
    if settings.images == "embed":
        licence = stored.record["dataset"]["licence"] or "none is stated"
        lines.append(f"{page.pictures.note} Licence of the dataset: {licence}")
    return lines


def page_of(stored: Stored, columns: Sequence[str] = ()) -> Page:
    """Everything that the page of an evaluation shows besides the images.

    Args:
      stored: Results.
      columns: Names of the columns whose scores are shown; empty for the default.

    Raises:
      InputError: If there is no column of that name.
    """
    dataset = stored.record["dataset"]
    srcc = {row["column"]: number_or_nan(row["srcc"]) for row in stored.correlations}
    chosen = _choose(stored, columns, srcc)
    target = dataset["target"].partition(" (")[0]
    opinion = Shown(target, _numbers(stored.scores, "score"), dataset["higher_is_better"])
    left_out = len(stored.columns) - len(chosen)
    remarks = [
        f"Scores of {len(chosen)} of {len(stored.columns)} columns are in the page; --columns "
        "names others."
    ]
    return Page(
        title=f"{dataset['name']}: scores and {target}",
        facts=_facts(stored),
        pairs=[_pair(row) for row in stored.scores],
        columns=[
            Shown(
                name,
                _numbers(stored.scores, name),
                stored.columns[name]["direction"] == HIGHER,
                srcc.get(name, math.nan),
            )
            for name in chosen
        ],
        opinion=opinion,
        tables=[table for table in (_correlations(stored), _forced_choices(stored)) if table.rows],
        heat_maps=heat_maps(stored.correlations, stored.by_distortion, _ceilings(stored)),
        ceiling=_ceiling(dataset),
        warnings=stored.record.get("warnings", ()),
        remarks=remarks if left_out else (),
    )


def _choose(stored: Stored, columns: Sequence[str], srcc: Mapping[str, float]) -> list[str]:
    """The columns whose scores are shown, the highest correlation first."""
    unknown = [name for name in columns if name not in stored.columns]
    if unknown:
        raise InputError(
            f"columns: there is no column {', '.join(unknown)}; run.json lists them all"
        )
    if columns:
        return list(dict.fromkeys(columns))

    def merit(name: str) -> float:
        found = srcc.get(name, math.nan)
        return found if math.isfinite(found) else -math.inf

    is_layer = {name: each["kind"] == "layer" for name, each in stored.columns.items()}
    ranked = sorted(stored.columns, key=merit, reverse=True)
    first = sorted(ranked, key=lambda name: is_layer[name])[:MOST_COLUMNS]
    return sorted(first, key=merit, reverse=True)


def _facts(stored: Stored) -> dict[str, str]:
    record, dataset = stored.record, stored.record["dataset"]
    better = "higher" if dataset["higher_is_better"] else "lower"
    facts = {
        "Dataset": dataset["name"],
        "Pairs": f"{len(stored.scores)} of {counted(dataset['references'], 'references')}",
        "Compared with": f"{dataset['target']}; {better} is better",
        "Columns": counted(len(stored.columns), "columns"),
        "Intervals": str(record["interval"]) if isinstance(record.get("interval"), str) else "",
        "Licence": dataset["licence"] or "none is stated",
        "Publication": dataset["citation"],
    }
    published = dataset["published_pairs"]
    if published and published != len(stored.scores):
        facts["Pairs"] += f"; {published} were published"
    return {name: value for name, value in facts.items() if value}


def _pair(row: Row) -> PairRow:
    return PairRow(*(row[name] for name in ("reference", "distorted", "distortion", "level")))


def _numbers(rows: Sequence[Row], name: str) -> np.ndarray:
    return np.array([number_or_nan(row[name]) for row in rows], np.float64)


def _correlations(stored: Stored) -> Cells:
    return _table("Correlations", stored.correlations)


def _forced_choices(stored: Stored) -> Cells:
    return _table("Agreement with choices", stored.forced_choices)


def _table(name: str, rows: Sequence[Row]) -> Cells:
    """A table of the results, with the name of the column in front."""
    if not rows:
        return Cells(name, (), ())
    rest = [each for each in rows[0] if each not in _LEFT_OUT and each != "column"]
    header = ["column", *(each for each in rest if {row[each] for row in rows} - {"", "False"})]
    return Cells(name, header, [[_cell(each, row[each]) for each in header] for row in rows])


def _cell(name: str, text: str) -> Any:
    if name in _TEXT:
        return text
    if text in ("True", "False"):
        return "yes" if text == "True" else ""
    value = number_or_nan(text)
    if not math.isfinite(value):
        return text or None
    return int(value) if value.is_integer() and "." not in text else value


def _ceiling(dataset: Mapping[str, Any]) -> float:
    found = (dataset["ceiling"] or {}).get("srcc")
    return math.nan if found is None else found


def _ceilings(stored: Stored) -> Callable[[str], float | None]:
    """The ceiling of each distortion, from the uncertainty of its scores."""
    dataset = stored.record["dataset"]
    scores, std = (_numbers(stored.scores, name) for name in ("score", "score_std"))
    opinions = dataset["opinions"]
    errors = standard_errors(std, math.nan if opinions is None else opinions)
    names = np.array([row["distortion"] for row in stored.scores])

    def ceiling_of(distortion: str) -> float | None:
        if distortion == ALL:
            return None if math.isnan(_ceiling(dataset)) else _ceiling(dataset)
        those = names == distortion
        if those.sum() < _LEAST_OF_A_CEILING or not np.isfinite(errors[those]).all():
            return None
        found = noise_ceiling(scores[those], errors[those]).srcc
        return None if math.isnan(found) else found

    return ceiling_of


def _pictures(page: Page, stored: Stored, settings: ReportSettings, output: epath.Path) -> Pictures:
    images = _images(stored, settings)
    pairs = [(pair.reference, pair.distorted) for pair in page.pairs]
    if settings.images == "link":
        pictures = link(
            list(dict.fromkeys(name for pair in pairs for name in pair)), images, output
        )
    else:
        budget = int(settings.most_megabytes * _MEGABYTE) - len(page_text(page).encode())
        pictures = embed(pairs, images, page.rows_of_interest, budget)
    if not settings.maps_dir:
        return pictures
    found = find_maps(epath.Path(settings.maps_dir), [distorted for _, distorted in pairs])
    maps = {
        row: {name: _map_url(path, settings, output) for name, path in of_pair.items()}
        for row, of_pair in found.items()
        if pairs[row][1] in pictures.sources
    }
    return replace(pictures, maps=maps)


def _map_url(path: epath.Path, settings: ReportSettings, output: epath.Path) -> str:
    if settings.images == "link":
        return relative_url(path, output)
    return data_url(path.read_bytes(), "PNG")


def _images(stored: Stored, settings: ReportSettings) -> ImageSource:
    """The images of the dataset."""
    run = stored.record["settings"]
    data_dir, tfds_dir = settings.data_dir or run["data_dir"], run["tfds_dir"]
    if settings.data_dir:
        tfds_dir = None
    if not (data_dir or tfds_dir):
        raise InputError(
            "the results were made without images; name the folder of the dataset with "
            "--data_dir, or use --images=none"
        )
    try:
        table = load_dataset(
            run["dataset"], data_dir=data_dir, tfds_dir=tfds_dir, allow_partial=True
        )
    except (InputError, OSError) as error:
        raise InputError(
            f"{error}\nThe images are read from there: name the dataset's folder with --data_dir, "
            "or use --images=none"
        ) from error
    return table.images
