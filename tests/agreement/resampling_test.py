import numpy as np
import pytest
from scipy import stats

from iqa_jax.agreement.resampling import MOST_LEFT_OUT, drawn, each_left_out, once
from iqa_jax.errors import InputError

CONTENTS = [f"content {number}" for number in (3, 1, 1, 2, 0, 0, 0, 3, 2, 4) for _ in range(4)]
PAIRS = len(CONTENTS)


@pytest.fixture
def data(rng):
    """Distances in three columns, the second with many ties, and scores with ties."""
    quality = rng.integers(0, 12, PAIRS).astype(float)
    noise = rng.normal(size=(PAIRS, 3))
    distances = 20 - quality[:, None] + noise * [1, 4, 9]
    distances[:, 1] = np.round(distances[:, 1] / 4)
    return distances, quality


def repeated(counts):
    """Rows of the pairs of a resample; a content drawn twice occurs twice."""
    names = sorted(set(CONTENTS))
    of_pair = counts[[names.index(content) for content in CONTENTS]]
    return np.repeat(np.arange(PAIRS), of_pair)


@pytest.mark.parametrize("make", [once, each_left_out, lambda names: drawn(names, resamples=80)])
def test_agrees_with_scipy_on_the_weighted_pairs(make, data):
    distances, quality = data
    weightings = make(CONTENTS)
    found = weightings.correlations(distances, quality, higher_is_better=True)
    assert found.plcc.shape == found.srcc.shape == (len(weightings.counts), 3)
    for number, counts in enumerate(weightings.counts):
        rows = repeated(counts)
        for column in range(3):
            x, y = -distances[rows, column], quality[rows]
            assert found.plcc[number, column] == pytest.approx(stats.pearsonr(x, y)[0], abs=1e-12)
            assert found.srcc[number, column] == pytest.approx(stats.spearmanr(x, y)[0], abs=1e-12)


def test_contents_are_left_out_whole_and_one_by_one():
    weightings = each_left_out(CONTENTS)
    assert (weightings.counts == np.concatenate([np.ones((1, 5)), 1 - np.eye(5)])).all()
    assert list(weightings.pairs) == [40, 28, 32, 32, 32, 36]
    assert list(weightings.select(np.arange(12)).pairs) == [12, 12, 4, 12, 8, 12]


def test_very_many_contents_are_left_out_in_groups():
    names = [f"r{number}" for number in range(3 * MOST_LEFT_OUT)] * 2
    weightings = each_left_out(names)
    assert weightings.counts.shape == (1 + MOST_LEFT_OUT, MOST_LEFT_OUT)
    assert (weightings.pairs[1:] == len(names) - 6).all()
    assert (weightings.content[: len(names) // 2] == weightings.content[len(names) // 2 :]).all()


def test_contents_are_drawn_whole():
    weightings = drawn(CONTENTS, resamples=500, seed=0)
    assert weightings.counts.shape == (501, 5)
    assert (weightings.counts[0] == 1).all()
    assert (weightings.counts.sum(axis=1) == 5).all()
    assert weightings.counts.mean(axis=0) == pytest.approx(np.ones(5), abs=0.15)
    sizes = np.array([12, 8, 8, 8, 4])
    assert (weightings.pairs == weightings.counts @ sizes).all()


def test_direction_of_the_scores(data):
    distances, quality = data
    weightings = drawn(CONTENTS, resamples=20)
    as_mos = weightings.correlations(distances, quality, higher_is_better=True)
    as_dmos = weightings.correlations(distances, 9 - quality, higher_is_better=False)
    assert as_mos.srcc[:, 0].mean() > 0.8
    assert as_dmos.srcc == pytest.approx(as_mos.srcc)
    assert as_dmos.plcc == pytest.approx(as_mos.plcc)


def test_depends_only_on_the_seed(data, monkeypatch):
    distances, quality = data

    def correlations(rows=slice(None), seed=0):
        contents = np.array(CONTENTS)[rows].tolist()
        weightings = drawn(contents, resamples=70, seed=seed)
        return weightings.correlations(distances[rows], quality[rows], higher_is_better=True)

    found = correlations()
    assert (correlations(seed=1).plcc != found.plcc).any()
    alone = drawn(CONTENTS, resamples=70).correlations(
        distances[:, 2:], quality, higher_is_better=True
    )
    assert (alone.srcc == found.srcc[:, 2:]).all()
    monkeypatch.setattr("iqa_jax.agreement.resampling._AT_ONCE", 7)
    again = correlations()
    assert (again.srcc == found.srcc).all()
    assert (again.plcc == found.plcc).all()
    shuffled = np.random.default_rng(1).permutation(PAIRS)
    assert (correlations(shuffled).srcc == found.srcc).all()


def test_undefined_values_are_nan(data):
    distances, quality = data
    distances[:, 0] = 7.0
    distances[5, 1] = np.nan
    found = each_left_out(CONTENTS).correlations(distances, quality, higher_is_better=True)
    assert np.isnan(found.plcc[:, :2]).all()
    assert np.isnan(found.srcc[:, :2]).all()
    assert np.isfinite(found.srcc[:, 2]).all()


def test_weightings_without_two_different_values_have_no_correlation():
    contents = np.repeat(["a", "b", "c"], 3)
    quality = np.array([1.0, 2, 3, 2, 2, 2, 4, 5, 6])
    distances = np.array([[9.1, 8.3, 7.2, 6, 5, 4, 1.1, 2.2, 0.3]]).T
    weightings = drawn(contents, resamples=300)
    found = weightings.correlations(distances, quality, higher_is_better=True)
    only_b = weightings.counts[:, 1] == 3
    assert only_b.any()
    assert (np.isnan(found.srcc[:, 0]) == only_b).all()
    assert (np.isnan(found.plcc[:, 0]) == only_b).all()


@pytest.mark.parametrize("contents", [["a"] * 3, []])
def test_one_content_cannot_be_left_out(contents):
    for make in (each_left_out, drawn):
        with pytest.raises(InputError, match=f"needs at least two, found {len(set(contents))}"):
            make(contents)


def test_a_bootstrap_has_resamples():
    with pytest.raises(InputError, match="expected a positive number, got 0"):
        drawn(CONTENTS, resamples=0)
