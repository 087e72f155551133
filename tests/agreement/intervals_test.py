import numpy as np
import pytest
from scipy import stats

from iqa_jax.agreement.correlation import agreement
from iqa_jax.agreement.intervals import (
    BOOTSTRAP,
    JACKKNIFE,
    NONE,
    Method,
    caution,
    choose,
    correlation_intervals,
)
from iqa_jax.errors import InputError

REFERENCES, VERSIONS = 12, 6
CONTENTS = np.repeat([f"r{number}" for number in range(REFERENCES)], VERSIONS).tolist()


@pytest.fixture
def data(rng):
    """Distances in three columns of growing noise, and scores."""
    quality = rng.uniform(0, 9, len(CONTENTS))
    distances = 20 - quality[:, None] + rng.normal(size=(len(CONTENTS), 3)) * [1, 4, 9]
    return distances, quality


def without(reference):
    return np.array(CONTENTS) != f"r{reference}"


def test_jackknife_of_a_correlation_by_hand(data):
    distances, quality = data
    found = correlation_intervals(
        distances, quality, CONTENTS, higher_is_better=True, method=Method(level=0.9)
    )
    t = stats.t.ppf(0.95, REFERENCES - 1)
    for kind, correlation in (("plcc", stats.pearsonr), ("srcc", stats.spearmanr)):
        for column in range(3):
            z = np.arctanh(correlation(-distances[:, column], quality)[0])
            left_out = [
                np.arctanh(correlation(-distances[rows, column], quality[rows])[0])
                for rows in map(without, range(REFERENCES))
            ]
            pseudovalues = REFERENCES * z - (REFERENCES - 1) * np.array(left_out)
            margin = t * pseudovalues.std(ddof=1) / np.sqrt(REFERENCES)
            ends = np.tanh([z - margin, z + margin])
            assert getattr(found, f"{kind}_low")[column] == pytest.approx(ends[0], abs=1e-10)
            assert getattr(found, f"{kind}_high")[column] == pytest.approx(ends[1], abs=1e-10)


def test_jackknife_of_a_mean_is_students_interval(rng):
    values = rng.normal(size=9)
    weightings = Method().weightings([str(number) for number in range(9)])
    means = weightings.sums(values[:, None]) / weightings.pairs[:, None]
    (low,), (high,) = Method().ends(means)
    expected = stats.t.interval(0.95, 8, values.mean(), values.std(ddof=1) / 3)
    assert (low, high) == pytest.approx(expected, abs=1e-12)


def test_a_bootstrap_takes_percentiles_of_the_draws_only():
    values = np.concatenate([[[9.0, 9.0]], np.arange(101.0)[:, None] / 100 * [1, -1]])
    low, high = Method(BOOTSTRAP, level=0.9).ends(values)
    assert low == pytest.approx([0.05, -0.95])
    assert high == pytest.approx([0.95, -0.05])


@pytest.mark.parametrize("name", [JACKKNIFE, BOOTSTRAP])
def test_correlations_lie_within_their_intervals(data, name):
    distances, quality = data
    found = correlation_intervals(
        distances, quality, CONTENTS, higher_is_better=True, method=Method(name, level=0.99)
    )
    for column in range(3):
        whole = agreement(distances[:, column], quality, higher_is_better=True)
        assert found.plcc_low[column] < whole.plcc < found.plcc_high[column]
        assert found.srcc_low[column] < whole.srcc < found.srcc_high[column]


def test_perfect_agreement_is_not_nan(data):
    _, quality = data
    distances = np.stack([-quality, quality, -quality + 1e-9 * np.arange(len(quality))], axis=1)
    found = correlation_intervals(
        distances, quality, CONTENTS, higher_is_better=True, method=Method()
    )
    for low, high in ((found.plcc_low, found.plcc_high), (found.srcc_low, found.srcc_high)):
        assert low == pytest.approx([1, -1, 1], abs=1e-6)
        assert high == pytest.approx([1, -1, 1], abs=1e-6)


def test_undefined_values_have_no_interval(data):
    distances, quality = data
    distances[:, 0] = 7.0
    distances[5, 1] = np.nan
    quality[without(0)] = 5.0  # without the first reference all scores are equal
    options = {"higher_is_better": True}
    jackknife = correlation_intervals(distances, quality, CONTENTS, method=Method(), **options)
    assert np.isnan([jackknife.plcc_low, jackknife.srcc_high]).all()
    draws = correlation_intervals(
        distances, quality, CONTENTS, method=Method(BOOTSTRAP, 50), **options
    )
    assert np.isnan(draws.srcc_low[:2]).all()
    assert np.isfinite(draws.srcc_low[2])


