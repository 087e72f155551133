"""Pairs of images given in Python: paths or arrays, in a frame, a mapping, a list or a file."""

import hashlib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from etils import epath

from iqa_jax.datasets import DIRECTIONS, PairTable, load_dataset, pair_lists
from iqa_jax.datasets.records import PAIR_FIELDS
from iqa_jax.datasets.table import Pair
from iqa_jax.errors import InputError, listed
from iqa_jax.images.sources import ArrayImages, ImageFolder
from iqa_jax.text import counted

_IMAGES = ("reference", "distorted")
_NUMBERS = ("score", "score_std")
_TEXTS = ("distortion", "level", "reference_id")

_OFF_GRID = 1e-3
"""Distance in levels of 8 bits up to which a number counts as that level: float32 images in [0, 1]
are within 0.00002 of it."""


def table_from(
    pairs: Any, *, with_scores: bool = False, score_direction: str | None = None
) -> PairTable:
    """A table of pairs that may be given in several forms.

    Args:
      pairs: One of

        * a pandas frame, or a mapping, with the columns ``reference``, ``distorted`` and, with
          scores, ``score`` and optionally ``score_std``, ``distortion``, ``level`` and
          ``reference_id``. Images are paths, or arrays ``[H, W, 3]``, RGB: ``uint8``, or floats
          that are k/255 or whole numbers from 0 to 255 to within 0.001 levels (all images of a
          table on one scale, which is [0, 1] if no number is greater than 1);
        * a sequence of ``(reference, distorted)``, or two arrays ``[N, H, W, 3]``; with scores, of
          ``(reference, distorted, score)``, or two arrays and the scores;
        * the path of a CSV file with these columns, whose paths are relative to the file;
        * a :class:`PairTable`.

        Equal reference arrays count as one reference. ``reference_id`` identifies the content; by
        default it is the reference itself.
      with_scores: Whether human scores are needed.
      score_direction: Whether ``higher`` or ``lower`` human scores are better; None for higher.

    Raises:
      InputError: If the pairs have none of these forms, columns are missing, or an image, a score
        or the direction cannot be used; one error lists the rows.
    """
    if score_direction not in (None, *DIRECTIONS):
        raise InputError(
            f"score_direction: expected {' or '.join(DIRECTIONS)}, got {score_direction!r}"
        )
    if isinstance(pairs, PairTable):
        table = pairs
    elif isinstance(pairs, str | os.PathLike):
        path = epath.Path(pairs)
        if with_scores:
            return load_dataset("csv", data_dir=path, score_direction=score_direction)
        return pair_lists.from_csv(path)
    else:
        table = _read(_columns(pairs, names=_needed(with_scores)), needed=_needed(with_scores))
    if not table.pairs:
        raise InputError("pairs: expected at least one pair, got none")
    if score_direction is None:
        return table
    return replace(table, higher_is_better=score_direction == "higher")


def _needed(with_scores: bool) -> tuple[str, ...]:
    return (*_IMAGES, "score") if with_scores else _IMAGES


def _columns(pairs: Any, *, names: Sequence[str]) -> dict[str, list[Any]]:
    """The columns of pairs in memory, in any of the forms; ``names`` are those of unnamed ones."""
    if hasattr(pairs, "columns") and hasattr(pairs, "__getitem__"):
        columns = {name: list(pairs[name]) for name in pairs.columns if name in PAIR_FIELDS}
    elif isinstance(pairs, Mapping):
        columns = {name: _items(pairs[name]) for name in pairs if name in PAIR_FIELDS}
    elif _are_stacks(pairs, len(names)):
        columns = {
            name: each if isinstance(each, list) else list(np.asarray(each))
            for name, each in zip(names, pairs, strict=True)
        }
    else:
        rows = _items(pairs)
        wrong = [row for row, each in enumerate(rows) if not _is_row(each, len(names))]
        if wrong:
            raise InputError(
                f"pairs: expected ({', '.join(names)}) in each row, got something else in row "
                f"{wrong[0] + 1}: {_described(rows[wrong[0]])}"
            )
        columns = {name: [each[place] for each in rows] for place, name in enumerate(names)}
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name}: {length}" for name, length in lengths.items())
        raise InputError(f"pairs: expected columns of equal length, got {found}")
    return columns


def _items(values: Any) -> list[Any]:
    if isinstance(values, str | bytes | os.PathLike) or not hasattr(values, "__iter__"):
        raise InputError(
            "pairs: expected a frame or a mapping of columns, (reference, distorted) pairs, two "
            f"arrays or the path of a CSV file, got {_described(values)}"
        )
    return list(values)


def _are_stacks(pairs: Any, count: int) -> bool:
    """Whether these are columns: arrays ``[N, H, W, 3]`` (and scores), or a tuple of lists."""
    is_whole = isinstance(pairs, tuple | list) and len(pairs) == count
    return is_whole and (
        all(getattr(each, "ndim", 0) == 4 for each in pairs[:2])
        or (isinstance(pairs, tuple) and all(isinstance(each, list) for each in pairs))
    )


def _is_row(row: Any, count: int) -> bool:
    if isinstance(row, np.ndarray) or hasattr(row, "ndim"):
        return False
    return isinstance(row, Sequence) and not isinstance(row, str) and len(row) == count


