"""Networks as readers: a published example, and simulated effects."""

import numpy as np
import pytest
from benchmarks.study_coverage import networks, sample_of

from iqa_jax.study.networks import Side, comparison_weights, networks_estimate, pooled_estimate

SPIN_ECHO = np.array([0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066])
CINE = np.array([0.94782609, 0.90531401, 0.92173913, 0.99935588, 0.92995169])
COVARIANCES = 0.0003440748, 0.0002390284
"""Areas under the curve of five readers of two kinds of MRI of 114 patients (Van Dyke et al. 1993),
and covariances of their errors between readers with the same kind and with different kinds: values
of the dataset in RJafroc (dataset02) and MRMCaov (VanDyke), as both packages print them."""


def test_published_example():
    """The comparison is the one that MRMCaov prints in its README for this dataset."""
    same, different = COVARIANCES
    found = pooled_estimate([1.0], [SPIN_ECHO - CINE], 2 * (same - different))
    assert found.value == pytest.approx(-0.04380032, abs=1e-8)
    assert found.error == pytest.approx(0.02074862, abs=1e-8)
    assert found.df == pytest.approx(15.25967, abs=1e-4)
    assert found.p() == pytest.approx(0.05166569, abs=1e-7)
    assert (found.low, found.high) == pytest.approx((-0.0879594986, 0.0003588544), abs=1e-8)


@pytest.mark.parametrize(
    ("readers", "covariance", "published"),
    [
        (SPIN_ECHO, 0.0004839618, (0.8970370, 0.03317360, 12.74465, 0.8252236, 0.9688505)),
        (CINE, 0.0002041879, (0.9408374, 0.02156637, 12.71019, 0.8941378, 0.9875369)),
    ],
)
def test_published_means(readers, covariance, published):
    found = pooled_estimate([1.0], [readers], covariance)
    assert (found.value, found.error, found.df, found.low, found.high) == pytest.approx(
        published, rel=1e-6
    )


def test_covariances_are_those_of_pairs_of_readers():
    """The common variance of two sides, computed pair by pair."""
    psi = np.random.default_rng(3).normal(size=(30, 5)) @ np.random.default_rng(4).normal(
        size=(5, 5)
    )
    found = networks_estimate(
        sample_of(psi), [Side(1, [*np.eye(5)[:2]]), Side(-1, [*np.eye(5)[2:]])]
    )
    one, other = (0, 1), (2, 3, 4)

    def covariance(a, b):
        return np.mean([_covariance(psi[:, i], psi[:, j]) for i in a for j in b if i != j])

    common = covariance(one, one) + covariance(other, other) - 2 * covariance(one, other)
    means = psi.mean(axis=0)
    spread = np.var(means[:2], ddof=1) / 2 + np.var(means[2:], ddof=1) / 3
    assert found.error**2 == pytest.approx(spread + max(common, 0))


def _covariance(one, other):
    """Covariance of two means over the same 30 references."""
    return np.sum((one - one.mean()) * (other - other.mean())) / 29 / 30


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
