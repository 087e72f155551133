"""A folder of scores in shards, which several processes fill and one of them merges.

``run.json`` records what the scores depend on. Each file in ``shards`` is the table of one shard
below a line that starts with ``#``: its record as JSON, with the signature of the run, the size,
length and checksum of every image that was decoded, and a checksum of the table. ``claims`` says
which process works on which shard, and ``parts`` keeps the scores of shards that are not finished.
``scores.csv`` is the table of all shards.
"""

import csv
import hashlib
import io
import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from etils import epath

from iqa_jax.datasets.shard_tables import (
    shard_numbers,
    shard_path,
    shard_text,
    split_shard,
)
from iqa_jax.engine.claims import Claims
from iqa_jax.engine.shares import ALONE, Share
from iqa_jax.errors import InputError, listed
from iqa_jax.files import appearing_whole, create_text, names, remove, write_text
from iqa_jax.programs.score.earlier import EarlierScores, images_record
from iqa_jax.programs.score.files import differences, record_text, to_csv
from iqa_jax.programs.score.scores import Scores

_FOLDERS = ("claims", "parts", "shards")


@dataclass(frozen=True)
class Merged:
    """A merged table.

    Attributes:
      path: The table.
      pairs: Number of its pairs.
      failed: Number of pairs that could not be scored in full.
    """

    path: epath.Path
    pairs: int
    failed: int


