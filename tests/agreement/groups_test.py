import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from iqa_jax.agreement.correlation import agreement
from iqa_jax.agreement.groups import by_group, by_reference
from iqa_jax.datasets.table import Pair, PairTable
from iqa_jax.images.sources import ImageFolder

REFERENCES, DISTORTIONS, LEVELS = 4, ("blur", "noise"), ("1", "2", "3")


def table_of(pairs, *, higher_is_better=True):
    return PairTable("mine", pairs, ImageFolder(), higher_is_better)


@pytest.fixture
def table(rng):
    return table_of(
        [
            Pair(
                f"{number}.png",
                "d.png",
                rng.uniform(0, 9),
                math.nan,
                distortion,
                level,
                f"{number}",
            )
            for number in range(REFERENCES)
            for distortion in DISTORTIONS
            for level in LEVELS
        ]
    )


@pytest.fixture
def distances(table, rng):
    return np.array([9 - pair.score + rng.normal() for pair in table.pairs])


def test_groups_are_those_of_the_table(table, distances):
    found = by_group(table, distances)
    assert [(row.kind, row.group) for row in found] == [
        *(("distortion", name) for name in DISTORTIONS),
        *(("level", name) for name in LEVELS),
    ]
    assert [row.agreement.pairs for row in found] == [12, 12, 8, 8, 8]


def test_agreement_within_a_group(table, distances):
    (blur, *_) = by_group(table, distances)
    rows = [row for row, pair in enumerate(table.pairs) if pair.distortion == "blur"]
    scores = np.array([table.pairs[row].score for row in rows])
    assert blur.agreement == agreement(distances[rows], scores, higher_is_better=True, fit=False)


def test_direction_of_the_scores(table, distances):
    pairs = [dataclasses.replace(pair, score=9 - pair.score) for pair in table.pairs]
    as_dmos = table_of(pairs, higher_is_better=False)
    for first, second in zip(by_group(table, distances), by_group(as_dmos, distances), strict=True):
        assert second.agreement.srcc == pytest.approx(first.agreement.srcc)
    assert by_reference(as_dmos, distances) == by_reference(table, distances)
    inverted = by_reference(table, -distances)
    assert inverted.mean == pytest.approx(-by_reference(table, distances).mean)
    assert inverted.mean < 0


def test_pairs_of_unknown_distortion_are_in_no_group(table, distances):
    pairs = [dataclasses.replace(pair, level="") for pair in table.pairs]
    pairs[0] = dataclasses.replace(pairs[0], distortion="")
    found = by_group(table_of(pairs), distances)
    assert [(row.group, row.agreement.pairs) for row in found] == [("blur", 11), ("noise", 12)]


def test_groups_without_a_correlation_are_nan(table, distances):
    pairs = [dataclasses.replace(pair, score=5.0) for pair in table.pairs[:12]]
    found = by_group(table_of([*pairs, *table.pairs[12:]]), np.zeros(24))
    assert np.isnan([row.agreement.srcc for row in found]).all()


def test_mean_over_references(table, distances):
    expected = []
    for start in range(0, 24, 6):
        scores = [pair.score for pair in table.pairs[start : start + 6]]
        expected.append(stats.spearmanr(-distances[start : start + 6], scores)[0])
    found = by_reference(table, distances)
    assert (found.references, found.left_out) == (REFERENCES, 0)
    assert found.mean == pytest.approx(np.mean(expected), abs=1e-12)
    assert found.std == pytest.approx(np.std(expected, ddof=1), abs=1e-12)
    assert [each.srcc for each in found.correlations] == pytest.approx(expected, abs=1e-12)
    assert [each.pairs for each in found.correlations] == [6] * REFERENCES
    ids = list(dict.fromkeys(pair.reference_id for pair in table.pairs))
    assert [each.reference_id for each in found.correlations] == ids


def test_offsets_between_contents_do_not_count(table, distances):
    offsets = np.repeat([0, 50, -20, 7], 6)
    assert by_reference(table, distances + offsets) == by_reference(table, distances)


def test_references_without_a_correlation_are_counted(table, distances):
    pairs = [dataclasses.replace(pair, score=5.0) for pair in table.pairs[:6]]  # equal scores
    pairs = [*pairs, *table.pairs[6:8], *table.pairs[12:]]  # two pairs
    kept = np.r_[distances[:8], distances[12:]]
    found = by_reference(table_of(pairs), kept)
    assert (found.references, found.left_out) == (2, 2)
    assert [each.pairs for each in found.correlations] == [6, 2, 6, 6]
    assert [math.isnan(each.srcc) for each in found.correlations] == [True, True, False, False]
    alone = by_reference(table_of(table.pairs[12:]), distances[12:])
    assert (found.mean, found.std) == (alone.mean, alone.std)


def test_without_references_or_distances_the_mean_is_nan(table, distances):
    none = by_reference(table_of(table.pairs[:2]), distances[:2])
    assert (none.references, none.left_out) == (0, 1)
    assert np.isnan([none.mean, none.std]).all()
    one = by_reference(table_of(table.pairs[:6]), distances[:6])
    assert np.isfinite(one.mean)
    assert np.isnan(one.std)
    for value in (np.nan, np.inf):
        broken = distances.copy()
        broken[3] = value
        assert np.isnan(by_reference(table, broken).mean)
    assert np.isnan(by_reference(table, np.r_[np.zeros(6), distances[6:]]).mean)


def test_lengths_must_agree(table):
    for function in (by_group, by_reference):
        with pytest.raises(ValueError, match="3 distances do not fit 24 pairs"):
            function(table, np.zeros(3))
