import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.metrics.local_similarity import dissimilarity, plane_variance


@pytest.mark.parametrize("masking", [0.0, 0.5])
def test_dissimilarity_is_one_minus_the_published_form(rng, masking):
    a, b = rng.uniform(0, 50, (2, 100))
    products = masking * a * b
    similarity = (2 * a * b - products + 30) / (a**2 + b**2 - products + 30)
    found = dissimilarity(*map(jnp.float32, (a, b)), 30, masking=masking)
    np.testing.assert_allclose(found, 1 - similarity, rtol=1e-5)


def test_variance(rng):
    planes = rng.random((2, 5, 7)).astype(np.float32)
    for lost in (0, 1):
        expected = planes.reshape(2, -1).var(axis=1, ddof=lost)
        np.testing.assert_allclose(plane_variance(jnp.asarray(planes), lost=lost), expected, 1e-5)