class ShardFolder:
    """The shards of a scoring.

    Attributes:
      path: The folder.

    Raises:
      InputError: If this is a file.
    """

    def __init__(self, path: epath.Path):
        if path.exists() and not path.is_dir():
            raise InputError(
                f"{path}: is a file; expected a folder, or a name that ends in .csv for a table"
            )
        self.path = path
        self._record_path = path / "run.json"
        self._signature: Mapping[str, Any] = {}

    def begin(self, signature: Mapping[str, Any], count: int) -> None:
        """Creates the folder, or makes sure that it is of the same run.

        Args:
          signature: Everything that the scores depend on.
          count: Number of shards.

        Raises:
          InputError: If the folder is of another run, or has files that are not of shards.
        """
        others = self._others()  # first: another process may create the record meanwhile
        if others and not self._record_path.exists():
            raise InputError(
                f"{self.path}: has files that are not of shards, such as {others[0]}; name a new "
                "or an empty folder"
            )
        shard_path(self.path, 0).parent.mkdir(parents=True, exist_ok=True)
        text = record_text({**signature, "shards": count})
        if not create_text(self._record_path, text):
            before = _parsed(self._record_path.read_text(), self._record_path)
            if different := differences(before, json.loads(text)):
                raise InputError(
                    f"{self.path}: was begun with different {', '.join(different)} (see "
                    f"{self._record_path.name}); choose another --output"
                )
        self._signature = json.loads(text)

    def open(self) -> None:
        """Reads what the scores depend on.

        Raises:
          InputError: If this is not a folder of shards.
        """
        if not self._record_path.exists():
            raise InputError(f"{self.path}: expected a folder that iqa score has begun to fill")
        self._signature = _parsed(self._record_path.read_text(), self._record_path)

    @property
    def count(self) -> int:
        """Number of shards."""
        return self._signature["shards"]

    @property
    def directions(self) -> dict[str, bool]:
        """Whether higher scores are better, by metric; empty if these are not of ``iqa score``."""
        metrics = self._signature.get("metrics", {})
        return {name: each["higher_is_better"] for name, each in metrics.items()}

    def claims(self, share: Share) -> Claims:
        """The claims on the shards.

        Args:
          share: Share of this process.
        """
        return Claims(self.path / "claims", share)

    def parts(self, number: int) -> epath.Path:
        """Folder for the parts of a shard that is not finished."""
        return self.path / "parts" / f"{number:08d}"

    def finished(self) -> set[int]:
        """Numbers of the shards that are finished."""
        return shard_numbers(self.path)

    def is_finished(self, number: int) -> bool:
        """Whether a shard is finished."""
        return shard_path(self.path, number).exists()

    def finish(self, number: int, scores: Scores) -> None:
        """Writes a shard, and removes its parts."""
        table = to_csv(scores)
        record = {
            "shard": number,
            "sha256": _sha256(table),
            "signature": self._signature,
            **images_record(scores, before=self._read(number)[0]),
        }
        write_text(shard_path(self.path, number), shard_text(json.dumps(record), table))
        with suppress(OSError):  # another process that works on the shard may write there
            remove(self.parts(number))

    def earlier(self, number: int, metrics: Collection[str]) -> EarlierScores:
        """The scores of a finished shard.

        Args:
          number: Number of the shard.
          metrics: Names of the metrics.
        """
        record, table = self._read(number)
        return EarlierScores(shard_path(self.path, number), table, record, metrics)

    def images(self, number: int) -> Mapping[str, str]:
        """Descriptions of the images that a finished shard was made from; none if it is damaged."""
        record, table = self._read(number)
        return record.get("images", {}) if record.get("sha256") == _sha256(table) else {}

    def discard(self, number: int) -> None:
        """Removes a shard, so that it is scored again."""
        shard_path(self.path, number).unlink(missing_ok=True)

    def merge(self) -> Merged:
        """Writes the table of all shards, in their order.

        Raises:
          InputError: If shards are missing, damaged or of another run; the message names them, and
            the processes that have claimed those that are missing.
        """
        path, pairs, failed = self.path / "scores.csv", 0, 0
        with appearing_whole(path) as unfinished, unfinished.open("wb") as file:
            for number, table in enumerate(self.tables()):
                _, _, rows = table.partition("\n")
                file.write((rows if number else table).encode())
                errors = [row[-1] for row in csv.reader(io.StringIO(rows, newline=""))]
                pairs += len(errors)
                failed += sum(map(bool, errors))
        return Merged(path, pairs, failed)

    def tables(self) -> Iterator[str]:
        """The table of each shard as CSV, in their order.

        Raises:
          InputError: If shards are missing, or damaged or of another run, which is raised once the
            shards before the first of them have been consumed.
        """
        self._refuse_gaps()
        damaged, others = [], []
        for number in range(self.count):
            name = shard_path(self.path, number).name
            record, table = self._read(number)
            signature = record.get("signature", self._signature)
            if different := differences(self._signature, signature):
                others.append(f"{name}: different {', '.join(different)}")
            elif record.get("sha256") != _sha256(table):
                damaged.append(name)
            elif not damaged and not others:
                yield table
        if others:
            raise InputError(f"{self.path}: {listed(others, 'shards of another run')}")
        if damaged:
            raise InputError(
                f"{self.path}: {listed(damaged, 'damaged shards')}\n  delete them and run "
                "the command again"
            )

    def _read(self, number: int) -> tuple[dict[str, Any], str]:
        """Record and table of a shard; an empty record if it is damaged or there is none."""
        try:
            data = shard_path(self.path, number).read_bytes()
            text, table = split_shard(data.decode(errors="replace"))
            record = json.loads(text)
        except (FileNotFoundError, ValueError):
            return {}, ""
        return (record, table) if isinstance(record, dict) else ({}, "")

    def _others(self) -> list[str]:
        """Names of files that have nothing to do with shards."""
        return sorted(
            name for name in names(self.path) if name not in _FOLDERS and not name.startswith(".")
        )

    def _refuse_gaps(self) -> None:
        finished = self.finished()
        missing = [number for number in range(self.count) if number not in finished]
        if missing:
            claims = self.claims(ALONE).look(missing)
            holders = {number: f"claimed by {claim}" for number, claim in claims.items()}
            each = [f"{number}: {holders.get(number, 'unclaimed')}" for number in missing]
            what = f"missing shards of {self.count}"
            raise InputError(
                f"{self.path}: {listed(each, what)}\n  run iqa score or iqa evaluate again to "
                "complete them"
            )


def _sha256(table: str) -> str:
    return hashlib.sha256(table.encode()).hexdigest()


def _parsed(text: str, path: epath.Path) -> dict[str, Any]:
    try:
        record = json.loads(text)
        int(record["shards"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: is not the record of scores in shards, as iqa score writes it into a folder; "
            "name another --output"
        ) from error
    return record
