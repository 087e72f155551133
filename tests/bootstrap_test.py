import numpy as np
import pytest
from scipy import stats

from iqa_jax.agreement import agreement
from iqa_jax.bootstrap import Bootstrap, bootstrap, resample
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
    """Rows of the pairs of a resample, a content that was drawn twice standing there twice."""
    names = sorted(set(CONTENTS))
    of_pair = counts[[names.index(content) for content in CONTENTS]]
    return np.repeat(np.arange(PAIRS), of_pair)


def test_is_that_of_scipy_on_the_resampled_pairs(data):
    distances, quality = data
    found = bootstrap(distances, quality, CONTENTS, higher_is_better=True, resamples=80, seed=3)
    draws = resample(CONTENTS, resamples=80, seed=3)
    assert found.plcc.shape == found.srcc.shape == (80, 3)
    for number, counts in enumerate(draws.counts):
        rows = repeated(counts)
        for column in range(3):
            x, y = -distances[rows, column], quality[rows]
            assert found.plcc[number, column] == pytest.approx(stats.pearsonr(x, y)[0], abs=1e-12)
            assert found.srcc[number, column] == pytest.approx(stats.spearmanr(x, y)[0], abs=1e-12)


def test_contents_are_drawn_whole():
    draws = resample(CONTENTS, resamples=500, seed=0)
    assert draws.counts.shape == (500, 5)
    assert (draws.counts.sum(axis=1) == 5).all()
    assert draws.counts.mean(axis=0) == pytest.approx(np.ones(5), abs=0.15)
    sizes = np.array([12, 8, 8, 8, 4])
    assert (draws.pairs == draws.counts @ sizes).all()


def test_direction_of_the_scores(data):
    distances, quality = data
    as_mos = bootstrap(distances, quality, CONTENTS, higher_is_better=True, resamples=20)
    as_dmos = bootstrap(distances, 9 - quality, CONTENTS, higher_is_better=False, resamples=20)
    assert as_mos.srcc[:, 0].mean() > 0.8
    assert as_dmos.srcc == pytest.approx(as_mos.srcc)
    assert as_dmos.plcc == pytest.approx(as_mos.plcc)


def test_depends_on_the_seed_alone(data, monkeypatch):
    distances, quality = data
    options = {"higher_is_better": True, "resamples": 70}
    found = bootstrap(distances, quality, CONTENTS, **options)
    assert (bootstrap(distances, quality, CONTENTS, **options, seed=1).plcc != found.plcc).any()
    alone = bootstrap(distances[:, 2:], quality, CONTENTS, **options)
    assert (alone.srcc == found.srcc[:, 2:]).all()
    monkeypatch.setattr("iqa_jax.bootstrap._AT_ONCE", 7)
    again = bootstrap(distances, quality, CONTENTS, **options)
    assert (again.srcc == found.srcc).all()
    assert (again.plcc == found.plcc).all()
    shuffled = np.random.default_rng(1).permutation(PAIRS)
    moved = bootstrap(
        distances[shuffled], quality[shuffled], [CONTENTS[row] for row in shuffled], **options
    )
    assert (moved.srcc == found.srcc).all()


def test_intervals_are_percentiles():
    values = np.arange(101.0)[:, None] / 100 * [1, -1]
    found = Bootstrap(values, values / 2).interval(0.9)
    assert found.plcc_low == pytest.approx([0.05, -0.95])
    assert found.plcc_high == pytest.approx([0.95, -0.05])
    assert found.srcc_low == pytest.approx([0.025, -0.475])
    assert found.srcc_high == pytest.approx([0.475, -0.025])


def test_differences_are_paired(data):
    distances, quality = data
    found = bootstrap(distances, quality, CONTENTS, higher_is_better=True, resamples=400)
    difference = found.difference([0, 0], [1, 2])
    assert (difference.plcc[:, 1] == found.plcc[:, 0] - found.plcc[:, 2]).all()
    assert (difference.srcc[:, 0] == found.srcc[:, 0] - found.srcc[:, 1]).all()
    assert difference.interval().srcc_low[1] > 0
    assert (found.difference(1, 1).plcc == 0).all()


