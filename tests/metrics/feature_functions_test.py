import inspect

import numpy as np
import pytest

import iqa_jax
from iqa_jax.errors import InputError
from iqa_jax.metrics import feature_functions, fsim, vsi


def test_are_public():
    functions = inspect.getmembers(feature_functions, inspect.isfunction)
    names = {
        name for name, function in functions if function.__module__.endswith("feature_functions")
    }
    assert names == {"fsim", "fsimc", "gmsd", "haarpsi", "mdsi", "ms_gmsd", "vsi"}
    assert names <= set(iqa_jax.__all__)


def test_refuse_what_is_no_pair():
    row = np.zeros((1, 1, 8, 3))
    with pytest.raises(InputError, match="at least 2x2 pixels, got 8x1"):
        fsim(row, row)
    with pytest.raises(InputError):
        vsi(row, row[..., :2])
