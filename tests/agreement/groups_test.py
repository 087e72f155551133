import csv
import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from iqa_jax.agreement.correlation import agreement
from iqa_jax.agreement.groups import (
    by_group,
    by_reference,
    ceiling,
    single_deviations,
    standard_errors,
)
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


def test_groups_of_both(table, distances):
    found = by_group(table, distances, ["distortion and level"])
    assert [row.group for row in found[:2]] == ["blur, 1", "blur, 2"]
    assert [row.agreement.pairs for row in found] == [REFERENCES] * 6


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
    found = by_group(table_of(pairs), distances, ["distortion", "level", "distortion and level"])
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


def test_offsets_between_contents_do_not_count(table, distances):
    offsets = np.repeat([0, 50, -20, 7], 6)
    assert by_reference(table, distances + offsets) == by_reference(table, distances)


def test_references_that_have_no_correlation_are_counted(table, distances):
    pairs = [dataclasses.replace(pair, score=5.0) for pair in table.pairs[:6]]  # equal scores
    pairs = [*pairs, *table.pairs[6:8], *table.pairs[12:]]  # two pairs
    kept = np.r_[distances[:8], distances[12:]]
    found = by_reference(table_of(pairs), kept)
    assert (found.references, found.left_out) == (2, 2)
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


def test_lengths_have_to_agree(table):
    for function in (by_group, by_reference):
        with pytest.raises(ValueError, match="3 distances do not fit 24 pairs"):
            function(table, np.zeros(3))
    with pytest.raises(ValueError, match="2 standard errors do not fit 3 scores"):
        ceiling(np.arange(3.0), np.zeros(2))


