"""Interpolation of position embeddings as PyTorch and SciPy do it."""

import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage

from iqa_jax.backbones import positions

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "positions.json").read_text())
"""Weights of PyTorch's interpolations; see ``tests/golden/make_transformers.py``."""

RULES = ("linear", "cubic", "cubic_with_offset", "cubic_antialiased")


@pytest.mark.parametrize("rule", RULES[1:])
@pytest.mark.parametrize("lengths", GOLDEN)
def test_cubic_weights_are_those_of_pytorch(rule, lengths):
    old, new = map(int, lengths.split(" to "))
    found = getattr(positions, rule)(old, new)
    np.testing.assert_allclose(found, GOLDEN[lengths][rule], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("old", "new"), [(14, 1), (14, 5), (14, 15), (16, 24), (8, 64)])
def test_linear_weights_are_those_of_scipy(old, new, rng):
    grid = rng.normal(size=(old, old, 2))
    expected = scipy.ndimage.zoom(grid, (new / old, new / old, 1), order=1)
    rows = positions.linear(old, new)
    found = np.einsum("yi,xj,ijc->yxc", rows, rows, grid)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("new", [1, 3, 14, 86])
def test_constant_embeddings_stay_constant(rule, new):
    found = getattr(positions, rule)(14, new)
    assert found.shape == (new, 14)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_rows_and_columns_have_their_own_lengths(rule, rng):
    weigh = getattr(positions, rule)
    grid = rng.normal(size=(4, 4, 3)).astype(np.float32)
    found = positions.resample(jnp.asarray(grid), 2, 7, weigh)
    expected = np.einsum("yi,xj,ijc->yxc", weigh(4, 2), weigh(4, 7), grid)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_stored_grid_is_returned_as_it_is(rng):
    grid = jnp.asarray(rng.normal(size=(4, 4, 3)), jnp.float32)
    assert positions.resample(grid, 4, 4, positions.cubic_with_offset) is grid
