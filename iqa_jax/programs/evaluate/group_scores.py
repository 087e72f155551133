"""Scores of a group of metrics on a dataset: computed from the images, or read from a store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from etils import epath

from iqa_jax.datasets import fingerprint
from iqa_jax.engine.pair_keys import PairKeys
from iqa_jax.engine.parts import keep_scores
from iqa_jax.engine.plan import Plan
from iqa_jax.engine.programs import Programs
from iqa_jax.engine.run import environment, fill
from iqa_jax.engine.shares import ALONE, Share
from iqa_jax.engine.store import StatisticsStore
from iqa_jax.metrics.features import FeatureScores
from iqa_jax.metrics.pair_function import PairFunction
from iqa_jax.programs.evaluate.from_store import distances
from iqa_jax.programs.evaluate.settings import EvaluateSettings
from iqa_jax.programs.evaluate.shards import ScoreShards
from iqa_jax.programs.extract.extraction import ensure_store
from iqa_jax.readouts import needed_arrays, readout_formulas
from iqa_jax.revisions import revisions_of
from iqa_jax.text import counted


class LeftToOthers(Exception):  # noqa: N818  (nothing is wrong)
    """Other processes are working on what is missing, and the last of them will use it.

    Args:
      shards: Number of shards that are missing.
    """

    def __init__(self, shards: int):
        super().__init__(f"{counted(shards, 'shards')} left to other processes")


@dataclass(frozen=True)
class GroupScores:
    """The scores of a group, as far as this process has computed them.

    Attributes:
      record: What they depend on, and the speed of this process, as JSON.
      collect: Returns the scores of all pairs by name, once nothing is left.
      left: Returns the number of shards that other processes are working on.
    """

    record: Mapping[str, Any]
    collect: Callable[[], Mapping[str, np.ndarray]]
    left: Callable[[], int] = lambda: 0


def find_share(settings: EvaluateSettings) -> Share:
    """The share of this process in an evaluation; without an output folder it is alone."""
    return settings.share if settings.output_dir else ALONE


def score_group(
    scorer: PairFunction,
    plan: Plan,
    programs: Programs,
    settings: EvaluateSettings,
) -> GroupScores:
    """Computes the scores of a group from the images, together with other processes.

    Args:
      scorer: Function of the group, with weights.
      plan: The pairs, and how they are computed.
      programs: Programs of the run so far, to be reused and added to.
      settings: Settings of the evaluation. Without an output folder nothing is written.
    """
    headers = {name: each._replace(checksum=None) for name, each in plan.headers.items()}
    signature = {
        **scorer.signature,
        "pairs": fingerprint(plan.table, headers),
        "resize": settings.resize,
        "versions": plan.versions,
        **environment(),
    }
    folder = epath.Path(settings.output_dir) / "parts" if settings.output_dir else None
    if folder:
        shards = ScoreShards(folder, scorer, plan, signature)
        speed = shards.fill(find_share(settings), programs)
        return GroupScores({**signature, "pairs_per_second": speed}, shards.collect, shards.left)
    keys = PairKeys(plan.table)
    kept = keep_scores(folder, scorer.label, signature, scorer.names, keys)
    speed = fill(kept, plan, scorer, programs=programs).pairs_per_second
    return GroupScores({**signature, "pairs_per_second": speed}, kept.collect)


def read_out(
    outline: FeatureScores,
    plan: Plan,
    normalisers: Mapping[str, StatisticsStore],
    programs: Programs,
    settings: EvaluateSettings,
) -> GroupScores:
    """Reads the scores of a group from stored statistics; missing ones are extracted first.

    Args:
      outline: Function of the group, without weights.
      plan: The pairs, and how they are computed.
      normalisers: Statistics that read-outs compare with, by model.
      programs: Programs of the run so far, to be reused and added to.
      settings: Settings of the evaluation.
    """
    assert settings.statistics_dir is not None
    readouts = outline.readouts
    extracted = ensure_store(
        plan,
        readouts[0].model,
        needed_arrays(readouts),
        statistics_dir=settings.statistics_dir,
        checkpoints_dir=settings.checkpoints_dir,
        precision=settings.precision,
        programs=programs,
        share=find_share(settings),
    )
    relevances = {each.name: each for each in outline.relevances}
    normaliser = normalisers.get(extracted.store.model)
    record = {
        **extracted.store.signature,
        **environment(),
        "revisions": {
            **extracted.store.signature["revisions"],
            **revisions_of(
                name for readout in readouts for name in readout_formulas(readout.readout)
            ),
        },
        "relevances": {name: each.sha256 for name, each in relevances.items()},
        **({"normaliser": dict(normaliser.signature)} if normaliser else {}),
        "pairs_per_second": extracted.pairs_per_second,
    }
    return GroupScores(
        record,
        lambda: distances(extracted.store, readouts, relevances=relevances, normaliser=normaliser),
        extracted.left,
    )