@pytest.mark.parametrize("noise", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("shape", ["uniform", "normal"])
def test_ceiling_is_the_correlation_with_the_planted_quality(rng, noise, shape):
    """Sampling alone: 20 tables of 2000 pairs, of which the mean is known within about 0.001."""
    found, true = [], []
    for _ in range(20):
        quality = rng.uniform(0, 9, 2000) if shape == "uniform" else rng.normal(5, 2, 2000)
        errors = noise * rng.uniform(0.5, 1.5, 2000)
        scores = quality + errors * rng.normal(size=2000)
        each = ceiling(scores, errors)
        found.append((each.plcc, each.srcc))
        true.append((np.corrcoef(quality, scores)[0, 1], stats.spearmanr(quality, scores)[0]))
    np.testing.assert_allclose(np.mean(found, 0), np.mean(true, 0), atol=0.002)


@pytest.mark.parametrize("noise", [0.4, 1.5])
def test_ceiling_of_one_observer_is_that_of_a_new_one(rng, noise):
    """Against the mean of 15 others, each with an error of their own for each pair."""
    found, true = [], []
    for _ in range(5):
        quality = rng.uniform(0, 9, 1000)
        deviations = noise * rng.uniform(0.5, 1.5, 1000)
        opinions = quality + deviations * rng.normal(size=(16, 1000))
        scores, one = opinions[:15].mean(axis=0), opinions[15]
        each = ceiling(scores, standard_errors(deviations, 15), single_deviations(deviations, 15))
        found.append((each.observer_plcc, each.observer_srcc))
        true.append((np.corrcoef(one, scores)[0, 1], stats.spearmanr(one, scores)[0]))
        assert each.observer_plcc < each.plcc
        assert each.observer_srcc < each.srcc
    np.testing.assert_allclose(np.mean(found, 0), np.mean(true, 0), atol=0.01)


def test_one_observer_is_unknown_where_single_opinions_are():
    scores, published = np.arange(9.0), np.full(9, 0.5)
    for opinions in (1, math.nan):
        assert np.isnan(single_deviations(published, opinions)).all()
    without = ceiling(scores, published)
    assert math.isnan(without.observer_plcc)
    assert math.isnan(without.observer_srcc)
    assert not math.isnan(without.srcc)
    noise = ceiling(scores, np.full(9, 5.0), np.full(9, 9.0))
    assert (noise.observer_plcc, noise.observer_srcc) == (0, 0)


@pytest.mark.parametrize(
    ("width", "reliability", "least", "most"),
    [(0.1, 0.99, 0.02, 0.04), (0.1, 0.9, 0.08, 0.13), (1.0, 0.9, -0.005, 0.02)],
)
def test_spearmans_ceiling_is_too_high_where_the_quality_is_bunched(
    rng, width, reliability, least, most
):
    """As the docstring says; Pearson's is right."""
    quality = rng.choice([-1, 1], 4000) + width * rng.normal(size=4000)
    error = quality.std() * math.sqrt(1 / reliability - 1)
    scores = quality + error * rng.normal(size=4000)
    found = ceiling(scores, np.full(4000, error))
    assert least < found.srcc - stats.spearmanr(quality, scores)[0] < most
    assert found.plcc == pytest.approx(np.corrcoef(quality, scores)[0, 1], abs=0.005)


def test_reliability_by_hand():
    scores = np.array([1.0, 2.0, 3.0, 4.0])  # variance 5/3
    found = ceiling(scores, np.array([0.0, 1.0, 0.0, 1.0]))
    assert found.pairs == 4
    assert found.reliability == pytest.approx(1 - 0.5 / (5 / 3))
    assert found.plcc == pytest.approx(math.sqrt(0.7))
    assert 0 < found.srcc < 1


def test_exact_scores_can_be_met():
    found = ceiling(np.arange(9.0), np.zeros(9))
    assert (found.reliability, found.plcc, found.srcc) == (1, 1, pytest.approx(1))


def test_noise_alone_explains_the_scores():
    found = ceiling(np.arange(9.0), np.full(9, 5.0))
    assert found.reliability < 0
    assert (found.plcc, found.srcc) == (0, 0)


def test_seeds_of_the_simulation(rng):
    scores, errors = rng.uniform(0, 9, 200), np.full(200, 1.0)
    assert ceiling(scores, errors, errors) == ceiling(scores, errors, errors)
    other = ceiling(scores, errors, seed=1)
    assert other.srcc != ceiling(scores, errors).srcc
    assert other.srcc == pytest.approx(ceiling(scores, errors).srcc, abs=0.01)
    assert other.plcc == ceiling(scores, errors).plcc


@pytest.mark.parametrize(
    ("scores", "errors"),
    [([1, 2, 3], [0.1, np.nan, 0.1]), ([2, 2, 2], [0.1, 0.1, 0.1]), ([1], [0.1]), ([], [])],
    ids=["unknown", "constant", "one", "none"],
)
def test_no_ceiling_is_nan_and_no_warning(scores, errors):
    found = ceiling(np.array(scores, float), np.array(errors, float))
    assert found.pairs == len(scores)
    assert np.isnan([found.reliability, found.plcc, found.srcc]).all()


def test_standard_errors_are_those_of_the_mean():
    deviations = np.array([0.8, 1.2, np.nan])
    np.testing.assert_allclose(standard_errors(deviations, 16), [0.2, 0.3, np.nan])
    np.testing.assert_array_equal(standard_errors(deviations, 1), deviations)
    assert np.isnan(standard_errors(deviations, math.nan)).all()


def test_the_published_scores_of_tid2013(test_data):
    """Real scores whose errors are a tenth of their spread leave little to chance."""
    with (test_data / "mos_tables" / "TID2013.txt").open() as file:
        scores = np.array([float(row["score"]) for row in csv.DictReader(file)])
    found = ceiling(scores, np.full(3000, 0.1 * scores.std(ddof=1)))
    assert found.reliability == pytest.approx(0.99)
    assert found.plcc == pytest.approx(math.sqrt(0.99))
    assert 0.99 < found.srcc < 1
