"""What holds for a metric of pixels with golden scores of its authors' program."""

import functools
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from golden import draws, pixel_pairs

from iqa_jax.images.preprocess import unit_range
from iqa_jax.metrics.pixels import PIXEL_METRICS, PixelScores

SIZE = (45, 58)
"""Neither square nor even, and large enough for every metric; images of one size compile once."""


def golden(name):
    return json.loads((Path(__file__).parents[1] / f"golden/{name}.json").read_text())["scores"]


def made_up(name):
    """Names of the golden pairs that are computed from a seed."""
    return [pair for pair in golden(name) if pair in pixel_pairs.PAIRS]


def golden_pairs(name):
    """The same as parameters; those whose sizes only repeat others at a higher price are slow."""
    return [
        pytest.param(pair, marks=[pytest.mark.slow] if pair in _DEAR else [])
        for pair in made_up(name)
    ]


_DEAR = ("blur 256x256", "noise 647x640")


@functools.cache
def compiled(name):
    return jax.jit(PIXEL_METRICS[name].__call__)


@functools.cache
def compiled_gradients(name):
    return jax.jit(jax.value_and_grad(PIXEL_METRICS[name].__call__, (0, 1)))


def image(seed, size=SIZE):
    return unit_range(jnp.asarray(draws.image(*size, seed)))


class PixelChecks:
    """Tests that classes with the attribute ``name`` inherit."""

    name: str

    @property
    def metric(self):
        return PIXEL_METRICS[self.name]

    def check_golden(self, pair):
        images = map(unit_range, map(jnp.asarray, pixel_pairs.pair(pair)))
        # Golden scores are in float64; float32 keeps seven digits of scores of about 1.
        expected = golden(self.name)[pair]
        assert abs(float(compiled(self.name)(*images)) - expected) < 5e-7

    @pytest.mark.parametrize("pair", pixel_pairs.REAL)
    def test_golden_real(self, pair, test_data):
        images = map(unit_range, map(jnp.asarray, pixel_pairs.real(pair, test_data)))
        assert abs(float(compiled(self.name)(*images)) - golden(self.name)[pair]) < 5e-7

    def test_identical_images(self):
        reference = image(1)
        for same in (reference, 0 * reference, 0 * reference + 0.3, 0 * reference + 1):
            score, slopes = compiled_gradients(self.name)(same, jnp.array(same))
            assert score == self.metric.best
            assert all(np.isfinite(slope).all() for slope in slopes)
        assert score.shape == ()
        assert score.dtype == jnp.float32

    def test_scores_and_gradients_are_finite(self):
        reference, other = image(1), image(2)
        black, white = 0 * reference, 0 * reference + 1
        faint = 0.5 + 1e-6 * (other - 0.5)
        spot = black.at[20, 30].set(1)
        versions = (other, 1 - reference, reference + 1e-6 * other, black, white, faint, spot)
        low, high = self.metric.score_range
        for first in (reference, black, white, faint, spot):
            for second in versions:
                score, slopes = compiled_gradients(self.name)(first, second)
                assert low <= score <= high
                assert all(np.isfinite(slope).all() for slope in slopes)

    def test_worse_images_have_worse_scores(self):
        reference, noise = image(1), image(2)
        scores = [
            float(compiled(self.name)(reference, (1 - share) * reference + share * noise))
            for share in (0, 0.01, 0.1, 0.5)
        ]
        assert scores == sorted(scores, reverse=self.metric.higher_is_better)
        assert len(set(scores)) == len(scores)

    def test_derivative(self):
        reference, distorted = image(1), 0.8 * image(1) + 0.2 * image(2)
        _, (_, slope) = compiled_gradients(self.name)(reference, distorted)
        step = 3e-4 * jnp.sign(slope)
        higher, lower = (compiled(self.name)(reference, distorted + d) for d in (step, -step))
        np.testing.assert_allclose(2 * jnp.sum(slope * step), higher - lower, rtol=0.05)

    def test_jit_vmap_and_neighbours(self):
        reference = jnp.stack([image(seed) for seed in (1, 2, 3)])
        distorted = reference[::-1] * 0.5
        alone = [compiled(self.name)(*pair) for pair in zip(reference, distorted, strict=True)]
        mapped = jax.jit(jax.vmap(self.metric))
        together = mapped(reference, distorted)
        np.testing.assert_allclose(together, alone, rtol=2e-6)
        moved = mapped(reference.at[0].set(0).at[2].set(jnp.nan), distorted)
        assert moved[1] == together[1]
        assert np.isnan(moved[2])

    @pytest.mark.slow
    def test_eager_is_compiled(self):
        pair = image(1), image(2) * 0.5
        with jax.disable_jit():
            eager = self.metric(*pair)
        np.testing.assert_allclose(eager, compiled(self.name)(*pair), rtol=2e-6)

    def test_a_pixel_that_is_not_finite_has_no_score(self):
        reference = image(1)
        for value in (jnp.nan, jnp.inf, -jnp.inf):
            broken = reference.at[20, 30, 1].set(value)
            assert np.isnan(compiled(self.name)(reference, broken))
            assert np.isnan(compiled(self.name)(broken, reference))

    def test_least_size(self):
        least, scores = self.metric.least_size, PixelScores((self.name,))
        assert scores.refusals(least, least) == {}
        if least > 1:
            reason = f"at least {least}x{least} pixels, got 99x{least - 1}"
            assert reason in scores.refusals(least - 1, 99)[self.name]
        pair = image(1, (least, least + 1)), image(2, (least, least + 1))
        assert np.isfinite(compiled(self.name)(*pair))
