"""Datasets: their layouts on disk, read into one kind of table. Knows no network."""

import dataclasses
from collections.abc import Callable, Mapping

from etils import epath

from iqa_jax.datasets import csv_table, demo, tid2013
from iqa_jax.datasets.joined import read_joined_scores
from iqa_jax.datasets.table import Pair, PairTable, fingerprint, inspect
from iqa_jax.errors import DatasetError

__all__ = [
    "DATASETS",
    "Pair",
    "PairTable",
    "fingerprint",
    "inspect",
    "load_dataset",
    "read_joined_scores",
]

DATASETS: Mapping[str, Callable[[epath.Path], PairTable]] = {
    "csv": csv_table.load,
    "demo": demo.load,
    "tid2013": tid2013.load,
}


def load_dataset(
    name: str,
    data_dir: epath.PathLike,
    *,
    allow_partial: bool = False,
    score_direction: str | None = None,
) -> PairTable:
    """Reads the table of a dataset; no image is opened yet.

    Args:
      name: Key of :data:`DATASETS`.
      data_dir: The folder of the dataset; for ``csv`` the file.
      allow_partial: Whether a copy with another number of pairs than published will do.
      score_direction: ``higher`` or ``lower`` for better images; None for what the dataset says,
        for ``csv`` ``higher``.

    Raises:
      DatasetError: If there is no such dataset, its layout is another, it is not whole, or its
        scores are known to have the other direction.
    """
    if name not in DATASETS:
        raise DatasetError(f"there is no dataset {name!r}; there are: {', '.join(DATASETS)}")
    table = DATASETS[name](epath.Path(data_dir))
    if table.published_pairs not in (None, len(table.pairs)) and not allow_partial:
        raise DatasetError(
            f"{name} has {table.published_pairs} pairs, the table in {data_dir} lists "
            f"{len(table.pairs)}; to use an incomplete copy, say --allow_partial"
        )
    if score_direction is None:
        return table
    higher_is_better = {"higher": True, "lower": False}[score_direction]
    if name != "csv" and higher_is_better != table.higher_is_better:
        raise DatasetError(f"{name}: its scores are not {score_direction} for better images")
    return dataclasses.replace(table, higher_is_better=higher_is_better)
