"""Pairs without human scores: one pair, two folders, or a table in a file."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from etils import epath

from iqa_jax.datasets.adapters import csv_table
from iqa_jax.datasets.folders import files_below
from iqa_jax.datasets.pair_pieces import check_one_folder
from iqa_jax.datasets.table import Pair, PairTable
from iqa_jax.errors import DatasetError, listed
from iqa_jax.images.sources import ImageFolder

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff"),
    *(".webp", ".avif", ".jp2", ".ppm", ".pgm", ".pnm"),
)
"""Suffixes of the files in a folder that count as images, regardless of case."""


def one_pair(reference: str, distorted: str) -> PairTable:
    """A table of one pair.

    Args:
      reference: Path of the reference image.
      distorted: Path of the distorted image.
    """
    return _table([(reference, distorted)])


def two_folders(reference: epath.Path, distorted: epath.Path) -> PairTable:
    """Pairs the images of two folders by relative path, if necessary without suffix.

    Args:
      reference: Folder of the references.
      distorted: Folder of the distorted images.

    Raises:
      DatasetError: If a folder does not exist or has no images, or if an image has no partner or
        several; one error lists all such images.
    """
    references, versions = (_images_by_stem(folder) for folder in (reference, distorted))
    problems = [f"{stem}: only in {reference}" for stem in references if stem not in versions]
    pairs: list[tuple[str, str]] = []
    for stem, of_version in versions.items():
        of_reference = references.get(stem, {})
        if not of_reference:
            problems.append(f"{stem}: only in {distorted}")
        elif of_reference.keys() == of_version.keys() or len(of_reference) == len(of_version) == 1:
            pairs += zip(of_reference.values(), of_version.values(), strict=True)
        else:
            paths = (*of_reference.values(), *of_version.values())
            problems.append(f"{', '.join(paths)}: have the same name")
    if problems:
        raise DatasetError(
            f"{listed(problems, 'names cannot be matched')}\n  "
            "if a reference has several versions, list the pairs in a file: --pairs"
        )
    return _table(pairs)


def from_csv(*paths: epath.Path) -> PairTable:
    """Reads CSV files with the columns ``reference,distorted``, whose paths are relative to them.

    Args:
      *paths: The files, at least one, in the order of the table.

    Raises:
      DatasetError: If a file does not exist, lacks a column, or has no rows, or the files are in
        different folders.
    """
    check_one_folder(paths)
    tables = [csv_table.load(path, required=("reference", "distorted")) for path in paths]
    for path, table in zip(paths, tables, strict=True):
        if not table.pairs:
            raise DatasetError(f"{path}: has no rows")
    return replace(tables[0], pairs=[pair for table in tables for pair in table.pairs])


def _table(paths: Sequence[tuple[str, str]]) -> PairTable:
    pairs = [Pair(reference, distorted, math.nan) for reference, distorted in paths]
    return PairTable("pairs", pairs, ImageFolder(), higher_is_better=True)


def _images_by_stem(folder: epath.Path) -> dict[str, dict[str, str]]:
    """Images of a folder: relative path without suffix -> relative path -> path."""
    if not folder.is_dir():
        is_file = "is a file; expected a folder" if folder.exists() else "there is no such folder"
        raise DatasetError(f"{folder}: {is_file}")
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for path in sorted(files_below(folder)):
        relative = PurePosixPath(path.relative_to(folder))
        if relative.suffix.lower() in SUFFIXES:
            found[str(relative.with_suffix(""))][str(relative)] = str(path)
    if not found:
        raise DatasetError(f"{folder}: has no images ({' '.join(SUFFIXES)})")
    return dict(found)
