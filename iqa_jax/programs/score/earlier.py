"""The scores of an earlier run, and which of them are kept."""

import contextlib
import csv
import io
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from etils import epath

from iqa_jax.datasets.inspection import read_headers
from iqa_jax.datasets.parsing import number_or_nan
from iqa_jax.datasets.table import PairTable
from iqa_jax.errors import InputError
from iqa_jax.images.checked import CheckedImages
from iqa_jax.images.decode import Header
from iqa_jax.programs.score.scores import Scored, Scores

IMAGE_KEYS = _IMAGES, _UNREAD = "images", "unread"
"""Keys of the images in a record, beside those of the signature."""

_OF_PAIRS = ("reference", "distorted")
_MOST_NAMED = 5
_DAMAGED = "\ufffd"
"""Replacement for bytes that are not text."""


@dataclass(frozen=True)
class Kept:
    """Scores of an earlier run for the pairs requested now.

    Attributes:
      rows: Scores that are kept, by row.
      tried_again: Number of pairs with an image that could not be read, was too large for the
        memory, has changed, or is not on record.
      missing: Number of pairs that the table lacks, or has only in part.
      is_complete: Whether the table has all pairs and no others, in their order.
    """

    rows: Mapping[int, Scored]
    tried_again: int
    missing: int
    is_complete: bool


class EarlierScores:
    """The table of an earlier run.

    Args:
      path: File of the table, for error messages.
      text: The table; bytes that are not text are replaced.
      record: Its record, with the images as in :func:`images_record`; empty if it is damaged.
      metrics: Names of the requested metrics.

    Raises:
      InputError: If the table has scores of other metrics.
    """

    def __init__(
        self, path: epath.Path, text: str, record: Mapping[str, Any], metrics: Collection[str]
    ):
        self._path = path
        self._record = record
        self._there = list(self._rows(text, metrics))

    def keep(self, table: PairTable, images: CheckedImages) -> Kept:
        """The scores that are kept for the pairs requested now.

        The scores of a pair, or an error that would recur, are kept if its images have not changed
        and could be read.

        Args:
          table: The requested pairs.
          images: The images that can be opened now; those of earlier scores are read.

        Raises:
          InputError: If images of pairs that were scored have changed, or scores of pairs that
            were not requested would be lost.
        """
        found = dict(self._there)
        scored = [names for names, each in found.items() if not each.error]
        asked = [(pair.reference, pair.distorted) for pair in table.pairs]
        wanted = set(asked)
        self._refuse(
            [names[1] for names in scored if names not in wanted],
            "has scores of pairs that were not requested; request them too",
        )
        before = self._record.get(_IMAGES, {})
        unread = set(self._record.get(_UNREAD, ()))
        headers = read_headers(images, [name for name in before if name in images.headers])
        now = {name: described(each) for name, each in headers.items() if isinstance(each, Header)}
        changed = {name for name in before if name in now and now[name] != before[name]}
        self._refuse(
            [name for names in scored for name in dict.fromkeys(names) if name in changed],
            "has scores of images that have changed since; delete it to score everything again",
        )
        stands = before.keys() - changed
        rows, tried_again = {}, 0
        for row, pair in enumerate(table.pairs):
            names = {pair.reference, pair.distorted}
            each = found.get((pair.reference, pair.distorted))
            if each and names <= (stands - unread if each.error else stands):
                rows[row] = each
            elif each:
                tried_again += 1
        missing = len(asked) - len(rows) - tried_again
        is_complete = len(rows) == len(asked) and [names for names, _ in self._there] == asked
        return Kept(rows, tried_again, missing, is_complete)

    def _rows(
        self, text: str, metrics: Collection[str]
    ) -> Iterator[tuple[tuple[str, str], Scored]]:
        """The intact rows of the table, with the names of their images."""
        whole, _, _ = text.rpartition("\n")
        lines = _lines(whole)
        columns = next(lines, [])
        if not (tuple(columns[:2]) == _OF_PAIRS and columns[-1] == "error"):
            return
        if {*columns[2:-1]} != {*metrics}:
            if _IMAGES in self._record:  # the record is that of these metrics: it is damage
                return
            raise InputError(
                f"{self._path}: has the columns {', '.join(columns[2:-1])}, not "
                f"{', '.join(metrics)}; it cannot be continued"
            )
        for line in lines:
            if len(line) == len(columns) and not any(_DAMAGED in field for field in line):
                reference, distorted, *texts, error = line
                values = dict(zip(columns[2:-1], map(number_or_nan, texts), strict=True))
                if error or not any(map(math.isnan, values.values())):
                    yield (reference, distorted), Scored(values, error)

    def _refuse(self, names: Sequence[str], complaint: str) -> None:
        if names:
            named = ", ".join([*dict.fromkeys(names)][:_MOST_NAMED])
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            raise InputError(
                f"{self._path}: {complaint}, or choose another --output: {named}{more}"
            )


def images_record(scores: Scores, *, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Size, length and checksum of each image, and which could not be read, as JSON.

    Args:
      scores: The scores.
      before: Record of an earlier run, which may know images that cannot be opened now.
    """
    known = (before or {}).get(_IMAGES, {})
    now = {name: described(header) for name, header in scores.images.items()}
    names = scores.table.image_names
    images = {name: each for name in names if (each := now.get(name) or known.get(name))}
    return {_IMAGES: images, _UNREAD: sorted(scores.unread)}


def recorded_checksum(description: str) -> int:
    """The checksum in a description of an image; see :func:`described`."""
    return int(description.rpartition(" ")[2], 16)


def _lines(text: str) -> Iterator[list[str]]:
    """The lines of a table, up to the first that is not CSV."""
    with contextlib.suppress(csv.Error):
        yield from csv.reader(io.StringIO(text, newline=""))


def described(header: Header) -> str:
    """Size, length and checksum of an image in words."""
    return f"{header.width}x{header.height}, {header.length} bytes, CRC-32 {header.checksum:08x}"