def _read(columns: Mapping[str, Sequence[Any]], *, needed: Sequence[str]) -> PairTable:
    missing = [name for name in needed if name not in columns]
    if missing:
        raise InputError(
            f"pairs: expected the columns {', '.join(needed)}; missing: {', '.join(missing)}"
        )
    images = _Images()
    rows = len(columns["reference"])
    named = {
        name: [images.name(each, name, row) for row, each in enumerate(columns[name])]
        for name in _IMAGES
    }
    arrays = images.levels()
    known = {name: columns.get(name, [None] * rows) for name in (*_NUMBERS, *_TEXTS)}
    problems = images.problems
    pairs = []
    for row, (reference, distorted) in enumerate(zip(*named.values(), strict=True)):
        numbers = {name: _number(known[name][row]) for name in _NUMBERS}
        if "score" in needed:
            problems += _doubts(row, {name: known[name][row] for name in _NUMBERS}, numbers)
            problems += images.sizes(row, reference, distorted)
        texts = {name: _text(known[name][row]) for name in _TEXTS}
        texts["reference_id"] = texts["reference_id"] or reference
        score, std = (math.nan if each is None else each for each in numbers.values())
        pairs.append(Pair(reference, distorted, score, std, **texts))
    if problems:
        raise InputError(f"pairs: {listed(problems, 'problems')}")
    return PairTable(
        name="pairs",
        pairs=pairs,
        images=ArrayImages(arrays, ImageFolder()) if arrays else ImageFolder(),
        higher_is_better=True,
        target="score",
    )


def _doubts(
    row: int, given: Mapping[str, Any], numbers: Mapping[str, float | None]
) -> Iterator[str]:
    """A problem for each human score of a row that cannot be used."""
    for name, number in numbers.items():
        if number is None or (name == "score" and not math.isfinite(number)):
            yield (
                f"row {row + 1}, column {name}: expected a number, got {_described(given[name])}; "
                "correct the row or leave it out"
            )


@dataclass
class _Images:
    """The images of a table, collected row by row.

    Attributes:
      arrays: Arrays by name.
      places: Row and column of each array, for messages, by name.
      problems: Images that cannot be used, one sentence each.
    """

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    _references: dict[Any, str] = field(default_factory=dict)

    def name(self, image: Any, column: str, row: int) -> str:
        """The name of an image: its path, or for an array one that is made up."""
        if isinstance(image, str | os.PathLike):
            return os.fspath(image)
        place = f"row {row + 1}, column {column}"
        name = f"{column}[{row}]"
        array = np.asarray(image)
        if array.ndim != 3 or array.shape[-1] != 3 or not array.size:
            self.problems.append(
                f"{place}: expected a path or an array [H, W, 3], got {_described(image)}"
            )
            return name
        if array.dtype.name not in ("uint8", "float16", "float32", "float64"):
            self.problems.append(
                f"{place}: expected an array of uint8 or floats, got {array.dtype}"
            )
            return name
        if column == "reference":
            content = hashlib.sha256(array.tobytes()).digest()
            name = self._references.setdefault((array.shape, array.dtype.str, content), name)
        self.arrays.setdefault(name, array)
        self.places.setdefault(name, place)
        return name

    def sizes(self, row: int, reference: str, distorted: str) -> Iterator[str]:
        """A sentence if two arrays are of different sizes."""
        if {reference, distorted} <= self.arrays.keys():
            sizes = [self.arrays[name].shape[:2] for name in (reference, distorted)]
            if sizes[0] != sizes[1]:
                expected, found = (f"{height}x{width}" for height, width in sizes)
                yield (
                    f"row {row + 1}, column distorted: expected {expected} pixels (height x width) "
                    f"as in the reference, got {found}"
                )

    def levels(self) -> dict[str, np.ndarray]:
        """All arrays as ``uint8``; values off the 8-bit grid become problems."""
        floats = [each for each in self.arrays.values() if each.dtype != np.uint8]
        scale = 255.0 if all(each.size and each.max() <= 1 for each in floats) else 1.0
        return {name: self._level(name, each, scale) for name, each in self.arrays.items()}

    def _level(self, name: str, array: np.ndarray, scale: float) -> np.ndarray:
        if array.dtype == np.uint8:
            return array
        exact = array.astype(np.float64) * scale
        nearest = np.rint(exact)
        with np.errstate(invalid="ignore"):
            is_level = (np.abs(exact - nearest) <= _OFF_GRID) & (nearest >= 0) & (nearest <= 255)
        if not is_level.all():
            where = "k/255" if scale == 255.0 else "whole numbers from 0 to 255"
            number = array[~is_level].flat[0]
            self.problems.append(
                f"{self.places[name]}: expected an image of 8 bits, {where}, found {number:g}; "
                "call the metric itself for floating-point images"
            )
            return np.zeros(array.shape, np.uint8)
        return nearest.astype(np.uint8)


def _number(value: Any) -> float | None:
    """The value as a number, NaN if it is missing; None if it is anything else."""
    if value is None:
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan if type(value).__name__ == "NAType" else None


def _text(value: Any) -> str:
    """A value as text, a whole number without decimals; empty if it is missing."""
    if value is None or type(value).__name__ == "NAType":
        return ""
    if isinstance(value, float | np.floating):
        return "" if math.isnan(value) else f"{value:g}"
    return str(value)


def _described(value: Any) -> str:
    """A short description of a value."""
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"an array {list(shape)}"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {counted(len(value), 'items')}"
    return f"{type(value).__name__} {value!r}"[:60]
