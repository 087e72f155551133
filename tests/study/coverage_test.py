"""Intervals and decisions on drawn datasets; the whole simulation is a benchmark."""

import pytest
from benchmarks import coverage, study_coverage


@pytest.fixture(autouse=True)
def smaller_truth(monkeypatch, request):
    is_slow = request.node.get_closest_marker("slow")
    monkeypatch.setattr(coverage, "CONTENTS_OF_TRUTH", 1500 if is_slow else 300)
    for each in (study_coverage.planted, study_coverage._population_of_truth):
        each.cache_clear()


def test_equal_columns_are_seldom_called_different():
    """A share of 30 draws has a standard error of .04."""
    found = study_coverage.differences(12, 0.0, 30)
    assert found["difference"] >= 0.85
    assert found["spearman"] >= 0.8
    assert found["better"] <= 0.1
    assert found["worse"] <= 0.1
    assert found["beyond"] <= 0.1


@pytest.mark.slow
@pytest.mark.parametrize("references", [25, 81])
@pytest.mark.parametrize("difference", study_coverage.DIFFERENCES)
def test_differences_in_400_draws(references, difference):
    found = study_coverage.differences(references, difference, 400)
    assert 0.92 <= found["difference"] <= 0.975
    assert 0.91 <= found["spearman"] <= 0.975
    assert 0.87 <= found["pearson"] <= 0.975
    if difference == 0:
        assert found["worse"] <= 0.05
        assert found["better"] <= 0.05
    if difference < study_coverage.MARGIN:
        assert found["beyond"] <= 0.05
    else:
        assert found["equivalent"] <= 0.05


@pytest.mark.slow
def test_the_best_of_equal_layers_is_covered_if_another_source_chooses_it():
    assert study_coverage.best_layer(25, 400) >= 0.92


@pytest.mark.parametrize("count", [6, 13])
def test_intervals_by_ranks(count):
    """A share of 100 draws has a standard error of .03."""
    found = study_coverage.ranks(count, 1.0, 100)
    assert found["slope"] >= 0.84
    assert found["tau"] >= 0.84