def test_covers_the_truth_about_as_often_as_it_says():
    # Correlated within contents: drawing pairs one by one would cover far less often.
    rng = np.random.default_rng(5)
    contents = np.repeat([str(number) for number in range(40)], 8)
    truth, trials, covered, naive = 0.8, 150, 0, 0
    for trial in range(trials):
        quality = np.repeat(rng.normal(size=40), 8) + 0.05 * rng.normal(size=320)
        noise = np.repeat(rng.normal(size=40), 8) + 0.05 * rng.normal(size=320)
        distances = -(truth * quality + np.sqrt(1 - truth**2) * noise)[:, None]
        options = {"higher_is_better": True, "resamples": 200, "seed": trial}
        found = bootstrap(distances, quality, contents, **options).interval(0.9)
        covered += found.plcc_low[0] < truth < found.plcc_high[0]
        alone = bootstrap(distances, quality, list(map(str, range(320))), **options).interval(0.9)
        naive += alone.plcc_low[0] < truth < alone.plcc_high[0]
    assert 0.8 < covered / trials < 0.97
    assert naive / trials < 0.6


def test_the_resamples_lie_around_the_correlation_of_all(data):
    distances, quality = data
    interval = bootstrap(distances, quality, CONTENTS, higher_is_better=True).interval(0.99)
    for column in range(3):
        whole = agreement(distances[:, column], quality, higher_is_better=True)
        assert interval.plcc_low[column] < whole.plcc < interval.plcc_high[column]
        assert interval.srcc_low[column] < whole.srcc < interval.srcc_high[column]


def test_what_is_not_defined_is_nan_and_counted(data):
    distances, quality = data
    distances[:, 0] = 7.0
    distances[5, 1] = np.nan
    found = bootstrap(distances, quality, CONTENTS, higher_is_better=True, resamples=30)
    assert np.isnan(found.plcc[:, :2]).all()
    assert np.isnan(found.srcc[:, :2]).all()
    assert list(found.undefined) == [30, 30, 0]
    interval = found.interval()
    assert np.isnan(interval.plcc_low[:2]).all()
    assert np.isfinite(interval.plcc_low[2])


def test_resamples_without_two_different_values_are_left_out():
    contents = np.repeat(["a", "b", "c"], 3)
    quality = np.array([1.0, 2, 3, 2, 2, 2, 4, 5, 6])
    distances = np.array([[9.1, 8.3, 7.2, 6, 5, 4, 1.1, 2.2, 0.3]]).T
    found = bootstrap(distances, quality, contents, higher_is_better=True, resamples=300)
    only_b = (resample(contents, resamples=300).counts[:, 1] == 3).sum()
    assert only_b > 0
    assert found.undefined[0] == only_b
    assert np.isnan(found.plcc).sum() == only_b
    assert np.isfinite(found.interval().plcc_low[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"contents": ["a"] * PAIRS}, "at least two references, found 1"),
        ({"scores": np.full(PAIRS, 4.5)}, "all 40 scores are 4.5"),
        ({"scores": np.full(PAIRS, np.nan)}, "40 of the scores are not finite"),
        ({"scores": np.arange(3)}, r"got \(40, 3\), \(3,\) and \[40\]"),
        ({"distances": np.zeros(PAIRS)}, r"expected distances \[pairs, columns\]"),
        ({"resamples": 0}, "expected a positive number, got 0"),
        ({"distances": np.zeros((0, 1)), "scores": [], "contents": []}, "found 0"),
    ],
)
def test_bad_input(data, change, message):
    arguments = {"distances": data[0], "scores": data[1], "contents": CONTENTS, **change}
    with pytest.raises(InputError, match=message):
        bootstrap(**arguments, higher_is_better=True)


def test_a_level_is_between_0_and_1(data):
    found = bootstrap(*data, CONTENTS, higher_is_better=True, resamples=5)
    with pytest.raises(InputError, match="level: expected a number between 0 and 1, got 95"):
        found.interval(95)
