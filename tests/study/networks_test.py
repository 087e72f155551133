"""Networks as readers: a published example, and simulated effects."""

import numpy as np
import pytest
from benchmarks.study_coverage import networks, sample_of

from iqa_jax.study.networks import Side, comparison_weights, networks_estimate, pooled_estimate

CINE = np.array([0.91964573, 0.8587762, 0.90386473, 0.97310789, 0.82979066])
SPIN_ECHO = np.array([0.94782609, 0.90531401, 0.92173913, 0.99935588, 0.92995169])
COVARIANCES = 3.440748e-04, 2.390284e-04
"""Areas under the curve of five readers and two kinds of MRI, and the covariances of their errors
between readers with the same and with different kinds: the data of Van Dyke et al. (1993) as
analysed by Hillis (2008, Statistics in Medicine 27)."""


def test_published_example():
    same, different = COVARIANCES
    found = pooled_estimate([1.0], [CINE - SPIN_ECHO], 2 * (same - different))
    assert found.value == pytest.approx(-0.0438003, abs=1e-6)
    assert found.df == pytest.approx(15.2597, abs=0.01)
    assert found.p() == pytest.approx(0.0517, abs=1e-4)
    assert (found.low, found.high) == pytest.approx((-0.08796, 0.00036), abs=2e-5)


def test_images_in_common_are_added():
    random = np.random.default_rng(0)
    own, common = random.normal(size=(30, 4)), 3 * random.normal(size=(30, 1))
    weights = [*np.eye(4)]
    alone = networks_estimate(sample_of(own), [Side(1, weights)])
    together = networks_estimate(sample_of(own + common), [Side(1, weights)])
    assert together.error**2 - alone.error**2 == pytest.approx(common.var(ddof=1) / 30, rel=0.5)


def test_a_comparison_of_two_sides_loses_what_they_share():
    random = np.random.default_rng(1)
    own, common = random.normal(size=(30, 6)), 30 * random.normal(size=(30, 1))
    sides = [Side(1, [*np.eye(6)[:3]]), Side(-1, [*np.eye(6)[3:]])]
    alone, together = (networks_estimate(sample_of(each), sides) for each in (own, own + common))
    assert together.error == pytest.approx(alone.error)
    assert comparison_weights(sides) == pytest.approx([1 / 3] * 3 + [-1 / 3] * 3)


def test_one_network_on_a_side_is_none():
    sample = sample_of(np.random.default_rng(2).normal(size=(30, 3)))
    assert networks_estimate(sample, [Side(1, [*np.eye(3)[:2]]), Side(-1, [np.eye(3)[2]])]) is None


@pytest.mark.parametrize("sizes", [(5,), (4, 4)])
def test_a_planted_effect_is_covered_and_none_is_seldom_found(sizes):
    """A share of 100 draws has a standard error of .02."""
    with_effect, without = networks(sizes, 0.05, 100), networks(sizes, 0.0, 100)
    assert with_effect["covered"] >= 0.9
    assert without["decided"] <= 0.11
    if len(sizes) == 1:
        assert without["t over networks alone"] > 0.2


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(3,), (8,), (3, 3), (2, 10), (4, 4)])
def test_coverage_over_networks_in_400_draws(sizes):
    with_effect, without = networks(sizes, 0.05, 400), networks(sizes, 0.0, 400)
    assert with_effect["covered"] >= 0.92
    assert without["decided"] <= 0.075
