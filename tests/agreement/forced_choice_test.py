import dataclasses
import time
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from triplets import Triplet, triplet_table

from iqa_jax.agreement.forced_choice import Sampling, by_subset, same_or_different, two_alternatives
from iqa_jax.agreement.intervals import BOOTSTRAP, Method
from iqa_jax.datasets.table import Pair, PairTable, Question
from iqa_jax.images.sources import ImageFolder


def shares_of(preferences):
    return np.stack([1 - np.asarray(preferences), preferences], axis=-1).ravel()


def precision_at_recall(distances, shares):
    """The area by the definition: all limits, for each recall the best precision beyond it."""
    points = []
    for limit in np.unique(distances):
        within = distances <= limit
        points.append((shares[within].sum() / shares.sum(), shares[within].mean()))
    area, before = 0.0, 0.0
    for recall, _ in points:
        area += (recall - before) * max(p for r, p in points if r >= recall)
        before = recall
    return area


def test_credit_is_the_share_that_agrees():
    distances = np.array([0.1, 0.2, 0.5, 0.4, 0.3, 0.3])
    found = two_alternatives(distances, shares_of([0.2, 0.6, 1.0]))
    assert found.judgements == 3
    assert found.score == pytest.approx((0.8 + 0.6 + 0.5) / 3)  # the last is a tie


def test_scores_of_observers_and_of_the_best_distances():
    found = two_alternatives(np.zeros(6), shares_of([0.2, 0.6, 1.0]))
    assert found.score == 0.5
    assert found.best == pytest.approx((0.8 + 0.6 + 1.0) / 3)
    assert found.observer == pytest.approx((0.68 + 0.52 + 1.0) / 3)
    perfect = two_alternatives(1 - shares_of([0.2, 0.6, 1.0]), shares_of([0.2, 0.6, 1.0]))
    assert perfect.score == found.best


def test_an_inverted_metric_is_worse_than_guessing(rng):
    preferences = rng.integers(0, 6, 200) / 5
    distances = 1 - shares_of(preferences) + 0.1 * rng.normal(size=400)
    straight = two_alternatives(distances, shares_of(preferences)).score
    inverted = two_alternatives(-distances, shares_of(preferences)).score
    assert inverted == pytest.approx(1 - straight)
    assert inverted < 0.5 < straight


def test_swapping_the_versions_changes_nothing(rng):
    distances, preferences = rng.normal(size=(50, 2)), rng.integers(0, 6, 50) / 5
    shares = shares_of(preferences).reshape(50, 2)
    found = two_alternatives(distances.ravel(), shares.ravel())
    swapped = two_alternatives(distances[:, ::-1].ravel(), shares[:, ::-1].ravel())
    assert dataclasses.astuple(swapped) == pytest.approx(dataclasses.astuple(found))


def test_distances_are_compared_unrounded():
    """Differences far below the distances themselves decide, also in float32."""
    distances = np.array([1.0, np.nextafter(np.float32(1), np.float32(2))], np.float32)
    assert two_alternatives(distances, np.array([1.0, 0.0])).score == 1.0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_distance_that_is_not_finite_gives_nan(value):
    distances = np.array([0.1, 0.2, value, 0.4])
    found = two_alternatives(distances, shares_of([0.2, 0.6]))
    assert np.isnan(found.score)
    assert found.best == pytest.approx(0.7)
    assert np.isnan(same_or_different(distances, np.array([0.1, 0.2, 0.3, 1.0])).score)


def test_no_judgement_gives_nan():
    for found in (two_alternatives(np.zeros(0), np.zeros(0)), same_or_different([], [])):
        assert found.judgements == 0
        assert np.isnan([found.score, found.best, found.observer]).all()


def test_bad_triplets_are_refused():
    with pytest.raises(ValueError, match="expected two rows per triplet, got 3 rows"):
        two_alternatives(np.zeros(3), np.zeros(3))
    with pytest.raises(ValueError, match="4 distances do not fit 2 shares"):
        two_alternatives(np.zeros(4), np.zeros(2))
    for wrong in (0.5, np.nan):
        with pytest.raises(ValueError, match=f"1 triplets .* is number 1: 0.2 and {wrong}"):
            two_alternatives(np.zeros(4), np.array([0.5, 0.5, 0.2, wrong]))


