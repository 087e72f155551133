"""Summaries of streams whose scores different programs have computed."""

import pytest


def close(found, expected):
    """Asserts that summaries differ by no more than the scores' rounding in float32."""
    assert list(found) == list(expected)
    for name, summary in expected.items():
        assert found[name].mean == pytest.approx(summary.mean, rel=1e-5), name
        # Deviations have the rounding of the scores: 1e-6 is a few units in the last place.
        rounding = 1e-6 * abs(summary.mean)
        assert found[name].standard_error == pytest.approx(
            summary.standard_error, rel=1e-5, abs=rounding
        ), name
        assert found[name].count == summary.count
        assert found[name].nan_count == summary.nan_count
