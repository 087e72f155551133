"""A small made-up dataset, and statistics that are a function of the pair."""

import math

import numpy as np
from etils import epath

from iqa_jax.datasets import Pair, PairTable
from iqa_jax.engine import plan
from iqa_jax.engine.store import LayerShape, StatisticsWriter
from iqa_jax.images.decode import Header
from iqa_jax.images.sources import ImageFolder
from iqa_jax.revisions import revisions_of

SIZES = ((8, 12), (9, 9))
LAYERS = {
    "input": LayerShape(3, {size: size[0] * size[1] for size in SIZES}),
    "block/1": LayerShape(5, {SIZES[0]: 6, SIZES[1]: 4}),
    "last": LayerShape(2, {SIZES[0]: 2, SIZES[1]: 1}),
}
ARRAYS = [(layer, statistic) for layer in LAYERS for statistic in ("squared_error", "gram_error")]
SIGNATURE = {
    "model": "mine.py:net",
    "weights_sha256": "ab",
    "precision": "highest",
    "resize": None,
    "revisions": revisions_of(["statistic/squared_error", "statistic/gram_error"]),
}
MADE_WITH = {"versions": 3, "software": {"jax": "0.8"}}


def make_table(references=12, versions=5):
    """Pairs in an order in which the versions of a reference are not adjacent."""
    pairs = [
        Pair(
            reference=f"r {reference}.png",
            distorted=f"ä, {reference}_{version}.png",
            score=math.pi * (reference + 1) / (version + 1),
            score_std=math.nan if version else 0.1,
            distortion="noise",
            level=str(version),
            reference_id=f"content {reference}",
        )
        for version in range(versions)
        for reference in range(references)
    ]
    return PairTable("mixed", pairs, ImageFolder(), False, score_range=(0.0, math.nan), licence="-")


def make_plan(table, versions=3):
    sizes = {
        name: Header(*SIZES[len(pair.reference) % 2], 1)
        for pair in table.pairs
        for name in (pair.reference, pair.distorted)
    }
    return plan.make_plan(table, sizes, versions=versions)


def expected(table, layer, statistic):
    """Float32 ``[pairs, length]``."""
    length = 1 if statistic == "gram_error" else LAYERS[layer].channels
    seed = sum(map(ord, layer + statistic))
    return np.random.default_rng(seed).gamma(1, size=(len(table.pairs), length)).astype(np.float32)


def values(table, rows, arrays=ARRAYS):
    """The statistics of some rows, by layer and statistic."""
    return {f"{layer}/{name}": expected(table, layer, name)[[*rows]] for layer, name in arrays}


def make_writer(folder, table, arrays=ARRAYS, versions=3, **changes):
    settings = {
        "signature": SIGNATURE,
        "made_with": MADE_WITH,
        "layers": lambda: LAYERS,
        **changes,
    }
    return StatisticsWriter.create_or_continue(
        epath.Path(folder), plan=make_plan(table, versions), arrays=arrays, **settings
    )


def fill(writer, table, units=None, versions=3):
    """Gives a writer its missing units, or the first few of them."""
    for unit in writer.missing(make_plan(table, versions).units)[:units]:
        writer.add(unit.rows, values(table, unit.rows, writer.arrays))
    writer.finish()


def files(folder):
    """Every file of a store with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