def test_covers_the_truth_about_as_often_as_stated():
    # Correlated within contents: leaving out pairs one by one would cover far less often.
    rng = np.random.default_rng(5)
    contents = np.repeat([str(number) for number in range(40)], 4).tolist()
    truth, trials, covered, naive = 0.8, 100, 0, 0
    options = {"higher_is_better": True, "method": Method(level=0.9)}
    for _ in range(trials):
        quality = np.repeat(rng.normal(size=40), 4) + 0.05 * rng.normal(size=160)
        noise = np.repeat(rng.normal(size=40), 4) + 0.05 * rng.normal(size=160)
        distances = -(truth * quality + np.sqrt(1 - truth**2) * noise)[:, None]
        found = correlation_intervals(distances, quality, contents, **options)
        covered += found.plcc_low[0] < truth < found.plcc_high[0]
        alone = correlation_intervals(distances, quality, list(map(str, range(160))), **options)
        naive += alone.plcc_low[0] < truth < alone.plcc_high[0]
    assert 0.82 < covered / trials < 0.97
    assert naive / trials < 0.7


def test_few_references_and_no_method_give_no_interval(data):
    distances, quality = data
    few = CONTENTS[: 4 * VERSIONS]
    for method, rows in ((Method(), len(few)), (Method(NONE), len(CONTENTS))):
        found = correlation_intervals(
            distances[:rows], quality[:rows], CONTENTS[:rows], higher_is_better=True, method=method
        )
        assert np.isnan([found.plcc_low, found.plcc_high, found.srcc_low, found.srcc_high]).all()


def test_the_requested_method_or_the_default():
    assert choose(None, None, references=3) == choose(None, None, references=25) == Method()
    assert not Method().applies(4)
    assert Method().applies(5)
    assert choose("bootstrap", None, references=5) == Method(BOOTSTRAP, 1000)
    assert choose("bootstrap", 50, references=5) == Method(BOOTSTRAP, 50)
    assert choose("none", None, references=1) == Method(NONE)


@pytest.mark.parametrize(
    ("interval", "resamples", "references", "message"),
    [
        ("jackknife", None, 4, "expected at least 5 references for a jackknife, found 4"),
        ("bootstrap", 100, 4, "expected at least 5 references for a bootstrap, found 4"),
        (None, 100, 25, "got 100 without a bootstrap"),
        ("jackknife", 100, 25, "got 100 without a bootstrap"),
        ("bca", None, 25, "expected one of jackknife, bootstrap, none, got 'bca'"),
    ],
)
def test_impossible_requests(interval, resamples, references, message):
    with pytest.raises(InputError, match=message):
        choose(interval, resamples, references=references)


def test_cautions():
    assert caution(Method(), 30) is None
    assert "Intervals from 29 references are rough" in caution(Method(BOOTSTRAP), 29)
    assert "they need at least 5 references, found 4" in caution(Method(), 4)
    assert caution(Method(NONE), 4) is None


def test_descriptions():
    assert Method().describe(25) == {
        **{"method": "jackknife", "level": 0.95, "references": 25, "groups": 25}
    }
    assert Method().describe(9999)["groups"] == 500
    assert Method(BOOTSTRAP, 50).describe(25)["resamples"] == 50
    assert Method().describe(4) == {"method": "none", "references": 4}
    assert str(Method(level=0.9)) == "90% intervals by the jackknife over references"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": np.full(len(CONTENTS), np.nan)}, "72 of the scores are not finite"),
        ({"scores": np.arange(3)}, r"got \(72, 3\), \(3,\) and \[72\]"),
        ({"distances": np.zeros(72)}, r"expected distances \[pairs, columns\]"),
    ],
)
def test_bad_input(data, change, message):
    arguments = {"distances": data[0], "scores": data[1], "contents": CONTENTS, **change}
    with pytest.raises(InputError, match=message):
        correlation_intervals(**arguments, higher_is_better=True, method=Method())


def test_a_level_is_between_0_and_1():
    with pytest.raises(InputError, match="level: expected a number between 0 and 1, got 95"):
        Method(level=95)
