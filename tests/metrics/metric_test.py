"""What holds for every metric as a function of arrays."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from golden import draws

import iqa_jax
from iqa_jax.engine.devices import UnitRunner
from iqa_jax.errors import InputError
from iqa_jax.images.preprocess import check_images
from iqa_jax.metrics import load_group, parse_metrics
from iqa_jax.metrics.pair_function import PairFunction
from iqa_jax.metrics.pixels import FULL_NAMES, PIXEL_METRICS
from iqa_jax.readouts import READOUTS

MODEL = "resnet20-random-none-seed0"
OF_A_PAIR = [name for name, readout in READOUTS.items() if not readout.normalised_by]
GROUPS = {
    "pixels": [name for name in PIXEL_METRICS if name not in FULL_NAMES],
    "network": [f"{MODEL}/conv1+layer2/{readout}" for readout in OF_A_PAIR],
}


@pytest.fixture(scope="module", params=GROUPS)
def function(request):
    """Many metrics at once, which takes one program."""
    return load_group(parse_metrics(GROUPS[request.param]))


def size(function):
    return (161, 163) if function.label == "pixels" else (32, 35)


SOME = ["psnr", "ssim:rgb", f"{MODEL}/conv1+layer1/unit", f"{MODEL}/layer1/structure_texture"]


@pytest.fixture(scope="module", params=SOME)
def metric(request):
    return iqa_jax.load_metric(request.param)


@pytest.fixture(scope="module")
def pair():
    """Three references, and darker versions of them."""
    reference = np.stack([draws.image(32, 35, seed) for seed in (1, 2, 3)])
    return reference, reference // 2


def extremes(height, width):
    noise = draws.image(height, width, seed=1) / 255
    board = np.indices((height, width)).sum(0) % 2
    ramp = np.linspace(0, 1, width) * np.ones((height, 1))
    images = [np.zeros((height, width)), np.ones((height, width)), board, ramp]
    images = [image[..., None] * np.ones(3) for image in images]
    red = images[1] * [1, 0, 0]
    pairs = [(a, b) for a in images for b in images]
    inverses = [(image, 1 - image) for image in (noise, np.rint(noise), ramp[..., None] * red, red)]
    return [np.stack(each) for each in zip(*pairs, *inverses, strict=True)]


def test_no_score_leaves_its_range(function):
    images = (jnp.asarray(each, jnp.float32) for each in extremes(*size(function)))
    found = jax.jit(PairFunction.pairs)(function, *images)
    for name, values, (low, high) in zip(function.names, found, function.score_ranges, strict=True):
        assert low < high, name
        scores = np.asarray(values, np.float64)
        rounding = 1e-6 * np.maximum(1, np.abs(scores))
        assert (scores >= low - rounding).all(), name
        assert (scores <= high + rounding).all(), name
        identical = PIXEL_METRICS[name].best if name in PIXEL_METRICS else low
        assert identical in scores, name  # of each image and itself


def test_ranges_are_those_that_are_documented():
    def of(name):
        return iqa_jax.load_metric(name).score_range

    assert of("psnr") == (0, 100)
    assert of("ssim") == of("ssim:rgb") == (-1, 1)
    assert of("ms-ssim") == of("flip") == of("flip:ppd=20") == (0, 1)
    assert of("ssimulacra2") == (-math.inf, 100)
    assert of(f"{MODEL}/conv1+layer1/unit") == (0, 8)
    assert of(f"{MODEL}/conv1/l2") == (0, math.inf)


def test_the_range_of_lpips_is_that_of_its_weights(checkpoints):
    metric = iqa_jax.load_metric("lpips-alex", checkpoints_dir=checkpoints)
    (relevance,) = metric.function.relevances
    expected = sum(4 * float(weights.max()) for weights in relevance.weights.values())
    assert metric.score_range == (0, pytest.approx(expected))


def test_is_shown_with_its_direction_and_range():
    assert repr(iqa_jax.load_metric("psnr")) == "Metric('psnr', higher is better, from 0 to 100)"
    scores = "higher is better, up to 100"
    assert repr(iqa_jax.load_metric("ssimulacra2")) == f"Metric('ssimulacra2', {scores})"
    name = f"{MODEL}/conv1/l2"
    assert repr(iqa_jax.load_metric(name)) == f"Metric('{name}', lower is better, from 0)"
    shown = []
    unit = iqa_jax.load_metric(f"{MODEL}/conv1/unit")
    jax.jit(lambda metric: shown.append(repr(metric)))(unit)
    assert shown == [repr(unit)]


def test_inside_jit_grad_vmap_and_scan(metric, pair):
    expected = metric(*pair)
    reference, distorted = (jnp.asarray(images, jnp.float32) / 255.0 for images in pair)

    @jax.jit
    def everything(metric, reference, distorted):
        total, slope = jax.value_and_grad(lambda d: metric(reference, d).sum())(distorted)
        rows = jax.vmap(lambda r, d: metric(r[None], d[None])[0])(reference, distorted)
        _, steps = jax.lax.scan(
            lambda at, d: (at + 1, metric(reference[at][None], d[None])[0]), 0, distorted
        )
        return metric(reference, distorted), total, slope, rows, steps

    scores, total, slope, rows, steps = everything(metric, reference, distorted)
    for found in (scores, rows, steps):
        np.testing.assert_allclose(found, expected, rtol=2e-5)
    np.testing.assert_allclose(total, expected.sum(), rtol=2e-5)
    assert np.isfinite(slope).all()


def test_closed_over_by_transformations(rng):
    metric = iqa_jax.load_metric(f"{MODEL}/conv1/unit")
    reference = jnp.asarray(rng.random((1, 16, 17, 3)), jnp.float32)
    distorted = 0.9 * reference
    expected = jax.grad(lambda d: metric(reference, d).sum())(distorted)
    for around in (jax.jit, lambda f: jax.jit(jax.jit(f)), jax.checkpoint):
        function = around(metric)
        np.testing.assert_allclose(function(reference, distorted), metric(reference, distorted))
        found = jax.jit(jax.grad(lambda d, f=function: f(reference, d).sum()))(distorted)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)
    constant = jax.jit(lambda x: x * metric(reference, distorted))(jnp.ones(1))
    np.testing.assert_allclose(constant, metric(reference, distorted), rtol=1e-6)


def test_scores_are_those_of_the_programs(metric, pair):
    """The same formulas, compiled with the same options, in programs of their own."""
    runner = UnitRunner(metric.function, devices=jax.local_devices()[:1])
    count = runner.unit_count(32, 35)
    batch = [np.resize(images, (count, *images.shape[1:])) for images in pair]
    (scores,) = runner(batch[0], batch[1][:, None]).values()
    np.testing.assert_allclose(metric(*batch), scores[:, 0], rtol=2e-6)
    for alone in range(2):
        found = metric(*(images[alone : alone + 1] for images in pair))
        np.testing.assert_allclose(found, scores[alone], rtol=2e-6)


@pytest.mark.parametrize("dtype", [np.float64, np.float16, jnp.bfloat16])
def test_other_floating_point_is_converted(dtype, rng):
    reference = rng.random((2, 16, 17, 3)).astype(dtype)
    distorted = (reference / 2).astype(dtype)
    for name in ("psnr", "ssim", f"{MODEL}/conv1/unit"):
        metric = iqa_jax.load_metric(name)
        expected = metric(*(images.astype(np.float32) for images in (reference, distorted)))
        np.testing.assert_array_equal(metric(reference, distorted), expected)
        as_bytes = np.zeros(reference.shape, np.uint8)
        assert metric(as_bytes, distorted).shape == (2,)
        best = metric.score_range[metric.higher_is_better]
        assert (metric(reference, reference) == best).all()


def test_slopes_have_the_type_of_the_images(rng):
    images = jnp.asarray(rng.random((1, 16, 17, 3)), jnp.bfloat16)
    metric = iqa_jax.load_metric("psnr")
    for gradient in (jax.grad, lambda f: jax.jit(jax.grad(f))):
        slope = gradient(lambda d: metric(jnp.zeros_like(d), d).sum())(images)
        assert slope.dtype == jnp.bfloat16
        assert (slope < 0).any()


def check_float64_changes_nothing(function, size):
    reference = draws.image(*size, seed=1)[None] / 255
    pairs = jax.jit(PairFunction.pairs)
    expected = pairs(function, *map(check_images, (reference, reference / 2)))
    with jax.enable_x64(True):
        images = jnp.asarray(reference)
        found = pairs(function, images, images / 2)
    for name, values, score in zip(function.names, found, expected, strict=True):
        assert values.dtype == jnp.float32, name
        np.testing.assert_allclose(values, score, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("name", ["ssim", "vsi", f"{MODEL}/conv1/unit"])
def test_computes_in_float32_where_float64_is_the_default(name):
    check_float64_changes_nothing(load_group(parse_metrics([name])), (32, 35))


@pytest.mark.slow
def test_every_metric_computes_in_float32_where_float64_is_the_default(function):
    check_float64_changes_nothing(function, size(function))


def test_every_metric_is_float32_where_float64_is_the_default(function):
    with jax.enable_x64(True):
        images = jnp.asarray(draws.image(*size(function), seed=1)[None] / 255)
        for kind in (PairFunction.pairs, PairFunction.maps):
            found = jax.eval_shape(kind, function, images, images / 2)
            assert all(each.dtype == jnp.float32 for each in found)


@pytest.mark.parametrize("name", ["ssim", f"{MODEL}/conv1/unit"])
def test_slopes_of_float64_are_float64(name, rng):
    metric, reference = iqa_jax.load_metric(name), rng.random((1, 16, 17, 3))
    with jax.enable_x64(True):
        slope = jax.grad(lambda d: metric(reference, d).sum())(jnp.asarray(reference / 2))
    assert slope.dtype == jnp.float64
    assert np.abs(slope).max() > 0


def test_lists_are_arrays(rng):
    images = rng.random((1, 4, 5, 3))
    assert iqa_jax.load_metric("psnr")(images.tolist(), list(images)).tolist() == [100]


def test_levels_that_are_no_bytes_are_refused(rng):
    levels = rng.integers(0, 256, (1, 4, 5, 3))
    with pytest.raises(InputError, match=r"distorted: .* got int64; .* images.astype\(np.uint8\)"):
        iqa_jax.load_metric("psnr")(levels.astype(np.uint8), levels)
