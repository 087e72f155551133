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
@pytest.mark.parametrize(("references", "draws"), [(25, 200), (81, 50)])
@pytest.mark.parametrize("difference", study_coverage.DIFFERENCES)
def test_planted_differences(references, draws, difference):
    """A share of .95 has a standard error of .015 in 200 draws, and of .03 in 50."""
    found = study_coverage.differences(references, difference, draws)
    error = (0.95 * 0.05 / draws) ** 0.5
    assert found["difference"] >= 0.94 - 2 * error
    assert found["spearman"] >= 0.93 - 2 * error
    assert found["pearson"] >= 0.87 - 2 * error
    if difference == 0:
        assert found["worse"] <= 0.025 + 2 * error
        assert found["better"] <= 0.025 + 2 * error
    if difference < study_coverage.MARGIN:
        assert found["beyond"] <= 0.05
    else:
        assert found["equivalent"] <= 0.05


@pytest.mark.slow
def test_the_best_of_equal_layers_is_covered_if_another_source_chooses_it():
    """A share of .95 in 100 draws has a standard error of .02."""
    assert study_coverage.best_layer(25, 100) >= 0.9


@pytest.mark.parametrize("count", [6, 13])
def test_intervals_by_ranks(count):
    """A share of 100 draws has a standard error of .03."""
    found = study_coverage.ranks(count, 1.0, 100)
    assert found["slope"] >= 0.84
    assert found["tau"] >= 0.84
