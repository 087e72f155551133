import dataclasses

import numpy as np
import pytest
from scipy import stats
from triplets import Triplet, triplet_table

from iqa_jax.datasets import Pair, PairTable
from iqa_jax.datasets.table import Question
from iqa_jax.images.sources import ImageFolder
from iqa_jax.programs.verify.checks import Verdict
from iqa_jax.programs.verify.direction import check_direction
from iqa_jax.programs.verify.examination import Examination

NO_IMAGES = ImageFolder()


def examination(squared_errors, *, is_decoded=True):
    return Examination({}, is_decoded, {}, {}, np.asarray(squared_errors, np.float64))


def opinions(scores, contents=None, *, higher_is_better=True):
    """Opinions of pairs with a reference each, or with the named references."""
    names = range(len(scores)) if contents is None else contents
    pairs = [
        Pair(f"r{name}", f"d{row}", float(score), reference_id=str(name))
        for row, (name, score) in enumerate(zip(names, scores, strict=True))
    ]
    return PairTable("opinions", pairs, NO_IMAGES, higher_is_better)


def choices(preferences):
    triplets = [Triplet(f"r{n}", f"p{n}", f"q{n}", each) for n, each in enumerate(preferences)]
    return triplet_table("choices", triplets, NO_IMAGES)


def test_errors_below_the_cap_of_psnr_are_equal():
    errors = np.tile([1e-9, 0.0, 1e-7], 10)
    scores = -np.tile([1.0, 1.0, 2.0], 10)
    contents = np.repeat(range(10), 3)
    check = check_direction(opinions(scores, contents), examination(errors))
    assert check.found is None
    assert "the same for all" in check.explanation
    errors[2::3] = 1e-5
    found = check_direction(opinions(scores, contents), examination(errors)).found
    assert found == pytest.approx(1)


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


def test_nine_pairs_are_not_enough():
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


@pytest.mark.parametrize(("references", "versions"), [(5, 2), (8, 10), (12, 4)])
def test_differences_between_references_are_no_evidence(references, versions):
    """Scores have nothing to do with the distances, and both depend on the reference."""
    rng = np.random.default_rng(3)
    contents, verdicts = np.repeat(range(references), versions), []
    for _ in range(200):
        errors, scores = (
            rng.normal(size=references)[contents] + rng.normal(0, 0.5, len(contents))
            for _ in range(2)
        )
        table = opinions(scores, contents)
        verdicts.append(check_direction(table, examination(np.exp(errors))).verdict)
    assert verdicts.count(Verdict.PROBLEM) < 7  # two are to be expected
    assert verdicts.count(Verdict.OK) < 7


def test_references_that_share_an_effect_of_the_version_are_no_evidence():
    """Versions are not independent across references: those of one type deviate together."""
    rng = np.random.default_rng(4)
    contents, kind, verdicts = np.repeat(range(8), 24), np.tile(np.repeat(range(3), 8), 8), []
    for _ in range(200):
        errors, scores = (
            rng.normal(size=(8, 3))[contents, kind] + rng.normal(0, 0.2, 192) for _ in range(2)
        )
        table = opinions(scores, contents)
        verdicts.append(check_direction(table, examination(np.exp(errors))).verdict)
    assert verdicts.count(Verdict.PROBLEM) < 7


def test_only_versions_of_one_reference_are_compared():
    errors = np.array([[1, 2, 3], [11, 12, 13], [21, 22, 23], [31, 32, 33], [41, 42, 43]] * 2)
    scores = 100 * errors - 500 * (errors % 10)  # between references they grow with the errors
    table = opinions(scores.ravel(), np.repeat(range(10), 3))
    check = check_direction(table, examination(errors.ravel()))
    assert check.found == pytest.approx(1)
    assert check.verdict is Verdict.OK


def test_every_reference_has_the_same_weight():
    contents = np.array([0] * 20 + [1] * 5 + [2] * 5)
    errors = np.concatenate([np.arange(20.0), np.arange(5.0), np.arange(5.0)]) + 1
    scores = -errors * np.where(contents == 2, -1, 1)
    assert check_direction(opinions(scores, contents), examination(errors)).found == pytest.approx(
        1 / 3
    )


@pytest.mark.parametrize(("references", "verdict"), [(4, Verdict.NOTE), (5, Verdict.PROBLEM)])
def test_with_few_references_a_disagreement_is_a_note(references, verdict):
    errors, contents = np.tile(np.arange(1.0, 9.0), references), np.repeat(range(references), 8)
    turned = check_direction(opinions(errors, contents), examination(errors))
    assert turned.verdict is verdict
    assert "the direction is the opposite" in turned.explanation
    assert ("only 4 references can be compared" in turned.explanation) == (references == 4)
    right = check_direction(opinions(-errors, contents), examination(errors))
    assert right.verdict is Verdict.OK


@pytest.mark.parametrize("protocol", [Question.OPINION, Question.TWO_ALTERNATIVES])
def test_two_of_six_references_that_disagree_leave_it_open(protocol):
    contents = np.repeat(range(6), 40)
    errors = np.where(np.arange(240) % 2, 2.0, 1.0)
    scores = np.where(contents < 2, errors, 3 - errors)  # two of six
    table = dataclasses.replace(opinions(scores / 3, contents), protocol=protocol)
    check = check_direction(table, examination(errors))
    assert check.verdict is Verdict.NOTE
    assert "chance alone" in check.explanation


def test_the_same_or_different(rng):
    said_same = np.array([0, 1 / 3, 2 / 3, 1] * 5)
    table = dataclasses.replace(opinions(said_same), protocol=Question.SAME_OR_DIFFERENT)
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
