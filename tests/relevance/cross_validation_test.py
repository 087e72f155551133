from dataclasses import replace

import numpy as np
import pytest
from relevance.planted import plant
from scipy import stats

from iqa_jax.datasets.table import Question
from iqa_jax.errors import InputError
from iqa_jax.relevance import Recipe, Scheme, cross_validate

SMALL = Scheme(folds=3, seeds=2, strengths=(0.001, 0.1))


def agreement(distances, examples):
    return stats.pearsonr(-distances, examples.quality)[0]


@pytest.fixture(scope="module")
def found(planted):
    return cross_validate(planted.examples, Recipe(), SMALL)


CASES = [("pearson", False), ("pearson", True), ("ranking", False), ("spearman", False)]


@pytest.mark.parametrize(("loss", "is_root"), CASES)
def test_recovers_the_channels_that_matter(loss, is_root):
    planted = plant(is_root=is_root, higher_is_better=not is_root)
    examples = planted.examples
    found = cross_validate(examples, Recipe(loss, most_steps=400), SMALL)
    mean = examples.mean()
    shares, planted_shares = found.weights * mean, planted.weights * mean
    assert np.corrcoef(shares, planted_shares)[0, 1] > 0.95
    irrelevant = shares[planted.weights == 0].sum() / shares.sum()
    assert irrelevant < 0.2 < mean[planted.weights == 0].sum() / mean.sum()
    uniform = examples.distances(np.ones_like(mean))
    for part in found.folds:
        learned, equal = (
            stats.pearsonr(-distances[part.rows], examples.quality[part.rows])[0]
            for distances in (found.distances, uniform)
        )
        assert learned > equal + 0.1


def test_learns_from_choices_between_two_versions():
    planted = plant(protocol=Question.TWO_ALTERNATIVES, references=24)
    found = cross_validate(planted.examples, Recipe("ranking", most_steps=400), SMALL)
    mean = planted.examples.mean()
    assert np.corrcoef(found.weights * mean, planted.weights * mean)[0, 1] > 0.9


def test_weights_are_scaled_and_not_negative(planted, found):
    examples = planted.examples
    for weights, rows in [
        (found.weights, np.ones(len(examples.scores), bool)),
        *((part.weights, ~part.rows) for part in found.folds),
    ]:
        assert weights.min() >= 0
        mean = examples.mean(rows)
        assert weights @ mean == pytest.approx(mean.sum(), rel=1e-12)


def test_does_not_depend_on_the_unit_of_the_statistics_or_scores(planted, found):
    examples = planted.examples
    other = replace(
        examples,
        contributions={k: 1024 * v for k, v in examples.contributions.items()},
        scores=examples.scores * 100 - 7,
    )
    again = cross_validate(other, Recipe(), SMALL)
    assert again.weights == pytest.approx(found.weights, abs=0.02)
    assert again.distances == pytest.approx(1024 * found.distances, rel=0.01)


def test_no_content_is_on_two_sides(planted, found):
    examples = planted.examples
    tested = [content for part in found.folds for content in part.test]
    assert sorted(tested) == sorted(set(examples.contents))
    assert sum(part.rows for part in found.folds).tolist() == [1] * len(examples.scores)
    for number, part in enumerate(found.folds):
        assert set(part.test) == {name for name, fold in found.fold_of.items() if fold == number}
        assert set(examples.contents[part.rows]) == set(part.test)


@pytest.mark.parametrize("loss", ["pearson", "ranking"])
def test_weights_of_a_fold_do_not_depend_on_its_test_pairs(loss, planted, found):
    examples = planted.examples
    recipe = Recipe(loss, most_steps=400)  # as above: compiled once
    rows = found.folds[0].rows
    first = cross_validate(examples, recipe, SMALL)
    changed = {
        k: np.where(rows[:, None], 3 * v[::-1], v) for k, v in examples.contributions.items()
    }
    scores = examples.scores.copy()
    scores[rows] = 7 + 100 * scores[rows][::-1]
    other = cross_validate(replace(examples, contributions=changed, scores=scores), recipe, SMALL)
    assert (other.folds[0].weights == first.folds[0].weights).all()
    assert (other.folds[0].validation == first.folds[0].validation).all()
    assert np.abs(other.folds[1].weights - first.folds[1].weights).max() > 0.1


