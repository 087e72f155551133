"""All datasets by name, and how to load one."""

import dataclasses
import functools
from collections.abc import Callable, Mapping

from etils import epath

from iqa_jax.datasets.adapters import (
    bapps,
    csiq,
    csv_table,
    demo,
    kadid10k,
    live,
    livemd,
    pieapp,
    pipal,
    tid,
)
from iqa_jax.datasets.table import PairTable
from iqa_jax.errors import DatasetError
from iqa_jax.text import do_you_mean

DATASETS: Mapping[str, Callable[[epath.Path], PairTable]] = {
    "bapps-2afc": bapps.load_2afc,
    "bapps-2afc:lpips": functools.partial(bapps.load_2afc, is_filtered=True),
    "bapps-2afc:train": functools.partial(bapps.load_2afc, split="train"),
    "bapps-2afc:train-lpips": functools.partial(bapps.load_2afc, split="train", is_filtered=True),
    "bapps-jnd": bapps.load_jnd,
    "bapps-jnd:lpips": functools.partial(bapps.load_jnd, is_filtered=True),
    "csiq": csiq.load,
    "csv": csv_table.load,
    "demo": demo.load,
    "kadid10k": kadid10k.load,
    "live": live.load,
    "live:original": live.load_original,
    "live:with-pristine": live.load_with_pristine,
    "livemd": livemd.load,
    "pieapp": pieapp.load,
    "pipal": pipal.load,
    "tid2008": tid.load_tid2008,
    "tid2013": tid.load_tid2013,
}
"""Name -> function that reads the dataset's table. What follows a colon selects one of several
tables of a publication, or how its images are shown."""

DIRECTIONS = ("higher", "lower")
"""Directions of human scores: whether better images have higher or lower ones."""


def load_dataset(
    name: str,
    *,
    data_dir: epath.PathLike | None = None,
    tfds_dir: epath.PathLike | None = None,
    allow_partial: bool = False,
    score_direction: str | None = None,
) -> PairTable:
    """Reads the table of a dataset without opening any image.

    Args:
      name: Key of :data:`DATASETS`.
      data_dir: Folder of the dataset; for ``csv``, the file.
      tfds_dir: Folder in which ``iqa build`` stored the dataset, instead of ``data_dir``.
      allow_partial: Whether to accept a copy whose number of pairs is not the published one.
      score_direction: ``higher`` or ``lower`` for better images; None for the dataset's own
        direction (for ``csv``, ``higher``).

    Raises:
      DatasetError: If there is no such dataset or direction, the layout is unexpected, the copy is
        incomplete, or the scores are known to have the other direction.
    """
    if name not in DATASETS:
        hint = do_you_mean(name, DATASETS)
        raise DatasetError(f"there is no dataset {name!r}; {hint}there are: {', '.join(DATASETS)}")
    if score_direction not in (None, *DIRECTIONS):
        raise DatasetError(
            f"score_direction: expected {' or '.join(DIRECTIONS)}, got {score_direction!r}"
        )
    table = _load(name, data_dir, tfds_dir)
    if table.published_pairs not in (None, len(table.pairs)) and not allow_partial:
        raise DatasetError(
            f"{name} has {table.published_pairs} pairs, the table in {data_dir or tfds_dir} lists "
            f"{len(table.pairs)}; to use an incomplete copy, set allow_partial"
        )
    if score_direction is None:
        return table
    higher_is_better = score_direction == "higher"
    if name != "csv" and higher_is_better != table.higher_is_better:
        raise DatasetError(f"{name}: its scores are not {score_direction} for better images")
    return dataclasses.replace(table, higher_is_better=higher_is_better)


def _load(name: str, data_dir: epath.PathLike | None, tfds_dir: epath.PathLike | None) -> PairTable:
    if data_dir is not None and tfds_dir is None:
        return DATASETS[name](epath.Path(data_dir))
    if tfds_dir is not None and data_dir is None:
        from iqa_jax.datasets.tfds.source import load_tfds  # noqa: PLC0415  slow to import

        return load_tfds(name, tfds_dir)
    raise DatasetError("expected either data_dir or tfds_dir: the folder that holds the dataset")
