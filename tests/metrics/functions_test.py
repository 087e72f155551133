import jax
import jax.numpy as jnp
import numpy as np
import pytest

import iqa_jax
from iqa_jax.errors import InputError
from iqa_jax.metrics import (
    flip,
    fsim,
    fsimc,
    gmsd,
    haarpsi,
    iw_ssim,
    mdsi,
    ms_gmsd,
    ms_ssim,
    nlpd,
    psnr,
    ssim,
    ssimulacra2,
    vif,
    vsi,
)
from iqa_jax.metrics.pixels import PIXEL_METRICS

FUNCTIONS = {
    "psnr": (psnr, {}),
    "ssim": (ssim, {}),
    "ssim:wang2004": (ssim, {"preset": "wang2004"}),
    "ssim:matlab": (ssim, {"preset": "matlab"}),
    "ssim:rgb": (ssim, {"preset": "rgb"}),
    "ms-ssim": (ms_ssim, {}),
    "ms-ssim:wang2003": (ms_ssim, {"preset": "wang2003"}),
    "ms-ssim:rgb": (ms_ssim, {"preset": "rgb"}),
    "gmsd": (gmsd, {}),
    "ms-gmsd": (ms_gmsd, {}),
    "haarpsi": (haarpsi, {}),
    "mdsi": (mdsi, {}),
    "nlpd": (nlpd, {}),
    "vif": (vif, {}),
    "fsim": (fsim, {}),
    "fsimc": (fsimc, {}),
    "vsi": (vsi, {}),
    "iw-ssim": (iw_ssim, {}),
    "flip": (flip, {}),
    "ssimulacra2": (ssimulacra2, {}),
}


@pytest.fixture
def pair(rng):
    reference = rng.random((2, 161, 170, 3)).astype(np.float32)
    return reference, np.clip(reference + rng.normal(0, 0.1, reference.shape), 0, 1)


def test_there_is_a_function_for_every_metric_without_weights():
    assert set(FUNCTIONS) == set(PIXEL_METRICS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_is_the_metric_of_that_name(name, pair):
    function, options = FUNCTIONS[name]
    expected = iqa_jax.load_metric(name)(*pair)
    assert expected.shape == (2,)
    np.testing.assert_array_equal(function(*pair, **options), expected)


def test_works_inside_transformations(rng):
    reference = jnp.asarray(rng.random((3, 2, 16, 17, 3)), jnp.float32)
    distorted = 0.9 * reference
    for function in (psnr, ssim):
        mapped = jax.vmap(function)(reference, distorted)
        np.testing.assert_allclose(mapped[1], function(reference[1], distorted[1]), rtol=1e-6)
        slope = jax.jit(jax.grad(lambda d, f=function: f(reference[0], d).sum()))(distorted[0])
        assert np.isfinite(slope).all()
        assert np.abs(slope).max() > 0


def test_refuses_what_is_no_preset(pair):
    with pytest.raises(InputError, match="ssim: expected the preset .* or rgb, got 'gray'"):
        ssim(*pair, preset="gray")
    with pytest.raises(InputError, match="ms-ssim: expected the preset wang2003 or rgb, got ''"):
        ms_ssim(*pair, preset="")


def test_refuses_images_that_are_too_small(pair):
    small = pair[0][:, :160]
    with pytest.raises(InputError, match="at least 161x161 pixels, got 170x160"):
        ms_ssim(small, small)
