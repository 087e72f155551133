import jax
import jax.numpy as jnp
import numpy as np
import pytest
from relevance.planted import plant
from scipy import special, stats

from iqa_jax.relevance.judgements import People
from iqa_jax.relevance.losses import LOSSES, correlation

PAIRS = 40


@pytest.fixture
def values(rng):
    """Distances and qualities with ties, and which of them count."""
    quality = rng.integers(0, 9, PAIRS).astype(np.float32)
    distances = (np.round(20 - quality + rng.normal(size=PAIRS)) / 7).astype(np.float32)
    return jnp.asarray(distances), jnp.asarray(quality), jnp.asarray(rng.random(PAIRS) < 0.7)


def selected(values):
    distances, quality, included = map(np.asarray, values)
    return distances[included].astype(float), quality[included].astype(float)


def test_pearson_is_the_correlation_to_make_negative(values):
    distances, quality = selected(values)
    found = LOSSES["pearson"].value({}, *values)
    assert found == pytest.approx(stats.pearsonr(distances, quality)[0], abs=1e-6)
    assert found < -0.5


def test_spearman_is_exact_in_validation(values):
    distances, quality = selected(values)
    found = LOSSES["spearman"].criterion({}, *values)
    assert found == pytest.approx(stats.spearmanr(distances, quality)[0], abs=1e-6)


def test_spearman_in_training_uses_soft_ranks(values):
    distances, quality = selected(values)
    gaps = (distances[:, None] - distances[None, :]) / (0.1 * distances.std())
    soft = 0.5 + special.expit(gaps).sum(axis=1)
    expected = stats.pearsonr(soft, stats.rankdata(quality))[0]
    found = LOSSES["spearman"].value({}, *values)
    assert found == pytest.approx(expected, abs=1e-5)
    assert found == pytest.approx(stats.spearmanr(distances, quality)[0], abs=0.02)


@pytest.mark.parametrize("loss", ["pearson", "spearman"])
def test_the_gradient_improves_the_agreement_and_is_finite(values, loss):
    distances, quality, included = values
    value = LOSSES[loss].value
    gradient = jax.grad(value, argnums=1)({}, distances, quality, included)
    assert np.isfinite(gradient).all()
    assert (np.asarray(gradient)[~np.asarray(included)] == 0).all()
    better = distances - 1e-2 * gradient / jnp.linalg.norm(gradient)
    assert value({}, better, quality, included) < value({}, distances, quality, included)


@pytest.mark.parametrize("loss", LOSSES)
def test_loss_and_gradient_are_finite_without_information(loss, planted):
    people = People.of(planted.examples)
    network = LOSSES[loss].start(0)
    batch = LOSSES[loss].draw(jax.random.key(1), people)
    value, criterion = jax.jit(LOSSES[loss].value), jax.jit(LOSSES[loss].criterion)
    slope = jax.jit(jax.grad(LOSSES[loss].value, argnums=1))
    rows = jnp.arange(len(people.quality)) if batch.rows is None else batch.rows
    for distances, included in [
        (jnp.zeros(rows.shape), jnp.ones(rows.shape, bool)),
        (jnp.ones(rows.shape), jnp.ones(rows.shape, bool)),
        (rows.astype(jnp.float32), jnp.zeros(rows.shape, bool)),
    ]:
        for function in (value, criterion):
            assert np.isfinite(function(network, distances, batch.said, included))
        assert np.isfinite(slope(network, distances, batch.said, included)).all()


def test_correlation_of_nothing_is_0():
    ones = jnp.ones(4)
    assert correlation(ones, jnp.arange(4.0), ones > 0) == 0
    assert correlation(jnp.arange(4.0), jnp.arange(4.0), ones < 0) == 0


def test_batches_of_ranks_are_of_different_pairs():
    people = People.of(plant(references=30).examples)
    draw = LOSSES["spearman"].draw
    first, second = (draw(jax.random.key(seed), people) for seed in range(2))
    assert len(set(np.asarray(first.rows))) == len(first.rows) == 128
    assert set(np.asarray(first.rows)) != set(np.asarray(second.rows))
    assert (first.said == people.quality[first.rows]).all()
    mask = jnp.arange(360) < 100
    assert (first.select(mask) == (first.rows < 100)).all()
