import jax
import jax.numpy as jnp
import numpy as np
import pytest

from iqa_jax.readouts.statistics import STATISTICS, gram_error, squared_error, unit_squared_error

DISTANCES = [name for name, statistic in STATISTICS.items() if not statistic.is_moment]


@pytest.fixture
def pair(rng):
    return [jnp.asarray(rng.normal(size=(9, 13, 6)), jnp.float32) for _ in range(2)]


def test_squared_error_by_definition(pair):
    r, d = (np.asarray(x, np.float64) for x in pair)
    np.testing.assert_allclose(squared_error(*pair), np.mean((r - d) ** 2, (0, 1)), rtol=1e-6)


def test_unit_squared_error_by_definition(pair):
    r, d = (np.asarray(x, np.float64) for x in pair)
    r, d = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (r, d))
    np.testing.assert_allclose(unit_squared_error(*pair), np.mean((r - d) ** 2, (0, 1)), rtol=1e-5)


def moments(reference, distorted):
    r, d = (np.asarray(x, np.float64) for x in (reference, distorted))
    return {
        "mean_reference": r.mean((0, 1)),
        "mean_distorted": d.mean((0, 1)),
        "variance_reference": r.var((0, 1)),
        "variance_distorted": d.var((0, 1)),
        "difference_mean": (r - d).mean((0, 1)),
        "difference_variance": (r - d).var((0, 1)),
        "variance_change": r.var((0, 1)) - d.var((0, 1)),
    }


def test_moments_by_definition(pair):
    for name, expected in moments(*pair).items():
        found = STATISTICS[name](*pair)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7, err_msg=name)


def test_covariance_follows_from_the_variance_of_the_difference(pair):
    r, d = (np.asarray(x, np.float64) for x in pair)
    expected = ((r - r.mean((0, 1))) * (d - d.mean((0, 1)))).mean((0, 1))
    r_variance, d_variance, difference = (
        STATISTICS[name](*pair)
        for name in ("variance_reference", "variance_distorted", "difference_variance")
    )
    found = (r_variance + d_variance - difference) / 2
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_small_moments_of_large_numbers_survive(rng):
    reference = np.float32(1000 + rng.normal(0, 0.01, (64, 48, 3)))
    distorted = np.float32(reference + rng.normal(0, 0.001, reference.shape))
    for name, expected in moments(reference, distorted).items():
        found = STATISTICS[name](jnp.asarray(reference), jnp.asarray(distorted))
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-12, err_msg=name)


def gram(x):
    rows = np.asarray(x, np.float64).reshape(-1, x.shape[-1])
    return rows.T @ rows / len(rows)


def test_gram_error_by_definition(pair):
    found = gram_error(*pair)
    assert found.shape == (gram_error.length(6),) == (1,)
    np.testing.assert_allclose(found, np.linalg.norm(gram(pair[0]) - gram(pair[1])), rtol=1e-5)


def test_gram_error_of_similar_activations_keeps_its_digits(rng):
    reference = np.float32(10 + rng.normal(size=(96, 128, 5)))
    distorted = np.float32(reference + 1e-4 * rng.normal(size=reference.shape))
    found = gram_error(jnp.asarray(reference), jnp.asarray(distorted))
    expected = np.linalg.norm(gram(reference) - gram(distorted))
    np.testing.assert_allclose(found, [expected], rtol=1e-3)


@pytest.mark.parametrize("name", STATISTICS)
def test_length(name, pair):
    assert STATISTICS[name](*pair).shape == (STATISTICS[name].length(6),)


@pytest.mark.parametrize("name", DISTANCES)
def test_identical_activations_are_at_no_distance(name, pair):
    statistic, (reference, _) = STATISTICS[name], pair
    assert (statistic(reference, reference) == 0).all()
    zeros = jnp.zeros_like(reference)
    assert (statistic(zeros, zeros) == 0).all()


@pytest.mark.parametrize("name", STATISTICS)
def test_identical_images_are_exact_however_their_activations_were_rounded(name, pair):
    statistic, (reference, _) = STATISTICS[name], pair

    def of_pair(identical, distorted):
        prepared = (statistic.prepare(x) for x in (reference, distorted))
        return statistic.of_pair(*prepared, jnp.asarray(identical))

    rounded = reference * jnp.float32(1 + 1e-5)
    known = statistic(reference, reference) if statistic.is_moment else 0
    assert (of_pair(True, rounded) == known).all()
    np.testing.assert_array_equal(of_pair(False, rounded), statistic(reference, rounded))
    slopes, curvatures = (
        [derivative(lambda x, each=each: of_pair(each, x).sum()) for each in (True, False)]
        for derivative in (jax.grad, lambda f: jax.grad(lambda x: jnp.sum(jax.grad(f)(x) ** 2)))
    )
    for known, computed in (slopes, curvatures):
        np.testing.assert_array_equal(known(rounded), computed(rounded))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", STATISTICS)
def test_non_finite_values_propagate(name, value, pair):
    """To the statistics of its channel, whether it is in one image or in both."""
    statistic, (reference, distorted) = STATISTICS[name], pair
    spoiled = reference.at[3, 4, 1].set(value)
    compute = jax.jit(statistic.__call__)
    pairs = [(spoiled, spoiled)]
    pairs += [(spoiled, distorted)] if not name.endswith("_distorted") else []
    pairs += [(distorted, spoiled)] if not name.endswith("_reference") else []
    for images in pairs:
        found = compute(*images)
        assert np.isnan(found[min(1, len(found) - 1)])
        if not statistic.is_number and name != "unit_squared_error":
            assert np.isfinite(found[jnp.asarray([0, 2, 3, 4, 5])]).all()


@pytest.mark.parametrize("name", STATISTICS)
def test_gradients_are_finite(name, pair):
    statistic, (reference, _) = STATISTICS[name], pair
    gradient = jax.grad(lambda x: statistic(reference, x).sum())(reference)
    assert np.isfinite(gradient).all()
    zeros = jnp.zeros_like(reference)
    gradients = jax.grad(lambda r, d: statistic(r, d).sum(), (0, 1))(zeros, reference)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("name", STATISTICS)
def test_accumulates_in_float32(name, pair):
    half = [x.astype(jnp.bfloat16) for x in pair]
    found = STATISTICS[name](*half)
    assert found.dtype == jnp.float32
    expected = STATISTICS[name](*(x.astype(jnp.float32) for x in half))
    np.testing.assert_array_equal(found, expected)


def test_long_sums_stay_exact(rng):
    reference = np.zeros((1024, 1024, 1), np.float32)
    distorted = (1000 + rng.normal(size=reference.shape)).astype(np.float32)
    expected = np.mean(distorted.astype(np.float64) ** 2)
    found = squared_error(jnp.asarray(reference), jnp.asarray(distorted))
    np.testing.assert_allclose(found, [expected], rtol=1e-6)
