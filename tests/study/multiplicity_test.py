"""Several tests and sources: Holm, meta-analysis, partial conjunctions."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats import multitest

from iqa_jax.study.multiplicity import combine, holm, partial_conjunction


def test_holm_multiplies_the_smallest_by_their_number_and_keeps_the_order():
    assert holm([0.04, 0.01, np.nan, 0.03]) == pytest.approx(
        [0.06, 0.03, np.nan, 0.06], nan_ok=True
    )


def test_holm_is_that_of_statsmodels():
    p_values = np.random.default_rng(0).uniform(0, 0.2, 20)
    theirs = multitest.multipletests(p_values, 0.05, method="holm")[1]
    assert holm(p_values) == pytest.approx(theirs)


def test_nothing_to_adjust():
    assert holm([]) == []


def test_combining_is_paule_and_mandel_with_hartung_and_knapp():
    values, errors = np.array([0.10, 0.02, 0.07, 0.15]), np.array([0.02, 0.03, 0.02, 0.04])
    found = combine(values, errors)

    def generalised_q(tau2):
        weights = 1 / (errors**2 + tau2)
        mean = weights @ values / weights.sum()
        return weights @ (values - mean) ** 2, mean, weights

    low, high = 0.0, 1.0
    for _ in range(100):  # Paule and Mandel: where the generalised Q is its expectation
        tau2 = (low + high) / 2
        low, high = (tau2, high) if generalised_q(tau2)[0] > 3 else (low, tau2)
    q, mean, weights = generalised_q(tau2)
    error = np.sqrt(q / 3 / weights.sum())
    assert found.value == pytest.approx(mean, abs=1e-5)
    width = stats.t.isf(0.025, 3) * error
    assert (found.low, found.high) == pytest.approx((mean - width, mean + width), abs=1e-4)
    assert found.low_new < found.low
    assert 0 < found.i2 < 1


def test_more_than_half_of_the_sources_are_needed():
    assert partial_conjunction([0.01]) == 0.01
    assert partial_conjunction([0.01, 0.03]) == 0.03
    assert partial_conjunction([0.01, 0.02, 1.0]) == pytest.approx(0.04)
    assert partial_conjunction([0.001, 1.0, 1.0]) == 1.0
