"""A pair table in files: each pair as named values, everything else about the table as JSON."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from iqa_jax.datasets.table import Pair, PairTable, Question
from iqa_jax.images.sources import ImageSource

PAIR_FIELDS = tuple(field.name for field in fields(Pair))
"""Fields of a pair, in the order of the columns of files."""

_NUMBERS = {field.name for field in fields(Pair) if field.type is float}
_TABLE_FIELDS = tuple(
    field.name for field in fields(PairTable) if field.name not in ("pairs", "images")
)
_NAN = "NaN"
"""NaN as zarr writes it; JSON has no such number."""


def pair_from(values: Mapping[str, Any]) -> Pair:
    """The pair with the values of :data:`PAIR_FIELDS`; numbers may be given as text.

    Raises:
      KeyError: If a field is missing.
      ValueError: If a text is not a number where one is expected.
    """
    known: dict[str, Any] = {
        name: float(values[name]) if name in _NUMBERS else values[name] for name in PAIR_FIELDS
    }
    return Pair(**known)


def table_record(table: PairTable, *, nan: str | None = _NAN) -> dict[str, Any]:
    """Everything about a table except its pairs and images, as JSON.

    Args:
      table: The dataset.
      nan: Replacement for NaN.
    """

    def as_json(value: Any) -> Any:
        if isinstance(value, tuple):
            return [as_json(each) for each in value]
        return nan if isinstance(value, float) and math.isnan(value) else value

    record = {name: as_json(getattr(table, name)) for name in _TABLE_FIELDS}
    return {**record, "protocol": table.protocol.value}


def table_from(record: Mapping[str, Any], pairs: Sequence[Pair], images: ImageSource) -> PairTable:
    """The table from its :func:`table_record`, whatever the replacement for NaN.

    Args:
      record: The record. It may have further entries, and lack those that have a default: files
        outlive versions.
      pairs: The rows.
      images: Source of their images.

    Raises:
      TypeError: If an entry without a default is missing.
      ValueError: If the protocol is unknown.
    """
    values = {
        name: _PARSERS.get(name, _same)(record[name]) for name in _TABLE_FIELDS if name in record
    }
    return PairTable(**values, pairs=pairs, images=images)


def _same(value: Any) -> Any:
    return value


def _number(value: Any) -> Any:
    return math.nan if value in (None, _NAN) else value


_PARSERS: Mapping[str, Callable[[Any], Any]] = {
    "score_range": lambda ends: tuple(map(_number, ends)),
    "protocol": Question,
    "opinions": _number,
}
