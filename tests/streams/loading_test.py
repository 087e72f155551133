import jax
import numpy as np
import pytest

import iqa_jax
from iqa_jax.errors import InputError


def test_metrics_of_one_network_are_computed_in_one_pass(checkpoints):
    names = ("psnr", "ssim", "lpips-alex", "alexnet/relu3/l2", "ssim:wang2004")
    stream = iqa_jax.stream(*names, checkpoints_dir=checkpoints)
    pixels, network = stream.functions
    assert pixels.names == ["psnr", "ssim:wang2004"]
    assert len(network.names) == 2
    weights = len(jax.tree.leaves(network.backbone))
    assert weights < len(jax.tree.leaves(stream.functions)) < 2 * weights
    assert stream.names == names


@pytest.mark.parametrize(
    ("names", "found"), [((), "got none"), (("psnr", "ssim", "psnr"), "got psnr, ssim, psnr")]
)
def test_metrics_are_named_once(names, found):
    with pytest.raises(InputError, match=f"at least one metric and none twice, {found}"):
        iqa_jax.stream(*names)


def test_unknown_names():
    with pytest.raises(InputError, match="no metric 'psrn'"):
        iqa_jax.stream("psrn")


def test_metrics_in_memory():
    images = np.random.default_rng(0).random((2, 4, 16, 16, 3), np.float32)
    metric = iqa_jax.load_metric("ssim")
    found = iqa_jax.stream(metric, "psnr").update(*images).compute()
    assert list(found) == ["ssim", "psnr"]
    assert found == iqa_jax.stream("ssim", "psnr").update(*images).compute()


def test_names_are_arguments_of_their_own():
    with pytest.raises(InputError, match=r"as in stream\('psnr', 'ssim'\), got list"):
        iqa_jax.stream(["psnr", "ssim"])
