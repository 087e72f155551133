"""Statistics stores with known relevant channels."""

import math

import numpy as np
from etils import epath

from iqa_jax.datasets import Pair, PairTable
from iqa_jax.datasets.table import Question
from iqa_jax.engine.plan import make_plan
from iqa_jax.engine.store import LayerShape, StatisticsWriter
from iqa_jax.images.decode import Header
from iqa_jax.images.sources import ImageFolder
from iqa_jax.revisions import revisions_of

SIZES = ((16, 16), (20, 12))
LAYERS = {
    "input": LayerShape(3, {SIZES[0]: 256, SIZES[1]: 240}),
    "relu1": LayerShape(64, {SIZES[0]: 16, SIZES[1]: 15}),
    "relu2": LayerShape(192, {SIZES[0]: 4, SIZES[1]: 2}),
    "alone": LayerShape(1, {SIZES[0]: 4, SIZES[1]: 2}),
}
STATISTICS = ("squared_error", "unit_squared_error")


def statistic(layer, name, pairs, seed):
    rng = np.random.default_rng((seed, len(layer), len(name)))
    return rng.gamma(1.0, size=(pairs, LAYERS[layer].channels)).astype(np.float32)


def write_store(
    folder,
    *,
    dataset="made-up",
    references=8,
    versions=6,
    seed=0,
    sha256="ab",
    change=None,
    protocol=Question.OPINION,
    opinions=math.nan,
):
    """A store of a model called alexnet; every eighth channel of relu1 makes the scores.

    Args:
      folder: Folder of the stores.
      dataset: Name of the dataset.
      references: Number of references.
      versions: Number of versions of each.
      seed: Seed of the statistics.
      sha256: Hash of the weights.
      change: Function from the values of an array and its layer to the stored values.
      protocol: Question put to the observers.
      opinions: Number of opinions behind a score; their deviation is the row's number.
    """
    pairs = references * versions
    relevant = statistic("relu1", "unit_squared_error", pairs, seed)[:, ::8].sum(axis=1)
    scores = 9 - relevant
    if protocol is Question.TWO_ALTERNATIVES:
        is_first = relevant[::2] < relevant[1::2]
        scores = np.stack([is_first, ~is_first], axis=1).ravel() * 0.8 + 0.1
    names = [f"{dataset} {number}" for number in range(references) for _ in range(versions)]
    table = PairTable(
        dataset,
        [
            Pair(name, f"{name} {row}", float(scores[row]), float(row), reference_id=name)
            for row, name in enumerate(names)
        ],
        ImageFolder(),
        higher_is_better=True,
        score_range=(math.nan, 9.0),
        protocol=protocol,
        opinions=opinions,
    )
    work = make_plan(
        table,
        {
            name: Header(*SIZES[int(pair.reference.split()[-1]) % 2], 1)
            for pair in table.pairs
            for name in (pair.reference, pair.distorted)
        },
        versions=versions,
    )
    arrays = [(layer, name) for layer in LAYERS for name in STATISTICS]
    writer = StatisticsWriter.create_or_continue(
        epath.Path(folder),
        signature={
            "model": "alexnet",
            "weights_sha256": sha256,
            "dataset": dataset,
            "dataset_fingerprint": f"{dataset} {seed}",
            "revisions": revisions_of(f"statistic/{name}" for name in STATISTICS),
        },
        made_with={},
        plan=work,
        layers=lambda: LAYERS,
        arrays=arrays,
    )
    for unit in work.units:
        values = {}
        for layer, name in arrays:
            array = statistic(layer, name, pairs, seed)
            values[f"{layer}/{name}"] = (change(array, layer) if change else array)[list(unit.rows)]
        writer.add(unit.rows, values)
    writer.finish()
    return table
