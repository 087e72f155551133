"""Reads what evaluations and trainings wrote, and joins the runs of a dataset."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from etils import epath

from iqa_jax.errors import InputError
from iqa_jax.study.results import JOINED, METRIC, Column, Network, Results

_IDENTIFIERS = 7
"""Number of columns of ``scores.csv`` before the distances: names of the pair, and its score."""

_NEEDED = ("run.json", "scores.csv", "correlations.csv")


class Gain(NamedTuple):
    """What a training added: learned minus uniform weights, from its ``report.csv``.

    Attributes:
      model: Name of the model.
      readout: Name of the read-out.
      part: ``pooled`` over the folds, or ``transfer``.
      dataset: Name of the dataset that tests it.
      measure: ``plcc`` or ``srcc``.
      references: Number of references.
      value: Difference of the correlations.
      low: Lower end of its interval; NaN if there is none.
      high: Upper end of the same.
    """

    model: str
    readout: str
    part: str
    dataset: str
    measure: str
    references: int
    value: float
    low: float
    high: float


class _Scores(NamedTuple):
    names: Sequence[str]
    pairs: Sequence[Sequence[str]]
    distances: np.ndarray


class _Run(NamedTuple):
    folder: epath.Path
    record: Mapping[str, Any]
    scores: _Scores
    places: Mapping[str, Mapping[str, str]]

    @property
    def pairs(self) -> list[tuple[str, ...]]:
        """Names of the images of each pair."""
        return [tuple(row[:2]) for row in self.scores.pairs]


def read_results(folders: Sequence[epath.Path]) -> tuple[list[Results], list[Gain]]:
    """Reads the folders that ``iqa evaluate`` and ``iqa train`` wrote.

    Args:
      folders: The folders. Runs of one dataset, size and precision are joined; where several have a
        column, the first counts.

    Returns:
      Results of each dataset, size and precision, and the gains of the trainings.

    Raises:
      InputError: If a folder is not one of these, or runs of a dataset have different pairs.
    """
    runs: dict[tuple[str, str, str], list[_Run]] = {}
    gains: list[Gain] = []
    for folder in folders:
        record = _record(folder)
        if "columns" not in record:
            gains += _gains(folder, record)
            continue
        run = _read(folder, record)
        settings = record["settings"]
        key = (
            record["dataset"]["name"],
            settings.get("resize") or "",
            settings.get("precision") or "highest",
        )
        runs.setdefault(key, []).append(run)
    return [_join(*key, several) for key, several in runs.items()], gains


def _record(folder: epath.Path) -> Mapping[str, Any]:
    try:
        return json.loads((folder / "run.json").read_text())
    except FileNotFoundError:
        raise InputError(
            f"{folder}: there is no run.json; expected a folder that iqa evaluate or iqa train "
            "wrote"
        ) from None
    except ValueError as error:
        raise InputError(f"{folder / 'run.json'}: is damaged ({error})") from error


def _table(path: epath.Path) -> list[list[str]]:
    return [*csv.reader(io.StringIO(path.read_text(), newline=""))]


def _read(folder: epath.Path, record: Mapping[str, Any]) -> _Run:
    missing = [name for name in _NEEDED if not (folder / name).exists()]
    if missing:
        raise InputError(
            f"{folder}: there is no {' and no '.join(missing)}; the study needs an evaluation "
            "against opinion scores"
        )
    header, *rows = _table(folder / "correlations.csv")
    places = [dict(zip(header, row, strict=True)) for row in rows]
    return _Run(
        folder, record, _scores(folder / "scores.csv"), {each["column"]: each for each in places}
    )


def _scores(path: epath.Path) -> _Scores:
    """The scores of a run, row by row: as text, a large table would not fit into memory."""
    with path.open("r") as file:
        rows = csv.reader(file)
        names = next(rows)[_IDENTIFIERS:]
        pairs, distances = [], []
        for row in rows:
            pairs.append(row[:_IDENTIFIERS])
            distances.append(np.array([float(cell or "nan") for cell in row[_IDENTIFIERS:]]))
    return _Scores(names, pairs, np.stack(distances))


def _join(dataset: str, resize: str, precision: str, runs: Sequence[_Run]) -> Results:
    first = runs[0]
    facts = first.record["dataset"]
    keys = first.pairs
    columns: dict[str, Column] = {}
    distances: list[np.ndarray] = []
    left_out: dict[str, str] = {}
    networks: dict[str, Network] = {}
    for run in runs:
        found = run.record["dataset"]["fingerprint"]
        order = {pair: place for place, pair in enumerate(run.pairs)}
        if found != facts["fingerprint"] or order.keys() != set(keys):
            raise InputError(
                f"{run.folder}: expected the pairs of {first.folder} (fingerprint "
                f"{facts['fingerprint'][:12]}), found {found[:12]}; evaluate both on the same copy "
                f"of {dataset}, or study them apart"
            )
        for name, record in run.record.get("models", {}).items():
            if name not in networks or networks[name].absent:
                networks[name] = Network.of_record(name, record)
        rows = [order[key] for key in keys]
        for column, values in _columns(run, networks):
            if column.name in columns or column.name in left_out:
                continue
            if np.isfinite(values).all() and np.ptp(values) > 0:
                columns[column.name] = column
                distances.append(values[rows])
            else:
                left_out[column.name] = "its scores are not finite, or all equal"
    body = first.scores.pairs
    human = np.array([float(row[5]) for row in body])
    return Results(
        dataset=dataset,
        fingerprint=facts["fingerprint"],
        resize=resize,
        precision=precision,
        human=human if facts["higher_is_better"] else -human,
        reference_ids=np.array([row[2] for row in body], np.str_),
        distortions=np.array([row[3] for row in body], np.str_),
        columns=tuple(columns.values()),
        distances=np.stack(distances, axis=1) if distances else np.empty((len(keys), 0)),
        networks=networks,
        published_pairs=facts.get("published_pairs"),
        left_out=left_out,
        ceiling=facts.get("ceiling") or {},
    )


def _columns(run: _Run, networks: Mapping[str, Network]) -> Iterator[tuple[Column, np.ndarray]]:
    """The columns of a run with their distances, in the order of its table."""
    for name, values in zip(run.scores.names, run.scores.distances.T, strict=True):
        record = run.record["columns"][name]
        layers = tuple(record["layers"])
        place = run.places.get(name, {})
        relevance = record.get("relevance")
        readout = record.get("readout") or ""
        facts = networks[record["model"]].layers if record.get("model") in networks else {}
        is_metric = record["kind"] in (METRIC, JOINED)
        yield (
            Column(
                name=name,
                kind=record["kind"],
                model=name if is_metric else record.get("model") or "",
                layers=layers,
                readout=f"{readout}@{relevance}" if relevance else readout,
                relative_depth=float(place["relative_depth"])
                if place.get("relative_depth")
                else None,
                stride=facts.get(layers[0], {}).get("stride") if len(layers) == 1 else None,
                in_sample=bool(record["in_sample"]),
                transductive=bool(record["transductive"]),
            ),
            -values if record["direction"] == "higher" else values,
        )


def _gains(folder: epath.Path, record: Mapping[str, Any]) -> Iterator[Gain]:
    if not (folder / "report.csv").exists():
        raise InputError(
            f"{folder}: expected a folder that iqa evaluate or iqa train wrote; there is no "
            "report.csv, and run.json lists no columns"
        )
    header, *rows = _table(folder / "report.csv")
    for row in rows:
        cells = dict(zip(header, row, strict=True))
        compared = cells["weights"], cells["minus"]
        if compared == ("learned", "uniform") and cells["part"] in ("pooled", "transfer"):
            yield Gain(
                model=record["settings"]["model"],
                readout=record["readout"],
                part=cells["part"],
                dataset=cells["dataset"],
                measure=cells["measure"],
                references=int(cells["references"]),
                **{name: float(cells[name] or "nan") for name in ("value", "low", "high")},
            )
