"""The files of a scoring: the table, its record, and the scores of an earlier run."""

import contextlib
import csv
import io
import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from etils import epath

from iqa_jax.datasets.parsing import number_or_nan
from iqa_jax.datasets.table import PairTable
from iqa_jax.errors import InputError
from iqa_jax.files import create_text, write_text
from iqa_jax.images.decode import Header
from iqa_jax.programs.score.scores import Scored, Scores
from iqa_jax.progress import warn
from iqa_jax.text import csv_text

_IMAGES, _UNREAD = "images", "unread"
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


class ScoreFiles:
    """``OUTPUT``, ``OUTPUT.json`` beside it, and ``OUTPUT.parts`` while the run goes on.

    ``OUTPUT.json`` records what the scores depend on; once the table is written, also the size,
    length and checksum of every image, and which images could not be read or were too large for the
    memory.

    Args:
      path: The CSV file to write.
    """

    def __init__(self, path: epath.Path):
        self._path = path
        self._record_path = path.with_name(f"{path.name}.json")
        self.parts = path.with_name(f"{path.name}.parts")
        self._signature: Mapping[str, Any] = {}

    def claim(self, signature: Mapping[str, Any], *, resume: bool) -> None:
        """Makes sure that nothing is overwritten or mixed, and writes the signature.

        If several runs begin at once, one continues and the others are refused.

        Args:
          signature: Everything that the scores depend on besides the images.
          resume: Whether to continue an earlier run.

        Raises:
          InputError: If there is an earlier run and ``resume`` is False, or it has another
            signature.
        """
        if self._path.is_dir():
            raise InputError(f"{self._path}: is a folder; expected the name of a CSV file")
        if self._path.exists() and not self._record_path.exists():
            raise InputError(f"{self._path}: already exists and was not made by this program")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._signature = signature
        if create_text(self._record_path, record_text(signature)):
            return
        if not resume:
            state = "already exists" if self._path.exists() else "was begun earlier"
            raise InputError(
                f"{self._path}: {state}; continue with --resume, or delete it together "
                f"with {self._record_path.name} and {self.parts.name}"
            )
        before = self._record()
        if not before:
            warn(f"{self._record_path}: is damaged; everything is scored again")
            write_text(self._record_path, record_text(signature))
            return
        before = {name: each for name, each in before.items() if name not in (_IMAGES, _UNREAD)}
        if different := differences(before, signature):
            raise InputError(
                f"{self._path}: was made with different {', '.join(different)} (see "
                f"{self._record_path.name}); it cannot be continued"
            )

    def read(
        self, table: PairTable, images: Mapping[str, Header], metrics: Collection[str]
    ) -> Kept:
        """Reads the scores of an earlier run, if there is one.

        The scores of a pair, or an error that would recur, are kept if its images have not changed
        and could be read.

        Args:
          table: The requested pairs.
          images: Headers of the images that can be opened now, by name.
          metrics: Names of the requested metrics.

        Raises:
          InputError: If images of pairs that were scored have changed, or scores of pairs or
            metrics that were not requested would be lost.
        """
        there = list(self._rows(metrics))
        found = dict(there)
        scored = [names for names, each in found.items() if not each.error]
        asked = [(pair.reference, pair.distorted) for pair in table.pairs]
        wanted = set(asked)
        self._refuse(
            [names[1] for names in scored if names not in wanted],
            "has scores of pairs that were not requested; request them too",
        )
        record = self._record()
        before, unread = record.get(_IMAGES, {}), set(record.get(_UNREAD, ()))
        now = {name: _described(header) for name, header in images.items()}
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
        is_complete = len(rows) == len(asked) and [names for names, _ in there] == asked
        return Kept(rows, tried_again, missing, is_complete)

    def finish(self, scores: Scores) -> None:
        """Writes the table, with a row for each pair in the order given, and removes the parts."""
        before = self._record().get(_IMAGES, {})
        now = images_record(scores)
        names = dict.fromkeys(
            name for pair in scores.table.pairs for name in (pair.reference, pair.distorted)
        )
        images = {name: each for name in names if (each := now.get(name) or before.get(name))}
        write_text(self._path, to_csv(scores))
        record = {**self._signature, _IMAGES: images, _UNREAD: sorted(scores.unread)}
        write_text(self._record_path, record_text(record))
        self.remove_parts()

    def remove_parts(self) -> None:
        """Removes the parts of the run; another run may do so at the same time."""
        with contextlib.suppress(OSError):
            self.parts.rmtree(missing_ok=True)

    def _record(self) -> dict[str, Any]:
        """The record beside the table; empty if it is damaged."""
        try:
            record = json.loads(self._record_path.read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}

    def _rows(self, metrics: Collection[str]) -> Iterator[tuple[tuple[str, str], Scored]]:
        """The intact rows of the table, with the names of their images."""
        try:
            text = self._path.read_bytes().decode(errors="replace")
        except FileNotFoundError:
            return
        whole, _, _ = text.rpartition("\n")
        lines = _lines(whole)
        columns = next(lines, [])
        if not (tuple(columns[:2]) == _OF_PAIRS and columns[-1] == "error"):
            return
        if {*columns[2:-1]} != {*metrics}:
            if _IMAGES in self._record():  # the record is that of these metrics: it is damage
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


def differences(before: Mapping[str, Any], signature: Mapping[str, Any]) -> list[str]:
    """Keys in which a signature differs from one that was read from a file."""
    now = json.loads(record_text(signature))
    return [key for key in {**before, **now} if before.get(key) != now.get(key)]


def images_record(scores: Scores) -> dict[str, str]:
    """Size, length and checksum of each image that could be opened, by name."""
    return {name: _described(header) for name, header in scores.images.items()}


def to_csv(scores: Scores) -> str:
    """``reference,distorted,METRIC...,error``; a missing score is empty."""
    columns = [
        [None if math.isnan(value) else value for value in values.tolist()]
        for values in scores.values.values()
    ]
    rows = zip(scores.table.pairs, *columns, scores.errors, strict=True)
    return csv_text(
        (*_OF_PAIRS, *scores.values, "error"),
        ((pair.reference, pair.distorted, *cells) for pair, *cells in rows),
    )


def _lines(text: str) -> Iterator[list[str]]:
    """The lines of a table, up to the first that is not CSV."""
    with contextlib.suppress(csv.Error):
        yield from csv.reader(io.StringIO(text, newline=""))


def _described(header: Header) -> str:
    return f"{header.width}x{header.height}, {header.length} bytes, CRC-32 {header.checksum:08x}"


def record_text(record: Mapping[str, Any]) -> str:
    """A record as JSON."""
    return json.dumps(record, indent=2) + "\n"
