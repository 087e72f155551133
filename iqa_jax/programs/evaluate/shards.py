"""The scores of a dataset in shards, which several processes fill together.

A shard is a run of consecutive work units of the plan. How a plan is cut depends on the plan alone.
"""

import csv
import io
import itertools
import json
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from etils import epath

from iqa_jax.datasets.inspection import read_headers
from iqa_jax.datasets.parsing import number_or_nan
from iqa_jax.engine.pair_keys import PairKeys
from iqa_jax.engine.parts import keep_scores, run_folder
from iqa_jax.engine.plan import Plan
from iqa_jax.engine.programs import Programs
from iqa_jax.engine.run import fill, mean_speed
from iqa_jax.engine.shards import shards_to_do
from iqa_jax.engine.shares import Share
from iqa_jax.errors import InputError
from iqa_jax.images.checked import CheckedImages
from iqa_jax.images.decode import Header
from iqa_jax.metrics.pair_function import PairFunction
from iqa_jax.programs.score.earlier import described, recorded_checksum
from iqa_jax.programs.score.scores import NOT_A_NUMBER, Scores
from iqa_jax.programs.score.shard_folder import ShardFolder
from iqa_jax.progress import bar
from iqa_jax.text import counted

_LEAST_PAIRS = 256
"""Fewer would not fill an accelerator for long."""

_SHARDS = 4096
"""Number of shards that a large dataset is cut into."""


class ScoreShards:
    """The scores of one group of metrics, in a folder of shards like that of ``iqa score``.

    Args:
      folder: Folder of all groups, each of which has a folder of its own.
      scorer: Function of the group.
      plan: The pairs, and how they are computed.
      signature: Everything that the scores depend on, as JSON.
    """

    def __init__(
        self, folder: epath.Path, scorer: PairFunction, plan: Plan, signature: Mapping[str, Any]
    ):
        self._scorer = scorer
        self._plan = plan
        self._signature = {**signature, "columns": list(scorer.names)}
        pairs = len(plan.table.pairs)
        least = max(_LEAST_PAIRS, math.ceil(pairs / _SHARDS))
        starts = itertools.accumulate((len(unit.rows) for unit in plan.units), initial=0)
        self._shards = [
            [unit for unit, _ in shard]
            for _, shard in itertools.groupby(
                zip(plan.units, starts, strict=False), key=lambda placed: placed[1] // least
            )
        ]
        text = json.dumps(self._signature, sort_keys=True)
        self._folder = ShardFolder(run_folder(folder, scorer.label, text))
        self._folder.begin(self._signature, len(self._shards))
        self._unchecked = self._folder.finished()

    def left(self) -> int:
        """Number of shards that are not finished."""
        return self._folder.count - len(self._folder.finished())

    def fill(self, share: Share, programs: Programs) -> float | None:
        """Computes the shards that no other process works on, with progress.

        Args:
          share: Share of this process.
          programs: Programs compiled earlier, to be reused and added to.

        Returns:
          Pairs per second, compilation included; None if nothing was computed.

        A shard of an earlier run is computed again if it is damaged or one of its images has
        changed since.

        Raises:
          ImageError: If an image cannot be decoded; the scores of pairs before it are kept.
          InputError: If images are too large for the memory.
        """
        folder, speeds = self._folder, []
        self._discard_outdated(set(filter(share.owns, self._unchecked)))
        with bar(
            total=len(self._plan.table.pairs),
            initial=self._finished_pairs(),
            desc=self._scorer.label,
            unit="pair",
        ) as progress:
            for number in shards_to_do(folder, share, folder.claims(share)):
                speeds.append(self._compute(number, programs))
                progress.update(len(self._rows(number)))
            progress.update(self._finished_pairs() - progress.n)  # with those of the others
        return mean_speed(speeds)

    def _finished_pairs(self) -> int:
        return sum(len(self._rows(number)) for number in self._folder.finished())

    def collect(self) -> dict[str, np.ndarray]:
        """The scores of all pairs, float32 ``[pairs]`` by name, once all shards are finished.

        Raises:
          InputError: If a shard is missing or damaged, or an image of an earlier run has changed
            since.
          ImageError: If an image was changed while the processes used it.
        """
        if outdated := self._discard_outdated(set(self._unchecked)):
            raise InputError(
                f"{self._folder.path}: {counted(outdated, 'shards')} of an earlier run had other "
                "images, or were damaged; run the command again to compute them again"
            )
        names = self._scorer.names
        scores = np.full((len(self._plan.table.pairs), len(names)), np.nan, np.float32)
        for number, table in enumerate(self._folder.tables()):
            for name, description in self._folder.images(number).items():
                self._images.note(name, recorded_checksum(description))
            _, *lines = csv.reader(io.StringIO(table, newline=""))
            scores[self._rows(number)] = [
                [number_or_nan(cell) for cell in line[-1 - len(names) : -1]] for line in lines
            ]
        return dict(zip(names, scores.T.copy(), strict=True))

    @property
    def _images(self) -> CheckedImages:
        images = self._plan.table.images
        assert isinstance(images, CheckedImages)
        return images

    def _discard_outdated(self, numbers: Collection[int]) -> int:
        """Compares shards of an earlier run with the images; returns how many had to be removed."""
        self._unchecked.difference_update(numbers)
        names = {
            number: self._plan.only(self._shards[number]).table.image_names for number in numbers
        }
        wanted = dict.fromkeys(itertools.chain.from_iterable(names.values()))
        headers = read_headers(self._images, [*wanted])
        now = {name: described(each) for name, each in headers.items() if isinstance(each, Header)}
        outdated = [
            number
            for number in numbers
            if self._folder.images(number) != {name: now.get(name) for name in names[number]}
        ]
        for number in outdated:
            self._folder.discard(number)
        return len(outdated)

    def _rows(self, number: int) -> list[int]:
        """Rows of the pairs of a shard, in the order of its table."""
        return [row for unit in self._shards[number] for row in unit.rows]

    def _compute(self, number: int, programs: Programs) -> float | None:
        plan, names = self._plan.only(self._shards[number]), self._scorer.names
        parts = keep_scores(
            self._folder.parts(number),
            self._scorer.label,
            self._signature,
            names,
            PairKeys(plan.table),
        )
        outcome = fill(parts, plan, self._scorer, programs=programs)
        scores = parts.collect()
        of_pairs = zip(*(values.tolist() for values in scores.values()), strict=True)
        errors = [NOT_A_NUMBER if any(map(math.isnan, each)) else "" for each in of_pairs]
        headers = {name: self._images.header(name) for name in plan.table.image_names}
        self._folder.finish(number, Scores(plan.table, scores, errors, headers))
        return outcome.pairs_per_second
