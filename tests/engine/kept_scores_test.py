import numpy as np

from iqa_jax.engine.kept_scores import KeptScores
from iqa_jax.engine.plan import WorkUnit

UNITS = [WorkUnit(0, (8, 8), (0, 2)), WorkUnit(1, (8, 8), (1,))]


def test_a_unit_is_missing_until_all_its_rows_are_there():
    kept = KeptScores(["a", "b"], 3)
    assert kept.missing(UNITS) == UNITS
    kept.add([0], {"b": np.float32([5]), "a": np.float32([4])})
    assert kept.missing(UNITS) == UNITS
    kept.add([2], {"b": np.float32([7]), "a": np.float32([6])})
    assert kept.missing(UNITS) == UNITS[1:]
    found = kept.collect()
    np.testing.assert_array_equal(found["a"], np.float32([4, np.nan, 6]))
    np.testing.assert_array_equal(found["b"], np.float32([5, np.nan, 7]))
    assert found["a"].dtype == np.float32
