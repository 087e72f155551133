"""The files of a scoring run: a table that appears whole, its signature, and what it continues."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from etils import epath

from iqa_jax.datasets.table import PairTable
from iqa_jax.errors import InputError
from iqa_jax.files import write_text
from iqa_jax.score import Scores

_DIGITS = 9
"""Significant digits: enough to tell any two float32 numbers apart."""


class ScoreFiles:
    """``OUTPUT``, ``OUTPUT.json`` beside it, and ``OUTPUT.parts`` while the run goes on.

    Args:
      path: The CSV file to write.
    """

    def __init__(self, path: epath.Path):
        self._path = path
        self._signature = path.with_name(f"{path.name}.json")
        self.parts = path.with_name(f"{path.name}.parts")

    def claim(self, signature: Mapping[str, Any], *, resume: bool) -> None:
        """Makes sure that nothing is overwritten or mixed, and writes the signature.

        Args:
          signature: Everything that the scores depend on.
          resume: Whether a run that was begun is to be continued.

        Raises:
          InputError: If there is a table or a begun run and ``resume`` is False, or it was made
            with another signature.
        """
        if self._path.is_dir():
            raise InputError(f"{self._path}: is a folder; expected the name of a CSV file")
        if self._path.exists() and not self._signature.exists():
            raise InputError(f"{self._path}: is there already and was not made by this program")
        if self._signature.exists():
            if not resume:
                state = "is there already" if self._path.exists() else "has been begun"
                raise InputError(
                    f"{self._path}: {state}; continue it with --resume, or remove it and what "
                    f"stands beside it ({self._signature.name}, {self.parts.name})"
                )
            before = json.loads(self._signature.read_text())
            different = [key for key in signature if before.get(key) != _json(signature[key])]
            if different:
                hint = "; a changed or repaired image counts" if "pairs" in different else ""
                raise InputError(
                    f"{self._path}: was made with different {', '.join(different)} (see "
                    f"{self._signature.name}{hint}); it is not continued"
                )
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_text(self._signature, json.dumps(signature, indent=2) + "\n")

    @property
    def finished(self) -> bool:
        """Whether the table is there."""
        return self._path.exists()

    def read(self, table: PairTable) -> Scores:
        """What the finished table holds, which is one of the pairs of ``table``."""
        header, *rows = csv.reader(io.StringIO(self._path.read_text(), newline=""))
        columns = dict(zip(header, zip(*rows, strict=True), strict=True))
        values = {
            name: np.array([float(text or "nan") for text in columns[name]], np.float32)
            for name in header[2:-1]
        }
        return Scores(table, values, columns["error"])

    def finish(self, scores: Scores) -> None:
        """Writes the table, a row a pair in the order given, and removes the parts."""
        write_text(self._path, to_csv(scores))
        if self.parts.exists():
            self.parts.rmtree()


def to_csv(scores: Scores) -> str:
    """``reference,distorted,METRIC...,error``; a missing score is empty."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("reference", "distorted", *scores.values, "error"))
    columns = [_texts(values) for values in scores.values.values()]
    for pair, error, *texts in zip(scores.table.pairs, scores.errors, *columns, strict=True):
        writer.writerow((pair.reference, pair.distorted, *texts, error))
    return file.getvalue()


def _texts(values: np.ndarray) -> Sequence[str]:
    return ["" if np.isnan(value) else f"{value:.{_DIGITS}g}" for value in values.tolist()]


def _json(value: Any) -> Any:
    return json.loads(json.dumps(value))
