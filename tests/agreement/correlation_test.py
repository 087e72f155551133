import warnings

import numpy as np
import pytest
from scipy import optimize, special, stats

from iqa_jax.agreement.correlation import agreement, fit_logistic

N = 400


@pytest.fixture
def data(rng):
    """Distances of a mediocre metric, and mean opinion scores (higher is better)."""
    quality = rng.uniform(0, 9, N)
    distances = np.exp(-quality / 3) + 0.1 * rng.normal(size=N)
    return distances, quality


def test_agrees_with_scipy(data):
    distances, quality = data
    found = agreement(distances, quality, higher_is_better=True)
    assert found.pairs == N
    assert found.plcc == pytest.approx(stats.pearsonr(-distances, quality)[0], abs=1e-12)
    assert found.srcc == pytest.approx(stats.spearmanr(-distances, quality)[0], abs=1e-12)
    assert found.krcc == pytest.approx(stats.kendalltau(-distances, quality)[0], abs=1e-12)


def test_logistic_fit_is_the_best_of_many(data):
    distances, quality = data

    def curve(x, b, a, m, t):
        return b + a / (1 + np.exp((x - m) / t))

    x = (distances - distances.mean()) / distances.std()
    best = np.inf
    for m in (-2, -1, 0, 1):
        for t in (0.2, 0.5, 1, 2):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    p, _ = optimize.curve_fit(curve, x, quality, [0, 9, m, t], maxfev=10_000)
                except RuntimeError:
                    continue
            if p[1] > 0 and p[3] > 0:
                best = min(best, np.sqrt(np.mean((quality - curve(x, *p)) ** 2)))
    found = fit_logistic(distances, quality)
    assert found.converged
    assert found.rmse == pytest.approx(best, rel=1e-6)
    assert found.plcc > stats.pearsonr(-distances, quality)[0]


def test_direction_of_the_scores(data):
    distances, quality = data
    as_mos = agreement(distances, quality, higher_is_better=True)
    as_dmos = agreement(distances, 9 - quality, higher_is_better=False)
    assert as_dmos.plcc == pytest.approx(as_mos.plcc)
    assert as_dmos.srcc == pytest.approx(as_mos.srcc)
    assert as_dmos.logistic.plcc == pytest.approx(as_mos.logistic.plcc)
    assert as_dmos.logistic.rmse == pytest.approx(as_mos.logistic.rmse)


def test_an_inverted_metric_stays_inverted(data):
    distances, quality = data
    found = agreement(-distances, quality, higher_is_better=True)
    straight = agreement(distances, quality, higher_is_better=True)
    for kind in ("plcc", "srcc", "krcc"):
        assert getattr(found, kind) == pytest.approx(-getattr(straight, kind))
        assert getattr(found, kind) < 0
    assert not found.logistic.plcc > 0.3  # the curve cannot be inverted
    assert found.logistic.rmse > 0.95 * quality.std()


def test_perfect_agreement():
    quality = np.linspace(0, 1, 50)
    found = agreement(1 - quality, quality, higher_is_better=True)
    assert (found.plcc, found.srcc, found.krcc) == (pytest.approx(1),) * 3
    assert found.logistic.plcc > 1 - 1e-6
    assert found.logistic.rmse < 1e-3


@pytest.mark.parametrize(
    "curve",
    {
        "step": lambda x: 1.0 * (x < 0.3),
        "line": lambda x: -x,
        "exponential": lambda x: np.exp(-2 * x),
        "saturation": lambda x: 1 - np.exp(2 * x),
        "logistic": lambda x: 1 / (1 + np.exp(8 * (x - 0.7))),
        "steep": lambda x: 1 / (1 + np.exp(80 * (x - 0.9))),
    }.values(),
    ids=["step", "line", "exponential", "saturation", "logistic", "steep"],
)
def test_falling_curves_are_straightened(curve):
    x = np.linspace(-1, 1.5, 300)
    found = fit_logistic(x, curve(x))
    assert found.plcc > 1 - 1e-4
    assert found.converged


