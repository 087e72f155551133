"""Networks, metrics and datasets used for results, read from the record beside them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from etils import epath

from iqa_jax.datasets import DATASETS
from iqa_jax.datasets.catalogue import about
from iqa_jax.errors import InputError
from iqa_jax.metrics.citing import Uses, uses_of
from iqa_jax.readouts import READOUTS
from iqa_jax.revisions import DISTRIBUTION
from iqa_jax.study.claims import PUBLICATIONS
from iqa_jax.zoo.citing import model_publications

_RECORD = "run.json"
_PLAIN = {"metric psnr", *(f"read-out {name}" for name in READOUTS)}
"""Parts of metrics for which no publication is expected."""


@dataclass(frozen=True)
class Used:
    """Networks, metrics and datasets.

    Attributes:
      models: Names of models.
      metrics: Names of metrics and read-outs.
      datasets: Names of datasets.
      claims: Whether claims of publications were tested.
      others: Scores that other tools computed, and tables of your own.
      versions: Versions of this package.
    """

    models: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    claims: bool = False
    others: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()


def uses(used: Iterable[Used]) -> Uses:
    """The publications to cite for everything that was used.

    Args:
      used: Networks, metrics and datasets of each of several results.

    Returns:
      Keys of publications, by what was used; none where no publication is known.

    Raises:
      InputError: If there is no such model, metric or dataset.
    """
    found: Uses = {}
    for each in used:
        for model in each.models:
            found[f"network {model}"] = model_publications(model)
        for metric in each.metrics:
            found |= uses_of(metric)
        for dataset in each.datasets:
            found[f"dataset {dataset}"] = _dataset_publications(dataset)
        if each.claims:
            found["claims"] = PUBLICATIONS
        found |= {f"table or column {name}": () for name in each.others}
    return {use: keys for use, keys in found.items() if keys or use not in _PLAIN}


def read_results(path: epath.Path) -> list[Used]:
    """Reads the networks, metrics and datasets used for results from their record.

    Args:
      path: A folder with ``run.json``, or a table of ``iqa score`` with its record beside it.

    Returns:
      What was used; for a study, also what was used for each of the results that it read.

    Raises:
      InputError: If there is no record, or it is not one of this package.
    """
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder")
    record_path = path / _RECORD if path.is_dir() else path.with_name(f"{path.name}.json")
    if not path.is_dir() and not record_path.exists():  # a table in a folder of results
        record_path = path.with_name(_RECORD)
    try:
        record = json.loads(record_path.read_bytes())
    except FileNotFoundError:
        raise InputError(
            f"{path}: there is no {record_path.name}; expected the folder of iqa evaluate, iqa "
            "train or iqa study, or the table of iqa score"
        ) from None
    except ValueError as error:
        raise InputError(f"{record_path}: is damaged ({error})") from error
    try:
        if "claims" in record:
            study = Used(claims=True, versions=_versions(record["software"]))
            folders = record["settings"]["results"]
            return [study, *(used for each in folders for used in read_results(epath.Path(each)))]
        return [_used(record)]
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError(f"{record_path}: is not a record of this package ({error!r})") from error


def _used(record: Mapping[str, Any]) -> Used:
    if "columns" in record:  # of an evaluation
        kinds = {name: column["kind"] for name, column in record["columns"].items()}
        return Used(
            metrics=tuple(name for name, kind in kinds.items() if kind in ("layer", "metric")),
            datasets=(record["settings"]["dataset"],),
            others=tuple(name for name, kind in kinds.items() if kind == "joined"),
            versions=_versions(*(run["software"] for run in record["runs"])),
        )
    if "metrics" in record:  # of scores
        return Used(metrics=tuple(record["metrics"]), versions=_versions(record["software"]))
    trained = record["settings"]  # of a relevance
    stores = [each for each in (record["statistics"], record["test_statistics"]) if each]
    tables = [store["dataset"] for store in stores]
    return Used(
        metrics=(f"{trained['model']}/{'+'.join(trained['layers']) or 'all'}/{record['readout']}",),
        datasets=tuple(name for name in tables if name in DATASETS),
        others=tuple(name for name in tables if name not in DATASETS),
        versions=_versions(record["software"]["software"]),
    )


def _versions(*software: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each[DISTRIBUTION] for each in software))


def _dataset_publications(name: str) -> tuple[str, ...]:
    if name not in DATASETS:
        raise InputError(f"there is no dataset {name!r}; there are: {', '.join(DATASETS)}")
    return about(name).publications
