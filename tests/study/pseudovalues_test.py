"""Pseudo-values: correlations, their errors, and contrasts of columns."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats import weightstats
from study import made_up

from iqa_jax.agreement.intervals import Method, fisher_z
from iqa_jax.agreement.resampling import each_left_out
from iqa_jax.study.pseudovalues import MEASURES, PEARSON, SPEARMAN, WITHIN, Pseudovalues
from iqa_jax.study.results import Column, Results


@pytest.fixture(scope="module")
def dataset():
    table = made_up.drawn(references=8)
    columns = [made_up.Planted(name, rho) for name, rho in (("a", 0.8), ("b", 0.7), ("c", 0.6))]
    return Pseudovalues(
        Results(
            *(table.name, "", "", "highest", table.human, table.references, table.distortions),
            columns=[Column(each.name, "metric", each.name) for each in columns],
            distances=made_up.distances(table, columns),
            networks={},
        )
    )


def test_values_are_the_correlations(dataset):
    results = dataset.results
    for place, distances in enumerate(results.distances.T):
        whole = dataset.whole
        spearman = stats.spearmanr(-distances, results.human).statistic
        assert whole[SPEARMAN].values[place] == pytest.approx(spearman)
        pearson = stats.pearsonr(-distances, results.human).statistic
        assert whole[PEARSON].values[place] == pytest.approx(pearson)
        within = [
            stats.spearmanr(-distances[rows], results.human[rows]).statistic
            for rows in (results.reference_ids == each for each in np.unique(results.reference_ids))
        ]
        assert whole[WITHIN].values[place] == pytest.approx(np.mean(within))


def test_intervals_are_those_of_the_jackknife(dataset):
    results = dataset.results
    found = each_left_out(results.reference_ids.tolist()).correlations(
        results.distances, results.human, higher_is_better=True
    )
    weights = np.eye(3)
    low, high = Method().ends(found.srcc, correlations=True)
    plain_low, plain_high = Method().ends(found.srcc)
    for place in range(3):
        z = dataset.sample(SPEARMAN).correlation(weights[place])
        assert z.value == pytest.approx(fisher_z(found.srcc[0, place]))
        assert (np.tanh(z.low), np.tanh(z.high)) == pytest.approx((low[place], high[place]))
        plain = dataset.sample(SPEARMAN).contrast(weights[place])
        assert (plain.low, plain.high) == pytest.approx((plain_low[place], plain_high[place]))


@pytest.mark.parametrize("measure", MEASURES)
def test_a_contrast_is_that_of_the_pseudovalues(dataset, measure):
    part = dataset.whole[measure]
    found = dataset.sample(measure).contrast(np.array([1.0, -1.0, 0.0]))
    psi = part.psi[:, 0] - part.psi[:, 1]
    assert found.value == pytest.approx(part.values[0] - part.values[1])
    assert found.error == pytest.approx(stats.sem(psi))
    assert found.df == 7


def test_equivalence_within_references_is_that_of_statsmodels(dataset):
    psi = dataset.whole[WITHIN].psi
    found = dataset.sample(WITHIN).contrast(np.array([1.0, 0.0, -1.0]))
    theirs, _, _ = weightstats.ttost_paired(psi[:, 0], psi[:, 2], -0.2, 0.2)
    assert found.p_equivalent(0.2) == pytest.approx(theirs)


def test_halves_share_no_reference_and_the_wider_interval_counts(dataset):
    halves = dataset.halves
    assert [len(half[SPEARMAN].psi) for half in halves] == [4, 4]
    weights = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]])
    found = dataset.sample(SPEARMAN).contrast(weights)
    each = [half[SPEARMAN].contrast(row) for half, row in zip(halves, weights, strict=True)]
    assert found.value == pytest.approx((each[0].value + each[1].value) / 2)
    assert found.error == max(one.error for one in each)
    assert dataset.sample(SPEARMAN).value(weights) == pytest.approx(found.value)
