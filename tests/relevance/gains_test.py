import math
from dataclasses import replace

import numpy as np
import pytest
from relevance.planted import plant
from scipy import stats

from iqa_jax.agreement.forced_choice import two_alternatives
from iqa_jax.agreement.intervals import BOOTSTRAP, Method, correlation_intervals
from iqa_jax.datasets.table import Question
from iqa_jax.errors import InputError
from iqa_jax.relevance import CrossValidation, HeldOutFold
from iqa_jax.relevance.gains import MEAN, POOLED, TRANSFER, held_out_gains, transfer_gains

METHOD = Method()


def cross_validation(examples, weights, folds=3):
    """A cross-validation in which every fold has ``weights``."""
    names = sorted(set(examples.contents))
    number = {name: position % folds for position, name in enumerate(names)}
    held_out = []
    for fold in range(folds):
        test = tuple(name for name in names if number[name] == fold)
        rows = np.isin(examples.contents, test)
        held_out.append(HeldOutFold(test, rows, 0.1, np.array([10]), np.zeros((1, 1)), weights))
    return CrossValidation(number, held_out, examples.distances(weights), 0.1, 10, weights)


@pytest.fixture
def examples(planted):
    return replace(planted.examples, higher_is_better=False, scores=9 - planted.examples.scores)


@pytest.fixture
def weights(planted):
    return planted.weights + 0.1


@pytest.fixture
def other(rng):
    return rng.random(40)


@pytest.fixture
def rows(examples, weights, other):
    learned = cross_validation(examples, weights)
    return held_out_gains(examples, learned, {"other": other}, METHOD)


def select(rows, **wanted):
    (row,) = [
        row for row in rows if all(getattr(row, key) == value for key, value in wanted.items())
    ]
    return row


def test_every_part_has_every_number(rows):
    assert len(rows) == 5 * 2 * 5
    assert [row.part for row in rows][:: 2 * 5] == ["fold 0", "fold 1", "fold 2", MEAN, POOLED]
    assert [(row.weights, row.minus) for row in rows][:5] == [
        ("uniform", ""),
        ("learned", ""),
        ("other", ""),
        ("learned", "uniform"),
        ("learned", "other"),
    ]
    fold, pooled = rows[0], rows[-1]
    assert (fold.dataset, fold.references, fold.pairs) == ("planted", 5, 60)
    assert (pooled.references, pooled.pairs) == (15, 180)


def test_values_are_correlations_of_the_pairs_of_a_part(rows, examples, weights, other):
    learned = cross_validation(examples, weights)
    for name, each in {"uniform": np.ones(40), "learned": weights, "other": other}.items():
        similarity = -examples.distances(each)
        for number, part in enumerate(learned.folds):
            x, y = similarity[part.rows], examples.quality[part.rows]
            plcc = select(rows, part=f"fold {number}", measure="plcc", weights=name, minus="")
            srcc = select(rows, part=f"fold {number}", measure="srcc", weights=name, minus="")
            assert plcc.value == pytest.approx(stats.pearsonr(x, y)[0], abs=1e-12)
            assert srcc.value == pytest.approx(stats.spearmanr(x, y)[0], abs=1e-12)
        pooled = select(rows, part=POOLED, measure="srcc", weights=name, minus="")
        expected = stats.spearmanr(similarity, examples.quality)[0]
        assert pooled.value == pytest.approx(expected, abs=1e-12)


def test_the_mean_of_folds_is_taken_over_fishers_z(rows):
    for measure in ("plcc", "srcc"):
        wanted = {"measure": measure, "weights": "learned", "minus": ""}
        folds = [select(rows, part=f"fold {n}", **wanted).value for n in range(3)]
        mean = select(rows, part=MEAN, **wanted)
        assert mean.value == pytest.approx(math.tanh(np.arctanh(folds).mean()), abs=1e-12)


def test_folds_are_weighted_by_their_pairs(planted):
    examples = planted.examples
    weights = planted.weights + 0.1
    learned = cross_validation(examples, weights, folds=2)
    sizes = [int(part.rows.sum()) for part in learned.folds]
    assert sizes == [96, 84]
    rows = held_out_gains(examples, learned, {}, METHOD)
    wanted = {"measure": "plcc", "weights": "learned", "minus": ""}
    z = [math.atanh(select(rows, part=f"fold {n}", **wanted).value) for n in range(2)]
    expected = math.tanh(np.average(z, weights=sizes))
    assert select(rows, part=MEAN, **wanted).value == pytest.approx(expected, abs=1e-12)


def test_differences_are_paired(rows):
    for part in ("fold 1", MEAN, POOLED):
        alone = {
            name: select(rows, part=part, measure="plcc", weights=name, minus="")
            for name in ("learned", "uniform")
        }
        difference = select(rows, part=part, measure="plcc", minus="uniform")
        gap = alone["learned"].value - alone["uniform"].value
        assert difference.value == pytest.approx(gap, abs=1e-12)
        widths = [row.high - row.low for row in alone.values()]
        assert 0 < difference.high - difference.low < sum(widths)
        assert difference.low < difference.value < difference.high
        assert difference.low > 0