def best_of_a_grid(distances, quality):
    """The largest correlation of a logistic, over all locations and scales that matter."""
    spread = np.subtract(*np.quantile(distances, [0.75, 0.25]))
    locations = np.quantile(distances, np.linspace(0, 1, 30))
    scales = np.geomspace(0.01 * spread, 10 * distances.std(), 30)
    curves = special.expit((locations[:, None, None] - distances) / scales[:, None])
    curves = curves - curves.mean(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        found = curves @ (quality - quality.mean()) / np.linalg.norm(curves, axis=-1)
    return np.nanmax(found) / np.linalg.norm(quality - quality.mean())


@pytest.mark.parametrize(
    "tail",
    {
        "one outlier": lambda d, _: np.r_[d[:-1], 1e3 * d.max()],
        "one far outlier": lambda d, _: np.r_[d[:-1], 1e6 * d.max()],
        "several": lambda d, _: np.r_[d[:-4], d.max() * np.array([1e2, 1e3, 1e4, 1e5])],
        "lognormal": lambda _, q: np.exp(-1.5 * q),
        "Cauchy": lambda d, _: d + 0.01 * np.tan(np.pi * (np.arange(len(d)) % 97 / 97 - 0.49)),
    }.values(),
    ids=["outlier", "far", "several", "lognormal", "cauchy"],
)
def test_heavy_tails_do_not_hide_the_curve(tail, rng):
    quality = rng.uniform(0, 9, 300)
    bulk = special.expit(4.5 - quality) + 0.03 * rng.normal(size=300)
    distances = tail(bulk, quality)
    found = fit_logistic(distances, quality)
    assert found.converged
    assert found.plcc > best_of_a_grid(distances, quality) - 1e-3
    inverted = fit_logistic(-distances, quality)
    assert not inverted.plcc > 0.3  # the curve cannot be inverted


def test_a_step_beside_an_outlier_is_found():
    x = np.r_[np.linspace(0, 1, 299), 1e3]
    assert fit_logistic(x, 1.0 * (x < 0.3)).plcc > 1 - 1e-4


def test_mostly_equal_distances():
    distances = np.r_[np.zeros(260), np.linspace(0.1, 5, 40)]
    assert fit_logistic(distances, -distances).plcc > 1 - 1e-3


def test_fit_does_not_depend_on_units(data):
    distances, quality = data
    first = fit_logistic(distances, quality)
    second = fit_logistic(1e-6 * distances + 5, 100 * quality - 7)
    assert second.plcc == pytest.approx(first.plcc, abs=1e-8)
    assert second.rmse == pytest.approx(100 * first.rmse, rel=1e-6)


def test_fit_is_deterministic(data):
    assert fit_logistic(*data) == fit_logistic(*data)


def test_ties_in_spearman_and_kendall():
    distances = np.array([0.0, 0.0, 1.0, 1.0, 2.0, 5.0])
    scores = np.array([5.0, 5.0, 4.0, 3.0, 3.0, 1.0])
    found = agreement(distances, scores, higher_is_better=True)
    assert found.srcc == pytest.approx(stats.spearmanr(-distances, scores)[0])
    assert found.krcc == pytest.approx(stats.kendalltau(-distances, scores)[0])


@pytest.mark.parametrize(
    ("distances", "scores"),
    [
        ([1, 1, 1, 1, 1, 1], [1, 2, 3, 4, 5, 6]),
        ([1, 2, 3, 4, 5, 6], [3, 3, 3, 3, 3, 3]),
        ([1, 2, np.nan, 4, 5, 6], [1, 2, 3, 4, 5, 6]),
        ([1, 2, np.inf, 4, 5, 6], [1, 2, 3, 4, 5, 6]),
        ([1], [1]),
    ],
)
def test_undefined_is_nan_and_no_warning(distances, scores):
    found = agreement(np.array(distances), np.array(scores), higher_is_better=True)
    assert found.pairs == len(scores)
    values = (found.plcc, found.srcc, found.krcc, found.logistic.plcc, found.logistic.rmse)
    assert np.isnan(values).all()
    assert not found.logistic.converged


def test_no_fit_with_as_many_pairs_as_parameters():
    found = agreement(np.arange(4.0), -np.arange(4.0), higher_is_better=True)
    assert found.srcc == pytest.approx(1)
    assert np.isnan(found.logistic.plcc)
    assert not found.logistic.converged


def test_two_pairs_correlate():
    found = agreement(np.array([0, 1]), np.array([5, 1]), higher_is_better=True)
    assert found.plcc == pytest.approx(1)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="3 distances do not fit 2 scores"):
        agreement(np.zeros(3), np.zeros(2), higher_is_better=True)


def test_computes_in_float64():
    distances = (1e4 + np.arange(100) * 1e-3).astype(np.float32)
    scores = -distances.astype(np.float64)
    assert agreement(distances, scores, higher_is_better=True).plcc == pytest.approx(1, abs=1e-12)
