"""DeepDC's distance of activations, against its definition."""

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest

from iqa_jax.readouts.distance_correlation import centred_distances, decorrelation


def distance(reference, distorted):
    return decorrelation(centred_distances(reference), centred_distances(distorted))


@pytest.fixture
def pair(rng):
    return [jnp.asarray(rng.gamma(0.5, 2, (9, 13, 6)), jnp.float32) for _ in "rd"]


def test_by_definition(pair):
    found = distance(*pair)
    assert found.shape == (1,)
    assert 0 < found[0] < 1
    np.testing.assert_allclose(found, [oracle.decorrelation(*pair)], rtol=1e-4)


def test_a_small_distance_keeps_its_digits(rng, pair):
    reference = pair[0]
    distorted = reference + jnp.asarray(rng.normal(0, 1e-2, reference.shape), jnp.float32)
    expected = oracle.decorrelation(reference, distorted)
    assert 0 < expected < 1e-6
    np.testing.assert_allclose(distance(reference, distorted), [expected], rtol=1e-3)


def test_symmetry_and_identity(pair):
    reference, distorted = pair
    np.testing.assert_allclose(
        distance(reference, distorted), distance(distorted, reference), rtol=1e-5
    )
    for each in (reference, jnp.zeros_like(reference)):
        assert (distance(each, each) == 0).all()
        gradient = jax.grad(lambda x, each=each: distance(each, x)[0])(each)
        assert np.isfinite(gradient).all()


def test_a_single_channel_has_no_distances(pair):
    assert np.isnan(distance(*(x[..., :1] for x in pair))).all()
