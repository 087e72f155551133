from dataclasses import astuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.streams import Totals


def totals_of(*scores):
    """The totals of one metric, batch after batch."""
    totals = Totals.empty(1)
    for batch in scores:
        values = jnp.asarray(batch, jnp.float32)[None]
        totals = totals.merge(Totals.of(values, jnp.ones(len(batch), bool)))
    return totals


def summary_of(*scores):
    (summary,) = totals_of(*scores).summaries()
    return summary


def test_no_scores():
    mean, standard_error, count, nan_count = astuple(summary_of([]))
    assert np.isnan(mean)
    assert np.isnan(standard_error)
    assert (count, nan_count) == (0, 0)


def test_one_score_has_no_standard_error():
    summary = summary_of([0.25])
    assert summary.mean == 0.25
    assert np.isnan(summary.standard_error)
    assert summary.count == 1


def test_mean_and_standard_error_are_those_of_the_scores(rng):
    scores = rng.normal(30, 4, 100).astype(np.float32)
    summary = summary_of(scores[:7], scores[7:8], [], scores[8:])
    assert summary.mean == pytest.approx(np.mean(scores, dtype=float), rel=1e-9)
    expected = np.std(scores, ddof=1, dtype=float) / 10
    assert summary.standard_error == pytest.approx(expected, rel=1e-6)


def test_scores_that_are_not_finite_are_counted_and_left_out():
    summary = summary_of([1, np.nan, 3], [np.inf, -np.inf, 2])
    assert (summary.mean, summary.count, summary.nan_count) == (2.0, 3, 3)
    nothing = summary_of([np.nan])
    assert (nothing.count, nothing.nan_count) == (0, 1)


def test_masked_scores_change_no_bit(rng):
    scores = rng.normal(size=(2, 5)).astype(np.float32)
    mask = jnp.array([True, True, False, True, False])
    found = []
    for fill in (0.0, np.nan, np.inf, 3e38):
        filled = jnp.where(mask[None], scores, np.float32(fill))
        found.append(jax.tree.leaves(Totals.of(filled, mask)))
    for others in found[1:]:
        for expected, got in zip(found[0], others, strict=True):
            np.testing.assert_array_equal(got, expected)


def test_equal_scores_are_their_mean_without_error():
    scores = np.full(1001, 0.1, np.float32)
    summary = summary_of(*[scores] * 50)
    assert summary.mean == scores[0]
    assert summary.standard_error == 0


def test_merging_with_the_empty_changes_nothing(rng):
    totals = totals_of(rng.normal(size=9), rng.normal(size=4))
    for merged in (totals.merge(Totals.empty(1)), Totals.empty(1).merge(totals)):
        for expected, got in zip(jax.tree.leaves(totals), jax.tree.leaves(merged), strict=True):
            np.testing.assert_array_equal(got, expected)


def test_metrics_have_totals_of_their_own():
    scores = jnp.array([[1.0, 2.0], [np.nan, 7.0]], jnp.float32)
    first, second = Totals.of(scores, jnp.ones(2, bool)).summaries()
    assert (first.mean, first.count, first.nan_count) == (1.5, 2, 0)
    assert (second.mean, second.count, second.nan_count) == (7.0, 1, 1)


COUNT = 10_000_000


@pytest.mark.parametrize("batch", [64, 1000])
@pytest.mark.parametrize("kind", ["distances", "decibels", "rising", "nearly equal"])
def test_ten_million_scores(kind, batch, rng):
    """In plain float32 the mean of rising scores is off by 5e-4, standard errors by 1e-4."""
    scores = {
        "distances": lambda: rng.beta(2, 5, COUNT),
        "decibels": lambda: rng.normal(30, 5, COUNT),
        "rising": lambda: np.linspace(0, 100, COUNT),
        "nearly equal": lambda: 50 + rng.normal(0, 1e-3, COUNT),
    }[kind]()
    scores = scores[: COUNT // batch * batch].astype(np.float32)

    def add(totals, values):
        return totals.merge(Totals.of(values[None], jnp.ones(batch, bool))), None

    totals, _ = jax.jit(lambda batches: jax.lax.scan(add, Totals.empty(1), batches))(
        scores.reshape(-1, batch)
    )
    (summary,) = totals.summaries()
    expected = scores.astype(np.float64)
    assert summary.count == len(scores)
    error = abs(summary.mean - expected.mean()) / np.abs(expected).max()
    standard_error = expected.std(ddof=1) / np.sqrt(len(scores))
    assert error < 1e-8
    assert summary.standard_error == pytest.approx(standard_error, rel=1e-7)


def test_parts_are_joined_as_well_as_batches(rng):
    scores = rng.normal(50, 1e-2, (8, 1000)).astype(np.float32)
    totals = [totals_of(part) for part in scores]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *totals)
    joined = jax.vmap(lambda part: part.psum("parts"), axis_name="parts")(stacked)
    (summary,) = jax.tree.map(lambda leaf: leaf[3], joined).summaries()
    expected = scores.astype(np.float64)
    assert summary.mean == pytest.approx(expected.mean(), rel=1e-10)
    standard_error = expected.std(ddof=1) / np.sqrt(expected.size)
    assert summary.standard_error == pytest.approx(standard_error, rel=1e-5)
