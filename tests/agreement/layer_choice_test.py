import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from iqa_jax.agreement.columns import Column
from iqa_jax.agreement.intervals import Method, correlation_intervals
from iqa_jax.agreement.layer_choice import Source, cautions, choose_layers
from iqa_jax.datasets import Pair, PairTable
from iqa_jax.datasets.splits import content_folds
from iqa_jax.images.sources import ImageFolder

REFERENCES, VERSIONS = 14, 5
COLUMNS = [
    Column("pixels/input/l2", "pixels", readout="l2"),
    Column("net/a/l2", "net", "a", 1, 0.5, "l2"),
    Column("net/b/l2", "net", "b", 2, 1.0, "l2"),
    Column("net/a+b/unit", "net", "a+b", readout="unit"),
    Column("psnr", "psnr"),
]
CONTENTS = np.repeat([f"r{number:02}" for number in range(REFERENCES)], VERSIONS)
HALF = Source("one half of the references")


@pytest.fixture
def table(rng):
    pairs = [Pair(name, "d", rng.uniform(0, 9), reference_id=name) for name in CONTENTS.tolist()]
    return PairTable("tid2013", pairs, ImageFolder(), higher_is_better=True)


@pytest.fixture
def distances(table, rng):
    """The pixels agree best; layer a is best on the choosing half, layer b on the other."""
    quality = np.array([pair.score for pair in table.pairs])
    chooses = first_half()
    noise = {
        "pixels/input/l2": np.full(len(quality), 0.1),
        "net/a/l2": np.where(chooses, 1, 5),
        "net/b/l2": np.where(chooses, 5, 1),
        "net/a+b/unit": np.full(len(quality), 2),
        "psnr": np.full(len(quality), 3),
    }
    return {name: each * rng.normal(size=len(quality)) - quality for name, each in noise.items()}


def first_half():
    halves = content_folds(CONTENTS.tolist(), 2, seed=0)
    return np.array([halves[name] == 0 for name in CONTENTS.tolist()])


def test_one_half_chooses_and_the_other_scores(table, distances):
    found = choose_layers(table, COLUMNS, distances, HALF, Method())
    names = [each.column.name for each in found]
    assert sorted(names) == ["net/a+b/unit", "net/a/l2", "pixels/input/l2", "psnr"]
    assert [each.srcc for each in found] == sorted((each.srcc for each in found), reverse=True)
    chosen = found[names.index("net/a/l2")]
    rows = ~first_half()
    quality = np.array([pair.score for pair in table.pairs])[rows]
    expected = stats.spearmanr(-distances["net/a/l2"][rows], quality)[0]
    assert chosen.srcc == pytest.approx(expected, abs=1e-12)
    assert (chosen.pairs, chosen.references) == (35, 7)
    assert chosen.chosen_on == "one half of the references"
    assert found[names.index("psnr")].chosen_on == ""
    ends = correlation_intervals(
        distances["net/a/l2"][rows, None],
        quality,
        CONTENTS[rows].tolist(),
        higher_is_better=True,
        method=Method(),
    )
    assert chosen.plcc_low == pytest.approx(ends.plcc_low[0], abs=1e-12)
    assert chosen.srcc_high == pytest.approx(ends.srcc_high[0], abs=1e-12)


def test_the_halves_depend_only_on_names(table, distances, rng):
    order = rng.permutation(len(CONTENTS))
    moved = replace(table, pairs=[table.pairs[row] for row in order])
    straight = choose_layers(table, COLUMNS, distances, HALF, Method())
    shuffled = {name: each[order] for name, each in distances.items()}
    again = choose_layers(moved, COLUMNS, shuffled, HALF, Method())
    for first, second in zip(straight, again, strict=True):
        assert first.column == second.column
        assert first.record["srcc"] == pytest.approx(second.record["srcc"])
        assert first.record["plcc_low"] == pytest.approx(second.record["plcc_low"])


def test_another_dataset_chooses_and_all_pairs_score(table, distances):
    srcc = {("net", "a", "l2"): 0.5, ("net", "b", "l2"): 0.7, ("net", "c", "l2"): 0.9}
    found = choose_layers(table, COLUMNS, distances, Source("csiq", srcc), Method())
    assert {each.column.name for each in found} == {
        "net/b/l2",
        "net/a+b/unit",
        "pixels/input/l2",
        "psnr",
    }
    assert {each.chosen_on for each in found} == {"csiq", ""}
    assert {(each.pairs, each.references) for each in found} == {(70, 14)}


def test_few_references_are_scored_without_an_interval(table, distances):
    few = replace(table, pairs=table.pairs[: 9 * VERSIONS])
    part = {name: each[: 9 * VERSIONS] for name, each in distances.items()}
    found = choose_layers(few, COLUMNS, part, HALF, Method())
    assert found[0].references == 4
    assert math.isnan(found[0].srcc_low)
    assert math.isnan(found[0].record["srcc_low"])
    (note,) = cautions(HALF, found, Method())
    assert note.startswith("On the half of the references that scores layers: There are no interv")
    assert cautions(Source("csiq", {}), found, Method()) == []
    assert math.isfinite(found[0].srcc)