def test_average_precision_by_hand():
    found = same_or_different(np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 1.0]))
    assert found.judgements == 3
    assert found.score == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)
    raised = same_or_different(np.array([1.0, 2.0]), np.array([0.5, 1.0]))
    assert raised.score == pytest.approx(0.75)  # the first precision, 0.5, is raised to the second


def test_average_precision_is_the_area_by_definition(rng):
    shares = rng.integers(0, 4, 60) / 3
    for distances in (rng.normal(size=60), rng.integers(0, 9, 60).astype(float)):
        found = same_or_different(distances, shares)
        assert found.score == pytest.approx(precision_at_recall(distances, shares), abs=1e-12)


def test_average_precision_does_not_depend_on_order(rng):
    shares, distances = rng.integers(0, 4, 60) / 3, rng.integers(0, 9, 60).astype(float)
    order = rng.permutation(60)
    found = same_or_different(distances, shares).score
    assert same_or_different(distances[order], shares[order]).score == pytest.approx(found)
    assert same_or_different(3 * distances + 1, shares).score == found


def test_the_best_average_precision(rng):
    shares = rng.integers(0, 4, 60) / 3
    best = same_or_different(rng.normal(size=60), shares).best
    ranked = same_or_different(-shares + 1e-6 * rng.normal(size=60), shares)
    assert ranked.score == pytest.approx(best)
    trials = [same_or_different(-shares + 0.3 * rng.normal(size=60), shares) for _ in range(50)]
    assert all(trial.score <= best + 1e-12 for trial in trials)
    assert np.isnan(ranked.observer)


def test_all_at_one_distance_have_the_precision_of_saying_same(rng):
    shares = rng.integers(0, 4, 60) / 3
    assert same_or_different(np.zeros(60), shares).score == pytest.approx(shares.mean())


def test_without_the_answer_same_there_is_no_precision():
    found = same_or_different(np.arange(3.0), np.zeros(3))
    assert np.isnan([found.score, found.best]).all()


@pytest.fixture
def triplets():
    preferences = {"cnn": (0.0, 0.2, 1.0), "color": (0.6,)}
    return triplet_table(
        name="mine",
        triplets=[
            Triplet("r.png", "a.png", "b.png", preference, subset)
            for subset, several in preferences.items()
            for preference in several
        ],
        images=ImageFolder(),
    )


def test_subsets_and_their_mean(triplets):
    distances = np.array([1, 2, 2, 1, 1, 2, 2, 1])
    found = by_subset(triplets, distances)
    assert list(found.subsets) == ["cnn", "color"]
    assert found.subsets["cnn"].score == pytest.approx((1 + 0.2 + 0) / 3)
    assert found.subsets["cnn"].judgements == 3
    assert found.subsets["color"].score == pytest.approx(0.6)
    assert found.overall.score == pytest.approx((1 + 0.2 + 0 + 0.6) / 4)
    assert found.mean.score == pytest.approx((0.4 + 0.6) / 2)
    assert found.mean.best == pytest.approx((2.8 / 3 + 0.6) / 2)
    assert found.mean.judgements == found.overall.judgements == 4


def test_subsets_of_same_or_different(rng):
    pairs = [Pair("r", "d", score, distortion=name) for name in "xy" for score in (0, 1 / 3, 1)]
    table = PairTable("mine", pairs, ImageFolder(), True, protocol=Question.SAME_OR_DIFFERENT)
    distances = rng.normal(size=6)
    found = by_subset(table, distances)
    expected = same_or_different(distances[3:], np.array([0, 1 / 3, 1]))
    assert found.subsets["y"].score == expected.score
    assert found.overall.judgements == 6


REFERENCES, PER_REFERENCE = 12, 4


def clustered(protocol, rng):
    """Two subsets, each with judgements of its own references; some distances are tied."""
    rows = PER_REFERENCE * protocol.rows
    pairs = [
        Pair(f"r{number}", "d", 0.0, distortion="xy"[number % 2], reference_id=f"r{number}")
        for number in range(REFERENCES)
        for _ in range(rows)
    ]
    shares = rng.integers(0, 4, len(pairs)) / 3
    if protocol is Question.TWO_ALTERNATIVES:
        shares[1::2] = 1 - shares[::2]
    pairs = [
        dataclasses.replace(pair, score=each) for pair, each in zip(pairs, shares, strict=True)
    ]
    table = PairTable("mine", pairs, ImageFolder(), True, protocol=protocol)
    return table, np.round(rng.normal(0, 0.3, len(pairs)) - shares, 1)


