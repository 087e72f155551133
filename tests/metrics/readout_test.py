"""Read-outs as metrics; LPIPS is the one with published weights and published values."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from etils import epath
from golden import pixel_pairs

import iqa_jax
from iqa_jax.errors import InputError
from iqa_jax.images.decode import decode_image
from iqa_jax.images.sources import ImageFolder
from iqa_jax.metrics.registry import READOUT_METRICS

LPIPS = {
    "lpips-alex": "alexnet/relu1+relu2+relu3+relu4+relu5/unit@lpips-alex",
    "lpips-vgg": "vgg16/relu1_2+relu2_2+relu3_3+relu4_3+relu5_3/unit@lpips-vgg",
}
NAMES = (*LPIPS.values(), "alexnet/relu3/l2", "alexnet/relu2+relu5/unit", "alexnet/pool5/rmse")

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "lpips.json").read_text())["scores"]

# Published by the metric's authors for three pairs of TID2013, native size, to four digits.
OFFICIAL = {
    ("lpips-alex", "I03"): 0.7237,
    ("lpips-alex", "I04"): 0.2572,
    ("lpips-alex", "I06"): 0.0508,
    ("lpips-vgg", "I03"): 0.7614,
    ("lpips-vgg", "I04"): 0.2090,
    ("lpips-vgg", "I06"): 0.0544,
}


@pytest.fixture(scope="module", params=NAMES)
def metric(request, checkpoints):
    return iqa_jax.load_metric(request.param, checkpoints_dir=checkpoints)


@pytest.fixture
def pair(rng):
    reference = rng.integers(0, 256, (3, 64, 80, 3)).astype(np.uint8)
    noise = rng.normal(0, 25, reference.shape)
    return reference, np.clip(reference + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("name", "image"), OFFICIAL)
def test_official_lpips(name, image, checkpoints, test_data):
    metric = iqa_jax.load_metric(LPIPS[name], checkpoints_dir=checkpoints)
    folder = ImageFolder(epath.Path(test_data / "tid2013_pairs"))
    reference, distorted = (
        decode_image(folder.read(f"{kind}/{image}.bmp"), image)[None] for kind in ("ref", "dist")
    )
    # Half a unit of the last printed digit, and float32.
    assert abs(float(metric(reference, distorted)[0]) - OFFICIAL[name, image]) < 0.5e-4 + 1e-6


@pytest.mark.parametrize(("name", "pair"), [(n, p) for n in GOLDEN for p in GOLDEN[n]])
def test_golden_lpips(name, pair, checkpoints):
    """The values of PyTorch's `lpips` in float64; our float32 keeps four digits of small ones.

    SqueezeNet's are of an untrained network whose channels count alike.
    """
    metric = iqa_jax.load_metric(name, checkpoints_dir=checkpoints)
    found = metric(*(image[None] for image in pixel_pairs.pair(pair)))[0]
    np.testing.assert_allclose(found, GOLDEN[name][pair], rtol=1e-4)


def test_the_layers_of_squeezenet_are_those_of_lpips():
    layers = READOUT_METRICS["lpips-squeeze"].readout.split("/")[1]
    assert sum(f"/{layers}/unit" in name for name in GOLDEN) == 1


def test_lpips_is_the_sum_of_its_layers(checkpoints, pair):
    layers = [f"alexnet/relu{number}/unit@lpips-alex" for number in range(1, 6)]
    of_layers = [iqa_jax.load_metric(x, checkpoints_dir=checkpoints)(*pair) for x in layers]
    whole = iqa_jax.load_metric("lpips-alex", checkpoints_dir=checkpoints)(*pair)
    np.testing.assert_allclose(sum(of_layers), whole, rtol=1e-6)


def test_shape_and_identity(metric, pair):
    reference, distorted = pair
    distance = metric(reference, distorted)
    assert distance.shape == (3,)
    assert distance.dtype == jnp.float32
    assert (distance > 0).all()
    assert metric(reference[:1], distorted[:1]).shape == (1,)
    assert (metric(reference, reference) == 0).all()


def test_symmetry(metric, pair):
    reference, distorted = pair
    np.testing.assert_allclose(
        metric(reference, distorted), metric(distorted, reference), rtol=1e-5
    )


def test_batch_independence(metric, pair):
    reference, distorted = pair
    together = metric(reference, distorted)
    alone = [metric(reference[i : i + 1], distorted[i : i + 1])[0] for i in range(3)]
    np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_jit_and_vmap_equal_eager(metric, pair):
    eager = metric(*pair)
    np.testing.assert_allclose(jax.jit(metric)(*pair), eager, rtol=1e-5)
    compiled = jax.jit(lambda metric, r, d: metric(r, d))(metric, *pair)
    np.testing.assert_allclose(compiled, eager, rtol=1e-4)
    mapped = jax.vmap(lambda r, d: metric(r[None], d[None])[0])(*map(jnp.asarray, pair))
    np.testing.assert_allclose(mapped, eager, rtol=1e-4)


def test_gradient_is_finite_at_identical_and_black_images(metric, pair):
    noise = jnp.asarray(pair[0], jnp.float32) / jnp.float32(255)
    gradients = jax.jit(jax.grad(lambda metric, r, d: metric(r, d).sum(), argnums=(1, 2)))
    for image in (noise, jnp.zeros_like(noise)):
        assert all(np.isfinite(each).all() for each in gradients(metric, image, image))


def test_gradient_leads_towards_the_reference(checkpoints, pair):
    metric = iqa_jax.load_metric(LPIPS["lpips-alex"], checkpoints_dir=checkpoints)
    reference, distorted = (jnp.asarray(x, jnp.float32) / jnp.float32(255) for x in pair)
    distance, gradient = jax.value_and_grad(lambda d: metric(reference, d).sum())(distorted)
    step = jnp.clip(distorted - 0.05 * gradient / jnp.abs(gradient).max(), 0, 1)
    assert metric(reference, step).sum() < distance


def test_refuses_images_of_two_shapes(metric, pair):
    reference, distorted = pair
    with pytest.raises(InputError, match=r"\[3, 64, 80, 3\] and \[2, 64, 80, 3\]"):
        metric(reference, distorted[:2])
    with pytest.raises(InputError, match=r"distorted: expected .* found values from -1"):
        metric(reference, np.full(reference.shape, -1, np.float32))
    with pytest.raises(InputError, match=r"reference: expected uint8, or floating point"):
        metric(reference.astype(np.int32), distorted)
