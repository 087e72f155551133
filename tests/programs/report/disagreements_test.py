import itertools

import numpy as np
import pytest
from scipy.stats import rankdata

from iqa_jax.programs.report.disagreements import (
    LEVELS,
    MOST,
    differentiate,
    largest_differences,
    ranks,
)


def test_the_best_has_100_whichever_way_the_scores_run():
    assert ranks(np.array([3.0, 1.0, 2.0]), True).tolist() == [100, 0, 50]
    assert ranks(np.array([3.0, 1.0, 2.0]), False).tolist() == [0, 100, 50]


def test_equal_scores_share_a_rank_and_missing_ones_have_none():
    found = ranks(np.array([1.0, np.nan, 1.0, 2.0]), True)
    np.testing.assert_array_equal(found, [25, np.nan, 25, 100])
    np.testing.assert_array_equal(ranks(np.array([np.nan, 5.0]), True), [np.nan, 50])
    assert np.isnan(ranks(np.full(2, np.nan), True)).all()


def test_ranks_are_those_of_scipy(rng):
    values = rng.integers(0, 40, 100).astype(float)
    np.testing.assert_allclose(ranks(values, False), (rankdata(-values) - 1) / 99 * 100)


def test_the_largest_differences_come_first(rng):
    first, second = (ranks(rng.normal(size=60), True) for _ in range(2))
    better, worse = largest_differences(first, second)
    assert len(better) == len(worse) == MOST
    difference = first - second
    assert sorted(difference)[-MOST:][::-1] == [difference[row] for row in better]
    assert sorted(difference)[:MOST] == [difference[row] for row in worse]
    assert largest_differences(second, first) == [worse, better]


def test_nothing_differs_from_itself_or_from_what_has_no_rank(rng):
    first = ranks(rng.normal(size=9), True)
    assert largest_differences(first, first) == [[], []]
    second = np.where(np.arange(9) == 4, 100 - first, np.nan)
    better, worse = largest_differences(first, second)
    assert set(better + worse) <= {4}


def test_a_planted_pair_is_found_at_its_level(rng):
    """Pairs 100 and 101 are next to each other for the defender, at the third of five levels."""
    defender = np.linspace(0, 100, 200)
    attacker = defender + rng.normal(0, 0.1, 200)
    attacker[100], attacker[101] = 100, 0
    found = differentiate(defender, attacker)
    assert len(found) == LEVELS
    assert found[2] == (100, 101)


@pytest.mark.parametrize("count", [5, 40, 333])
def test_no_other_two_of_a_level_are_farther_apart(rng, count):
    defender, attacker = (ranks(rng.normal(size=count), True) for _ in range(2))
    for better, worse in differentiate(defender, attacker):
        distance = abs(defender[better] - defender[worse])
        assert distance <= max(4, round(0.02 * count)) / (count - 1) * 100
        low, high = sorted((defender[better], defender[worse]))
        between = np.flatnonzero((defender >= low) & (defender <= high))
        spread = max(abs(attacker[a] - attacker[b]) for a, b in itertools.product(between, between))
        assert attacker[better] - attacker[worse] == spread > 0


def test_a_constant_attacker_sees_no_difference(rng):
    assert not differentiate(ranks(rng.normal(size=30), True), np.full(30, 50.0))
    assert not differentiate(np.full(3, np.nan), np.arange(3.0))
