from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from relevance.planted import plant
from scipy import stats

from iqa_jax.datasets.table import Question
from iqa_jax.relevance.judgements import People
from iqa_jax.relevance.ranking import disagreement, draw, draw_once, preference_logits, start

COUNT = 3000


def drawn(examples, seed=0, training=None):
    people = People.of(examples)
    return unpacked(people, draw(jax.random.key(seed), people, COUNT), training)


def unpacked(people, batch, training=None):
    """First and second versions, and the preference if only ``training`` pairs are known."""
    assert batch.rows is not None
    first, second = np.split(np.asarray(batch.rows), 2)
    known = jnp.full(people.quality.shape, True) if training is None else jnp.asarray(training)
    return first, second, np.asarray(batch.answers(people.least_deviation(known)))


def test_versions_of_one_reference_are_compared(planted):
    examples = planted.examples
    first, second, _ = drawn(examples)
    assert (examples.contents[first] == examples.contents[second]).all()
    assert (first != second).all()
    # Every ordered pair of the 15 x 12 versions is as likely as any other.
    assert len(set(zip(first, second, strict=True))) > 0.7 * min(COUNT, 15 * 12 * 11)
    assert np.mean(first < second) == pytest.approx(0.5, abs=0.05)


def test_validation_always_uses_the_same_versions(planted):
    people = People.of(planted.examples)
    first, second, preference = unpacked(people, draw_once(people, COUNT))
    again = unpacked(people, draw_once(people, COUNT))
    assert (first == again[0]).all()
    assert (second == again[1]).all()
    assert (preference == again[2]).all()
    assert (planted.examples.contents[first] == planted.examples.contents[second]).all()
    assert len(set(first)) == 180
    assert not (first == drawn(planted.examples)[0]).all()


def test_preferences_are_those_of_thurstone(planted):
    published = np.linspace(0.2, 2.0, 180)
    examples = replace(planted.examples, opinion_std=published)
    first, second, preference = drawn(examples)
    gap = examples.scores[second] - examples.scores[first]
    expected = stats.norm.cdf(gap / np.hypot(published[first], published[second]))
    assert preference == pytest.approx(expected, abs=1e-5)
    assert preference.min() < 0.01
    assert preference.max() > 0.99


def test_observers_whose_deviation_is_unknown(planted):
    examples = planted.examples
    first, second, preference = drawn(examples)
    gap = examples.scores[second] - examples.scores[first]
    expected = stats.norm.cdf(gap / (np.sqrt(2) * 0.5 * examples.scores.std()))
    assert preference == pytest.approx(expected, abs=1e-5)


def test_only_training_scores_determine_the_deviation_of_observers(planted):
    training = planted.examples.contents < "I05"
    scores = np.where(training, planted.examples.scores, 1e3 * planted.examples.scores)
    examples = replace(planted.examples, scores=scores)
    first, second, preference = drawn(examples, training=training)
    gap = scores[second] - scores[first]
    expected = stats.norm.cdf(gap / (np.sqrt(2) * 0.5 * scores[training].std()))
    assert preference == pytest.approx(expected, abs=1e-5)


def test_observers_who_agree_deviate_a_little(planted):
    examples = replace(planted.examples, opinion_std=np.zeros(180))
    first, second, preference = drawn(examples)
    gap = examples.scores[second] - examples.scores[first]
    expected = stats.norm.cdf(gap / (np.sqrt(2) * 1e-3 * examples.scores.std()))
    assert preference == pytest.approx(expected, abs=1e-3)


def test_preference_turns_with_the_direction_of_the_scores():
    higher, lower = (plant(higher_is_better=each).examples for each in (True, False))
    assert drawn(lower)[2] == pytest.approx(drawn(higher)[2], abs=1e-5)


def test_choices_are_used_unchanged():
    examples = plant(protocol=Question.TWO_ALTERNATIVES).examples
    first, second, preference = drawn(examples)
    assert (first // 2 == second // 2).all()
    assert (first != second).all()
    assert preference == pytest.approx(examples.scores[second], abs=1e-6)


def test_a_single_version_is_compared_with_itself(planted):
    contents = np.array([f"I{number // 2}" for number in range(180)])
    contents[0] = "alone"
    first, second, preference = drawn(replace(planted.examples, contents=contents))
    alone = first == second
    assert set(first[alone]) == {0, 1}
    assert preference[alone] == pytest.approx(0.5)


def test_the_network_sees_the_five_inputs_of_lpips(rng):
    network = start(3)
    assert all((start(4)[name] != network[name]).any() for name in network)
    assert {name: each.shape for name, each in network.items()} == {
        **{"kernel1": (5, 32), "bias1": (1, 32), "kernel2": (32, 32), "bias2": (1, 32)},
        **{"kernel3": (32, 1), "bias3": (1, 1)},
    }
    first, second = rng.random((2, 9))
    hidden = np.stack(
        [first, second, first - second, first / (second + 0.1), second / (first + 0.1)], axis=1
    )
    for number in (1, 2, 3):
        hidden = hidden @ np.asarray(network[f"kernel{number}"], float)
        hidden = hidden + np.asarray(network[f"bias{number}"], float)
        if number < 3:
            hidden = np.where(hidden > 0, hidden, 0.2 * hidden)
    found = preference_logits(
        network, jnp.asarray(first, jnp.float32), jnp.asarray(second, jnp.float32)
    )
    assert np.asarray(found) == pytest.approx(hidden[:, 0], abs=1e-5)


def test_disagreement_is_the_cross_entropy_of_the_included_rows(rng):
    network = start(3)
    distances = jnp.asarray(rng.random(20), jnp.float32)
    preference = jnp.asarray(rng.random(10), jnp.float32)
    included = jnp.arange(20) % 10 < 7
    logits = np.asarray(preference_logits(network, *jnp.split(distances, 2)), float)
    p, q = np.asarray(preference, float), 1 / (1 + np.exp(-logits))
    entropies = -(p * np.log(q) + (1 - p) * np.log(1 - q))
    found = disagreement(network, distances, preference, included)
    assert found == pytest.approx(entropies[:7].mean(), rel=1e-5)
