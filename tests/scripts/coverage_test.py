"""A quick version of the simulation of coverage; the full one is a benchmark."""

import pytest
from benchmarks import coverage

from iqa_jax.agreement.intervals import BOOTSTRAP, Method


@pytest.fixture(autouse=True)
def small_populations(monkeypatch):
    monkeypatch.setattr(coverage, "CONTENTS_OF_TRUTH", 400)


def test_the_jackknife_covers_where_the_bootstrap_does_not():
    """Five references. A share of 100 draws has a standard error of .02 to .05."""
    methods = [Method(BOOTSTRAP, resamples=100), Method()]
    bootstrap, jackknife = coverage.coverage(5, methods, draws=100)
    assert bootstrap["Pearson"] < 0.8
    assert bootstrap["Spearman"] < 0.82
    assert jackknife["Pearson"] > 0.8
    assert jackknife["Spearman"] > 0.88
    for name in ("2AFC", *(f"{kind}, difference" for kind in ("Pearson", "Spearman", "2AFC"))):
        assert jackknife[name] > 0.88, name
        assert jackknife[name] > bootstrap[name], name


def test_the_best_of_equal_layers_is_covered_where_other_data_choose_it():
    found = coverage.layer_coverage(12, draws=40)
    assert found["on the pairs that score it"] < 0.82
    assert found["by half of the references"] > 0.85
    assert found["on another dataset"] > 0.85
