"""Estimates: intervals, tests and equivalence, against other implementations."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats import weightstats

from iqa_jax.study.estimates import Estimate, from_interval, mean_estimate, wider


@pytest.fixture
def values():
    return np.random.default_rng(0).normal(0.01, 0.05, 25)


def test_interval_and_p_are_those_of_students_t(values):
    found = mean_estimate(values)
    theirs = stats.ttest_1samp(values, 0.02)
    assert found.p(0.02) == pytest.approx(theirs.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(theirs.confidence_interval()))


def test_one_sided_p_values(values):
    found = mean_estimate(values)
    above = stats.ttest_1samp(values, 0.03, alternative="greater").pvalue
    assert found.p_above(0.03) == pytest.approx(above)
    assert found.p_below(0.03) == pytest.approx(1 - above)


@pytest.mark.parametrize("margin", [0.02, 0.05])
def test_equivalence_is_that_of_statsmodels(values, margin):
    other = np.random.default_rng(1).normal(0, 0.05, 25)
    theirs, _, _ = weightstats.ttost_paired(values, other, -margin, margin)
    assert mean_estimate(values - other).p_equivalent(margin) == pytest.approx(theirs)


def test_equal_columns_are_called_equivalent():
    """Standard errors of .006 at 25 references and a margin of .02."""
    random = np.random.default_rng(7)
    drawn = random.normal(0, 0.006 * np.sqrt(25), (400, 25))
    found = [mean_estimate(each).p_equivalent(0.02) < 0.05 for each in drawn]
    assert np.mean(found) >= 0.8


def test_margin_reached_is_where_equivalence_begins(values):
    found = mean_estimate(values)
    assert found.p_equivalent(found.margin_reached) == pytest.approx(0.05)


def test_without_error_a_number_is_exact():
    exact = Estimate(0.0, 0.0, 24)
    assert (exact.low, exact.high) == (0, 0)
    assert exact.p() == 1
    assert exact.p_equivalent(0.01) == 0
    assert Estimate(0.1, 0.0, 24).p() == 0


def test_of_two_intervals_the_wider_counts():
    found = wider(Estimate(0.1, 0.01, 11), Estimate(0.2, 0.03, 12))
    assert found.value == pytest.approx(0.15)
    assert found.error == 0.03


def test_an_interval_gives_its_estimate_back(values):
    found = mean_estimate(values)
    again = from_interval(found.value, found.low, found.high, found.df)
    assert again.error == pytest.approx(found.error)