@pytest.mark.parametrize("method", [Method(), Method(BOOTSTRAP, 100)])
def test_intervals_of_folds_are_of_their_own_references(examples, weights, method):
    learned = cross_validation(examples, weights)
    rows = held_out_gains(examples, learned, {}, method)
    part = learned.folds[2].rows
    expected = correlation_intervals(
        examples.distances(weights)[part, None],
        examples.scores[part],
        examples.contents[part].tolist(),
        higher_is_better=False,
        method=method,
    )
    for measure in ("plcc", "srcc"):
        fold = select(rows, part="fold 2", measure=measure, weights="learned", minus="")
        assert fold.low == pytest.approx(getattr(expected, f"{measure}_low")[0], abs=1e-9)
        assert fold.high == pytest.approx(getattr(expected, f"{measure}_high")[0], abs=1e-9)


def test_the_jackknife_of_a_paired_difference_by_hand(rows, examples, weights):
    """Raw differences, each reference left out once."""

    def difference(kept):
        plcc = [
            stats.pearsonr(-examples.distances(each)[kept], examples.quality[kept])[0]
            for each in (weights, np.ones(40))
        ]
        return plcc[0] - plcc[1]

    names = sorted(set(examples.contents))
    left_out = np.array([difference(examples.contents != name) for name in names])
    whole = difference(np.ones(len(examples.scores), bool))
    error = math.sqrt(14 / 15 * np.sum((left_out - left_out.mean()) ** 2))
    found = select(rows, part=POOLED, measure="plcc", minus="uniform")
    margin = stats.t.ppf(0.975, 14) * error
    assert (found.low, found.high) == pytest.approx((whole - margin, whole + margin), abs=1e-10)


def test_few_references_have_no_interval(planted):
    learned = cross_validation(planted.examples, planted.weights, folds=5)
    rows = held_out_gains(planted.examples, learned, {}, METHOD)
    fold = select(rows, part="fold 2", measure="plcc", weights="learned", minus="")
    assert fold.references == 3
    assert math.isnan(fold.low)
    assert math.isnan(fold.high)
    assert math.isfinite(fold.value)
    pooled = select(rows, part=POOLED, measure="plcc", weights="learned", minus="")
    assert pooled.low < pooled.value < pooled.high


def test_transfer_to_another_dataset(planted, weights, other):
    examples = replace(plant(seed=7).examples, name="elsewhere")
    rows = transfer_gains(examples, weights, {"other": other}, METHOD)
    assert {row.part for row in rows} == {TRANSFER}
    assert {row.dataset for row in rows} == {"elsewhere"}
    learned = select(rows, measure="plcc", weights="learned", minus="")
    expected = stats.pearsonr(-examples.distances(weights), examples.quality)[0]
    assert learned.value == pytest.approx(expected, abs=1e-12)
    assert select(rows, measure="plcc", minus="uniform").low > 0


def test_transfer_to_other_channels(planted):
    with pytest.raises(InputError, match="planted: has 40 channels, the weights are for 39"):
        transfer_gains(planted.examples, np.ones(39), {}, METHOD)


def test_choices_are_scored_as_such(rng):
    planted = plant(protocol=Question.TWO_ALTERNATIVES)
    examples, weights = planted.examples, planted.weights
    rows = held_out_gains(examples, cross_validation(examples, weights), {}, METHOD)
    assert {row.measure for row in rows} == {"2afc"}
    learned = select(rows, part=POOLED, weights="learned", minus="")
    expected = two_alternatives(examples.distances(weights), examples.scores)
    assert learned.value == pytest.approx(expected.score, abs=1e-12)
    assert learned.low < learned.value < learned.high
    mean = select(rows, part=MEAN, weights="learned", minus="")
    assert mean.value == pytest.approx(learned.value, abs=1e-12)
    assert select(rows, part=POOLED, minus="uniform").low > 0


def test_a_fold_without_a_value_is_left_out_of_the_mean(planted):
    examples = planted.examples
    learned = cross_validation(examples, planted.weights)
    scores = np.where(learned.folds[1].rows, 5.0, examples.scores)
    rows = held_out_gains(replace(examples, scores=scores), learned, {}, METHOD)
    wanted = {"measure": "plcc", "weights": "learned", "minus": ""}
    assert math.isnan(select(rows, part="fold 1", **wanted).value)
    z = [math.atanh(select(rows, part=f"fold {n}", **wanted).value) for n in (0, 2)]
    mean = select(rows, part=MEAN, **wanted)
    assert mean.value == pytest.approx(math.tanh(np.mean(z)), abs=1e-12)