def test_is_the_same_every_time(planted, found):
    again = cross_validate(planted.examples, Recipe(), SMALL)
    assert (found.weights == again.weights).all()
    assert (found.distances == again.distances).all()


def test_validation_chooses_the_strength_and_the_steps(planted):
    scheme = replace(SMALL, strengths=(0.001, 100.0))
    found = cross_validate(planted.examples, Recipe(), scheme)
    assert found.strength == 0.001
    for part in found.folds:
        assert part.validation.shape == (2, 2)
        assert part.strength == 0.001
        assert (part.validation[:, 0] < part.validation[:, 1]).all()
    steps = np.concatenate([part.steps for part in found.folds])
    assert abs(found.steps - np.median(steps)) <= 5


def test_a_great_strength_leaves_equal_weights(planted):
    found = cross_validate(planted.examples, Recipe(), replace(SMALL, strengths=(100.0,)))
    assert found.weights == pytest.approx(np.ones(40), abs=0.1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": np.full(180, 3.0)}, "planted: all scores are 3: nothing to learn"),
        ({"scores": np.full(180, np.nan)}, "180 of 180 scores are not finite"),
        ({"contents": np.full(180, "I01")}, "at least 3 references, .* found 1"),
        ({"contents": np.repeat(["I01", "I02"], 90)}, "at least 3 references, .* found 2"),
        ({"contributions": {}}, "there are no pairs or no layers"),
        (
            {"contributions": {"first": np.full((180, 4), np.nan)}},
            "not finite for 180 of 180 pairs",
        ),
        ({"contributions": {"first": np.full((180, 4), -1.0)}}, "first has negative statistics"),
        ({"contributions": {"first": np.zeros((180, 4))}}, "all statistics are zero"),
        (
            {"contributions": {"first": np.ones((9, 4))}},
            "statistics of 9 pairs, expected .* of 180",
        ),
        ({"protocol": Question.SAME_OR_DIFFERENT}, "whether two images are the same"),
        ({"protocol": Question.TWO_ALTERNATIVES}, "the loss pearson does not apply"),
    ],
)
def test_examples_without_information(planted, change, message):
    with pytest.raises(InputError, match=message):
        cross_validate(replace(planted.examples, **change), Recipe(), SMALL)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"folds": 16}, "found 15 references for 16 folds; use fewer folds .folds=15"),
        ({"folds": 1}, "expected at least 2 folds"),
        ({"seeds": 0}, "got 0 seeds and 2 strengths"),
        ({"strengths": ()}, "got 2 seeds and 0 strengths"),
        ({"strengths": (-1.0,)}, "strengths: expected numbers of at least 0"),
        ({"strengths": (float("nan"),)}, "strengths: expected numbers of at least 0"),
        ({"validation_share": 1.0}, "validation_share: expected a number between 0 and 1"),
    ],
)
def test_invalid_schemes(planted, change, message):
    with pytest.raises(InputError, match=message):
        cross_validate(planted.examples, Recipe(), replace(SMALL, **change))


def test_an_unknown_loss(planted):
    with pytest.raises(
        InputError, match="no loss 'kendall'; there are: pearson, ranking, spearman"
    ):
        cross_validate(planted.examples, Recipe("kendall"), SMALL)


def test_equal_scores_in_training_or_validation(planted):
    examples = planted.examples
    contents = np.repeat(["I00", "I01", "I02"], 60)
    scores = np.where(contents == "I02", examples.scores, 5.0)
    with pytest.raises(InputError, match="only the references I0[01] would (train|validate) a run"):
        cross_validate(replace(examples, contents=contents, scores=scores), Recipe(), SMALL)


def test_zero_statistics_in_training_or_validation(planted):
    contents = np.repeat(["I00", "I01", "I02"], 60)
    contributions = {
        layer: np.where(contents[:, None] == "I02", values, 0)
        for layer, values in planted.examples.contributions.items()
    }
    changed = replace(planted.examples, contents=contents, contributions=contributions)
    with pytest.raises(InputError, match="I0[01] would (train|validate) a run, but all their stat"):
        cross_validate(changed, Recipe(), SMALL)


def test_ranking_needs_versions_to_compare(planted):
    alone = replace(planted.examples, contents=np.array([f"I{n}" for n in range(180)]))
    with pytest.raises(InputError, match="of one reference, but each has only one"):
        cross_validate(alone, Recipe("ranking"), SMALL)
