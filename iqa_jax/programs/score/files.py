"""The files of a scoring: the table and its record."""

import contextlib
import json
import math
import time
from collections.abc import Collection, Mapping
from typing import Any

from etils import epath

from iqa_jax.datasets.table import PairTable
from iqa_jax.errors import InputError
from iqa_jax.files import check_writable, create_text, modified_in, names, remove, write_text
from iqa_jax.images.checked import CheckedImages
from iqa_jax.programs.score.earlier import IMAGE_KEYS, EarlierScores, Kept, images_record
from iqa_jax.programs.score.scores import Scores
from iqa_jax.progress import warn
from iqa_jax.text import csv_text

_OF_PAIRS = ("reference", "distorted")
_AT_WORK = 120.0
"""Seconds for which a process at work may write nothing; parts are at most a minute apart, to which
the time of a work unit adds."""


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
        check_writable(self._path)
        self._signature = signature
        if create_text(self._record_path, record_text(signature)):
            return
        if not resume:
            state = "already exists; " if self._path.exists() else self._begun()
            raise InputError(
                f"{self._path}: {state}continue with --resume, or delete it together "
                f"with {self._record_path.name} and {self.parts.name}"
            )
        before = self._record()
        if not before:
            warn(f"{self._record_path}: is damaged; everything is scored again")
            write_text(self._record_path, record_text(signature))
            return
        before = {name: each for name, each in before.items() if name not in IMAGE_KEYS}
        if different := differences(before, signature):
            raise InputError(
                f"{self._path}: was made with different {', '.join(different)} (see "
                f"{self._record_path.name}); it cannot be continued"
            )

    def read(self, table: PairTable, images: CheckedImages, metrics: Collection[str]) -> Kept:
        """The scores of an earlier run, if there is one; see :meth:`EarlierScores.keep`.

        Args:
          table: The requested pairs.
          images: The images that can be opened now; those of earlier scores are read.
          metrics: Names of the requested metrics.

        Raises:
          InputError: If images of pairs that were scored have changed, or scores of pairs or
            metrics that were not requested would be lost.
        """
        try:
            text = self._path.read_bytes().decode(errors="replace")
        except FileNotFoundError:
            text = ""
        record = self._record()
        return EarlierScores(self._path, text, record, metrics).keep(table, images)

    def finish(self, scores: Scores) -> None:
        """Writes the table, with a row for each pair in the order given, and removes the parts."""
        images = images_record(scores, before=self._record())
        write_text(self._path, to_csv(scores))
        write_text(self._record_path, record_text({**self._signature, **images}))
        self.remove_parts()

    def remove_parts(self) -> None:
        """Removes the parts of the run; another run may do so at the same time."""
        with contextlib.suppress(OSError):
            remove(self.parts)

    def _begun(self) -> str:
        """State of an unfinished run; its process may still be at work if files of it are new."""
        record = modified_in(self._record_path.parent, lambda name: name == self._record_path.name)
        parts = (modified_in(self.parts / run, lambda _: True) for run in names(self.parts))
        times = [*record.values(), *(each for run in parts for each in run.values())]
        age = time.time() - max(times, default=-math.inf)
        if age > _AT_WORK:
            return "was begun earlier; "
        return (
            f"was begun earlier, and last written to {max(0, age):.0f} s ago: if another process "
            "is at work on it, wait until that has finished (only a folder as --output is filled "
            "by several processes together); otherwise "
        )

    def _record(self) -> dict[str, Any]:
        """The record beside the table; empty if it is damaged."""
        try:
            record = json.loads(self._record_path.read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}


def differences(before: Mapping[str, Any], signature: Mapping[str, Any]) -> list[str]:
    """Keys in which a signature differs from one that was read from a file."""
    now = json.loads(record_text(signature))
    return [key for key in {**before, **now} if before.get(key) != now.get(key)]


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


def record_text(record: Mapping[str, Any]) -> str:
    """A record as JSON."""
    return json.dumps(record, indent=2) + "\n"
