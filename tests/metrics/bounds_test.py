import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.metrics.bounds import highest_distance
from iqa_jax.metrics.readout_metric import read_out
from iqa_jax.readouts import READOUTS
from iqa_jax.zoo import Relevance, load_backbone

W = jnp.asarray([0.5, 2.0, 1.0])


@pytest.mark.parametrize(
    ("readout", "weights", "expected"),
    [
        ("unit", [None], 4),
        ("unit", [None, None], 8),
        ("unit", [W, 3 * W], 32),
        ("unit_root", [W, 3 * W], math.sqrt(32)),
        ("cosine", [W], 2),
        ("structure_texture", [None, None], 2),
        ("l2", [None], math.inf),
        ("gram", [None], math.inf),
        ("wasserstein", [None], math.inf),
        ("distance_correlation", [None], 1.0),
    ],
)
def test_bounds(readout, weights, expected):
    assert readout in READOUTS
    assert highest_distance(readout, weights) == expected


def test_traced_weights_have_no_bound():
    found = []
    jax.jit(lambda w: found.append(highest_distance("unit", [w])))(W)
    assert found == [math.inf]


def signed(images):
    """Activations of both signs: black is opposite to white."""
    return {"one": jnp.pad(2 * images[..., :1] - 1, ((0, 0),) * 3 + ((1, 1),)), "two": images - 0.5}


BLACK, WHITE = np.zeros((1, 8, 8, 3)), np.ones((1, 8, 8, 3))
BOARD = np.indices((8, 8)).sum(0)[None, ..., None] % 2 * np.ones(3)


@pytest.mark.parametrize("readout", ["unit", "unit_root", "cosine"])
def test_bounds_are_attained(readout):
    metric = read_out(load_backbone(signed), readout=readout)
    found = float(metric(BLACK, WHITE)[0])
    assert found == pytest.approx(metric.score_range[1], rel=1e-6)


def test_that_of_a_relevance_is_attained():
    backbone = load_backbone(signed)
    relevance = Relevance({"one": W}, "drawn", backbone.name, "")
    metric = read_out(backbone, "one", relevance=relevance)
    assert metric.score_range == (0, 8)
    assert float(metric(BLACK, WHITE)[0]) == pytest.approx(8)


def test_the_terms_of_structure_and_texture_come_near_theirs():
    """Each is half of the distance: opposite means, and opposite deviations."""
    backbone = load_backbone(signed)
    metric = read_out(backbone, "two", "structure_texture")
    for pair in ((BLACK, WHITE), (BOARD, 1 - BOARD)):
        assert 0.999 < metric(*pair)[0] < 1.0001
    assert metric.score_range == (0, 2)