@pytest.mark.parametrize("protocol", [Question.TWO_ALTERNATIVES, Question.SAME_OR_DIFFERENT])
def test_intervals_are_those_of_leaving_out_references(protocol, rng):
    """Scores the remaining rows, with Student's t for as many references."""
    table, distances = clustered(protocol, rng)
    found = by_subset(table, distances, Sampling.of(table, Method()))
    contents = np.array([pair.reference_id for pair in table.pairs])

    def left(kept):
        part = dataclasses.replace(
            table, pairs=[pair for pair, each in zip(table.pairs, kept, strict=True) if each]
        )
        return by_subset(part, distances[kept])

    def check(score, references):
        whole = score(left(np.ones(len(contents), bool)))
        without = np.array([score(left(contents != name)) for name in references])
        count = len(references)
        error = np.sqrt((count - 1) / count * np.sum((without - without.mean()) ** 2))
        margin = stats.t.ppf(0.975, count - 1) * error
        return pytest.approx((whole - margin, whole + margin), abs=1e-10)

    every = sorted(set(contents))
    of_x = sorted({pair.reference_id for pair in table.pairs if pair.distortion == "x"})
    assert found.overall.interval == check(lambda each: each.overall.score, every)
    assert found.mean.interval == check(lambda each: each.mean.score, every)
    assert found.subsets["x"].interval == check(lambda each: each.subsets["x"].score, of_x)
    assert found.overall.score == left(np.ones(len(contents), bool)).overall.score


@pytest.mark.parametrize("protocol", [Question.TWO_ALTERNATIVES, Question.SAME_OR_DIFFERENT])
def test_intervals_of_a_bootstrap_are_similar(protocol, rng):
    table, distances = clustered(protocol, rng)
    jackknife, bootstrap = (
        by_subset(table, distances, Sampling.of(table, method)).overall.interval
        for method in (Method(), Method(BOOTSTRAP, 400))
    )
    assert bootstrap == pytest.approx(jackknife, abs=0.05)


def test_no_interval_where_there_is_no_score_or_few_references(rng):
    table, distances = clustered(Question.TWO_ALTERNATIVES, rng)
    sampling = Sampling.of(table, Method())
    assert by_subset(table, np.full(len(distances), np.nan), sampling).overall.interval is None
    few = dataclasses.replace(table, pairs=table.pairs[: 4 * 2 * PER_REFERENCE])
    found = by_subset(few, distances[: len(few.pairs)], Sampling.of(few, Method()))
    assert found.overall.interval is None
    assert found.subsets["x"].interval is None


def test_intervals_of_very_many_references_are_fast(rng):
    """A third as many triplets as in BAPPS, each with its own reference."""
    triplets = [
        Triplet(f"r{number}", "a", "b", round(5 * rng.uniform()) / 5, f"s{number % 6}")
        for number in range(12_000)
    ]
    table = triplet_table("mine", triplets, ImageFolder())
    distances = rng.normal(size=len(table.pairs))
    sampling = Sampling.of(table, Method())
    started = time.process_time()
    found = by_subset(table, distances, sampling).overall
    assert (
        time.process_time() - started < 1
    )  # a table of all references takes gigabytes and minutes
    low, high = found.interval
    chosen = np.array([pair.score for pair in table.pairs])[::2]
    credit = np.where(distances[::2] < distances[1::2], chosen, 1 - chosen)
    margin = 1.96 * credit.std() / np.sqrt(len(credit))
    assert (low, high) == pytest.approx((found.score - margin, found.score + margin), rel=0.001)


def test_opinions_are_not_choices():
    table = PairTable("mine", [Pair("r", "d", 1.0)], ImageFolder(Path()), True)
    with pytest.raises(ValueError, match="mine: its observers were not forced to choose"):
        by_subset(table, np.zeros(1))


def test_lengths_must_agree(triplets):
    with pytest.raises(ValueError, match="3 distances do not fit 8 shares"):
        by_subset(triplets, np.zeros(3))
