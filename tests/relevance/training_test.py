from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from relevance.planted import plant

from iqa_jax.relevance.judgements import People
from iqa_jax.relevance.losses import LOSSES
from iqa_jax.relevance.training import CHECK_EVERY, Problem, Recipe, Run, rescaled, train

STRENGTHS = (0.0, 0.01, 0.01, 0.3)


@pytest.fixture
def problem(planted):
    examples = planted.examples
    return Problem(jnp.asarray(examples.matrix), People.of(examples), examples.is_root)


def make_runs(planted, loss="pearson"):
    """Four runs with training and validation references of their own."""
    contents = planted.examples.contents
    names = sorted(set(contents))
    training = np.stack([np.isin(contents, names[n : n + 8]) for n in range(4)])
    validation = np.stack([np.isin(contents, names[n + 8 : n + 11]) for n in range(4)])
    return Run(
        training=jnp.asarray(training),
        validation=jnp.asarray(validation),
        strength=jnp.asarray(STRENGTHS, jnp.float32),
        network=jax.tree.map(lambda *each: jnp.stack(each), *map(LOSSES[loss].start, range(4))),
    )


@pytest.fixture
def runs(planted):
    return make_runs(planted)


def only(runs, number):
    return jax.tree.map(lambda each: each[number : number + 1], runs)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_run_is_the_same_alone_and_among_others(loss, planted, problem):
    runs = make_runs(planted, loss)
    # Few steps only: rounding differs between programs, and Adam amplifies it.
    recipe = Recipe(loss, most_steps=30)
    together = train(runs, problem, recipe)
    alone = train(only(runs, 2), problem, recipe)
    assert np.asarray(alone.weights[0]) == pytest.approx(np.asarray(together.weights[2]), rel=1e-4)
    assert alone.steps[0] == together.steps[2]
    assert float(alone.validation[0]) == pytest.approx(float(together.validation[2]), abs=1e-5)
    others = np.asarray(together.weights)
    assert np.abs(others - others[2]).max(axis=1).argsort()[0] == 2
    assert np.abs(others[1] - others[2]).max() > 1e-3


def test_weights_keep_the_mean_distance_and_are_not_negative(runs, problem):
    trained = train(runs, problem, Recipe())
    means = np.stack([np.asarray(problem.mean(mask), np.float64) for mask in runs.training])
    weights = np.asarray(trained.weights, np.float64)
    assert weights.min() >= 0
    assert weights.max() > 2
    assert np.sum(weights * means, axis=1) == pytest.approx(means.sum(axis=1), rel=1e-5)


def test_rescaling_does_not_depend_on_the_scale(rng):
    weights, mean = (jnp.asarray(rng.random(7), jnp.float32) for _ in range(2))
    expected = np.asarray(rescaled(weights, mean))
    assert np.asarray(rescaled(weights * 8, mean)) == pytest.approx(expected, rel=1e-6)
    assert np.asarray(rescaled(weights, mean / 4)) == pytest.approx(expected, rel=1e-6)
    assert float(expected @ mean) == pytest.approx(float(mean.sum()), rel=1e-6)


def test_the_mean_is_that_of_the_training_pairs(runs, problem):
    matrix = np.asarray(problem.contributions)
    for mask in runs.training:
        assert np.asarray(problem.mean(mask)) == pytest.approx(
            matrix[np.asarray(mask)].mean(axis=0), rel=1e-5
        )


def test_untrained_weights_are_1_where_nothing_is_better(runs, problem):
    found = train(runs, problem, Recipe(most_steps=0))
    assert (found.weights == 1).all()
    assert (found.steps == 0).all()


def test_a_run_stops_when_validation_no_longer_improves(runs):
    noisy = plant(noise=1.5).examples
    problem = Problem(jnp.asarray(noisy.matrix), People.of(noisy), is_root=False)
    patient = train(runs, problem, Recipe(most_steps=500, patience=500))
    hasty = train(runs, problem, Recipe(most_steps=500, patience=CHECK_EVERY))
    assert (hasty.steps <= patient.steps).all()
    assert (hasty.validation >= patient.validation - 1e-6).all()
    assert (hasty.steps < patient.steps).any()
    assert (patient.steps % CHECK_EVERY == 0).all()


def test_without_validation_the_last_weights_are_kept(runs, problem):
    unwatched = replace(runs, validation=jnp.zeros_like(runs.validation))
    found = train(unwatched, problem, Recipe(most_steps=200, patience=CHECK_EVERY))
    assert (found.steps == 200).all()


def test_strength_pulls_towards_1(runs, problem):
    found = train(runs, problem, Recipe(most_steps=300, patience=300))
    spread = np.square(np.asarray(found.weights) - 1).mean(axis=1)
    assert spread[0] > spread[1] > spread[3]


def test_sparsity_leaves_fewer_channels(runs, problem):
    def channels(sparsity):
        """Effective number of channels."""
        weights = np.asarray(train(runs, problem, Recipe(sparsity=sparsity)).weights)
        return (weights.sum(axis=1) ** 2 / np.square(weights).sum(axis=1)).mean()

    assert channels(0.3) < 0.8 * channels(0.0)
