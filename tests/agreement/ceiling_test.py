import csv
import math

import numpy as np
import pytest
from scipy import stats

from iqa_jax.agreement.ceiling import noise_ceiling, single_deviations, standard_errors


@pytest.mark.parametrize("noise", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("shape", ["uniform", "normal"])
def test_ceiling_is_the_correlation_with_the_planted_quality(rng, noise, shape):
    """Only sampling error: the mean of 20 tables of 2000 pairs is known to about 0.001."""
    found, true = [], []
    for _ in range(20):
        quality = rng.uniform(0, 9, 2000) if shape == "uniform" else rng.normal(5, 2, 2000)
        errors = noise * rng.uniform(0.5, 1.5, 2000)
        scores = quality + errors * rng.normal(size=2000)
        each = noise_ceiling(scores, errors)
        found.append((each.plcc, each.srcc))
        true.append((np.corrcoef(quality, scores)[0, 1], stats.spearmanr(quality, scores)[0]))
    np.testing.assert_allclose(np.mean(found, 0), np.mean(true, 0), atol=0.002)


@pytest.mark.parametrize("noise", [0.4, 1.5])
def test_ceiling_of_one_observer_is_that_of_a_new_observer(rng, noise):
    """Compared with the mean of 15 others, each with an independent error for each pair."""
    found, true = [], []
    for _ in range(5):
        quality = rng.uniform(0, 9, 1000)
        deviations = noise * rng.uniform(0.5, 1.5, 1000)
        opinions = quality + deviations * rng.normal(size=(16, 1000))
        scores, one = opinions[:15].mean(axis=0), opinions[15]
        each = noise_ceiling(
            scores, standard_errors(deviations, 15), single_deviations(deviations, 15)
        )
        found.append((each.observer_plcc, each.observer_srcc))
        true.append((np.corrcoef(one, scores)[0, 1], stats.spearmanr(one, scores)[0]))
        assert each.observer_plcc < each.plcc
        assert each.observer_srcc < each.srcc
    np.testing.assert_allclose(np.mean(found, 0), np.mean(true, 0), atol=0.01)


def test_one_observer_is_unknown_where_single_opinions_are():
    scores, published = np.arange(9.0), np.full(9, 0.5)
    for opinions in (1, math.nan):
        assert np.isnan(single_deviations(published, opinions)).all()
    without = noise_ceiling(scores, published)
    assert math.isnan(without.observer_plcc)
    assert math.isnan(without.observer_srcc)
    assert not math.isnan(without.srcc)
    noise = noise_ceiling(scores, np.full(9, 5.0), np.full(9, 9.0))
    assert (noise.observer_plcc, noise.observer_srcc) == (0, 0)


@pytest.mark.parametrize(
    ("width", "reliability", "least", "most"),
    [(0.1, 0.99, 0.02, 0.04), (0.1, 0.9, 0.08, 0.13), (1.0, 0.9, -0.005, 0.02)],
)
def test_spearmans_ceiling_is_too_high_where_the_quality_is_bunched(
    rng, width, reliability, least, most
):
    """Holds as documented; Pearson's ceiling is right."""
    quality = rng.choice([-1, 1], 4000) + width * rng.normal(size=4000)
    error = quality.std() * math.sqrt(1 / reliability - 1)
    scores = quality + error * rng.normal(size=4000)
    found = noise_ceiling(scores, np.full(4000, error))
    assert least < found.srcc - stats.spearmanr(quality, scores)[0] < most
    assert found.plcc == pytest.approx(np.corrcoef(quality, scores)[0, 1], abs=0.005)


def test_reliability_by_hand():
    scores = np.array([1.0, 2.0, 3.0, 4.0])  # variance 5/3
    found = noise_ceiling(scores, np.array([0.0, 1.0, 0.0, 1.0]))
    assert found.pairs == 4
    assert found.reliability == pytest.approx(1 - 0.5 / (5 / 3))
    assert found.plcc == pytest.approx(math.sqrt(0.7))
    assert 0 < found.srcc < 1


def test_exact_scores_can_be_met():
    found = noise_ceiling(np.arange(9.0), np.zeros(9))
    assert (found.reliability, found.plcc, found.srcc) == (1, 1, pytest.approx(1))


def test_noise_alone_explains_the_scores():
    found = noise_ceiling(np.arange(9.0), np.full(9, 5.0))
    assert found.reliability < 0
    assert (found.plcc, found.srcc) == (0, 0)


def test_seeds_of_the_simulation(rng):
    scores, errors = rng.uniform(0, 9, 200), np.full(200, 1.0)
    assert noise_ceiling(scores, errors, errors) == noise_ceiling(scores, errors, errors)
    other = noise_ceiling(scores, errors, seed=1)
    assert other.srcc != noise_ceiling(scores, errors).srcc
    assert other.srcc == pytest.approx(noise_ceiling(scores, errors).srcc, abs=0.01)
    assert other.plcc == noise_ceiling(scores, errors).plcc


@pytest.mark.parametrize(
    ("scores", "errors"),
    [([1, 2, 3], [0.1, np.nan, 0.1]), ([2, 2, 2], [0.1, 0.1, 0.1]), ([1], [0.1]), ([], [])],
    ids=["unknown", "constant", "one", "none"],
)
def test_no_ceiling_is_nan_and_no_warning(scores, errors):
    found = noise_ceiling(np.array(scores, float), np.array(errors, float))
    assert found.pairs == len(scores)
    assert np.isnan([found.reliability, found.plcc, found.srcc]).all()


def test_standard_errors_are_those_of_the_mean():
    deviations = np.array([0.8, 1.2, np.nan])
    np.testing.assert_allclose(standard_errors(deviations, 16), [0.2, 0.3, np.nan])
    np.testing.assert_array_equal(standard_errors(deviations, 1), deviations)
    assert np.isnan(standard_errors(deviations, math.nan)).all()


def test_the_published_scores_of_tid2013(test_data):
    """The errors of these scores are a tenth of their spread, which leaves little to chance."""
    with (test_data / "mos_tables" / "TID2013.txt").open() as file:
        scores = np.array([float(row["score"]) for row in csv.DictReader(file)])
    found = noise_ceiling(scores, np.full(3000, 0.1 * scores.std(ddof=1)))
    assert found.reliability == pytest.approx(0.99)
    assert found.plcc == pytest.approx(math.sqrt(0.99))
    assert 0.99 < found.srcc < 1


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="2 standard errors do not fit 3 scores"):
        noise_ceiling(np.arange(3.0), np.zeros(2))
