import dataclasses

import numpy as np
import pytest
from scipy import stats

from iqa_jax.datasets import Pair, PairTable
from iqa_jax.datasets.table import Protocol
from iqa_jax.datasets.triplets import Triplet, TripletTable
from iqa_jax.images import ImageFolder
from iqa_jax.verification.checks import Verdict
from iqa_jax.verification.direction import check_direction, decibels
from iqa_jax.verification.examination import Examination

NO_IMAGES = ImageFolder()


def examination(squared_errors, *, is_decoded=True):
    return Examination({}, is_decoded, {}, {}, np.asarray(squared_errors, np.float64))


def opinions(scores, *, higher_is_better=True):
    pairs = [Pair("r", f"d{row}", float(score)) for row, score in enumerate(scores)]
    return PairTable("opinions", pairs, NO_IMAGES, higher_is_better)


def choices(preferences):
    triplets = [Triplet(f"r{n}", f"p{n}", f"q{n}", each) for n, each in enumerate(preferences)]
    return TripletTable("choices", triplets, NO_IMAGES).as_pairs()


def test_decibels():
    found = decibels(np.array([1.0, 255.0**2, 0.0, 1e-9, np.nan]))
    expected = [20 * np.log10(255), 0, 100, 100, np.nan]
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-12)


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_the_correlation_is_oriented(rng, higher_is_better):
    errors = rng.uniform(1, 1000, 30)
    scores = (-errors if higher_is_better else errors) + rng.normal(0, 200, 30)
    check = check_direction(
        opinions(scores, higher_is_better=higher_is_better), examination(errors)
    )
    expected = stats.spearmanr(-errors, scores if higher_is_better else -scores).statistic
    assert check.verdict is Verdict.OK
    assert check.found == pytest.approx(expected, abs=1e-12)
    assert expected > 0.5
    turned = check_direction(
        opinions(scores, higher_is_better=not higher_is_better), examination(errors)
    )
    assert turned.verdict is Verdict.PROBLEM
    assert turned.found == pytest.approx(-expected, abs=1e-12)
    direction = "lower" if higher_is_better else "higher"
    assert f"taken to be {direction} for better images" in turned.explanation


@pytest.mark.parametrize("sign", [1, -1])
def test_ten_pairs_in_order_are_enough(sign):
    errors = np.arange(1.0, 11.0)
    check = check_direction(opinions(-sign * errors), examination(errors))
    assert check.found == pytest.approx(sign)
    assert check.verdict is (Verdict.OK if sign > 0 else Verdict.PROBLEM)


def test_nine_are_not():
    errors = np.arange(1.0, 10.0)
    check = check_direction(opinions(errors), examination(errors))
    assert check.verdict is Verdict.NOTE
    assert check.found is None
    assert "Cannot be judged: only 9 can be compared" in check.explanation


def test_pairs_without_a_score_or_an_image_are_left_out():
    errors, scores = np.arange(1.0, 13.0), -np.arange(1.0, 13.0)
    errors[3], scores[5] = np.nan, np.nan
    assert check_direction(opinions(scores), examination(errors)).found == pytest.approx(1)
    errors[4] = np.nan
    assert check_direction(opinions(scores), examination(errors)).found is None


@pytest.mark.parametrize("constant", ["errors", "scores"])
def test_constant_values_cannot_be_judged(constant):
    values = np.arange(1.0, 21.0)
    errors = np.zeros(20) if constant == "errors" else values
    scores = np.ones(20) if constant == "scores" else values
    check = check_direction(opinions(scores), examination(errors))
    assert check.verdict is Verdict.NOTE
    assert check.found is None
    assert "the same for all" in check.explanation


def test_chance_is_neither_agreement_nor_disagreement():
    rng = np.random.default_rng(7)
    verdicts = []
    for _ in range(200):
        errors, scores = rng.uniform(1, 100, (2, 50))
        check = check_direction(opinions(scores), examination(errors))
        assert check.found is not None
        verdicts.append(check.verdict)
    assert verdicts.count(Verdict.NOTE) > 185
    assert verdicts.count(Verdict.PROBLEM) < 7  # two are to be expected


def test_a_weak_relation_of_many_pairs_is_enough(rng):
    errors = rng.uniform(1, 100, 3000)
    scores = -errors + rng.normal(0, 300, 3000)
    check = check_direction(opinions(scores), examination(errors))
    assert check.found < 0.15
    assert check.verdict is Verdict.OK
    turned = check_direction(opinions(-scores), examination(errors))
    assert turned.verdict is Verdict.PROBLEM


def test_the_same_or_different(rng):
    said_same = np.array([0, 1 / 3, 2 / 3, 1] * 5)
    table = dataclasses.replace(opinions(said_same), protocol=Protocol.SAME_OR_DIFFERENT)
    errors = 10 - 9 * said_same
    assert check_direction(table, examination(errors)).verdict is Verdict.OK
    assert check_direction(table, examination(1 / errors)).verdict is Verdict.PROBLEM


def test_share_of_triplets():
    preferences = np.array([0.0, 0.2, 0.8, 1.0] * 5)
    nearer_second = np.where(preferences > 0.5, -1.0, 1.0)
    nearer_second[:4] *= -1  # four of twenty are judged otherwise
    errors = np.stack([np.full(20, 10.0), 10 + nearer_second], axis=1).ravel()
    check = check_direction(choices(preferences), examination(errors))
    assert check.verdict is Verdict.OK
    assert check.found == pytest.approx(16 / 20)
    turned = check_direction(choices(1 - preferences), examination(errors))
    assert turned.verdict is Verdict.PROBLEM
    assert turned.found == pytest.approx(4 / 20)


def test_triplets_without_a_majority_are_left_out_and_equal_psnr_is_one_half():
    preferences = np.array([1.0] * 12 + [0.5] * 12)
    errors = np.tile([2.0, 1.0], 24)
    errors[:4] = 1.0  # the first two
    check = check_direction(choices(preferences), examination(errors))
    assert check.found == pytest.approx(11 / 12)
    errors[:] = 1.0
    check = check_direction(choices(preferences), examination(errors))
    assert check.found == 0.5
    assert check.verdict is Verdict.NOTE


@pytest.mark.parametrize("count", [0, 9])
def test_too_few_triplets(count):
    check = check_direction(choices([1.0] * count), examination([2.0, 1.0] * count))
    assert check.verdict is Verdict.NOTE
    assert f"only {count} can be compared" in check.explanation


def test_without_pixels_it_is_not_checked():
    unknown = np.full(20, np.nan)
    check = check_direction(opinions(range(20)), examination(unknown, is_decoded=False))
    assert check.verdict is Verdict.NOT_CHECKED
