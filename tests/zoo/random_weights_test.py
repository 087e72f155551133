"""Untrained networks are fixed forever: ``tests/golden/untrained.json`` holds their hashes."""

import json
import math

import numpy as np
import pytest
from golden.make_untrained import FILE, fingerprint

from iqa_jax import zoo
from iqa_jax.backbones import ARCHITECTURES
from iqa_jax.errors import InputError

GOLDEN = json.loads(FILE.read_text())
"""Hashes made on 2026-11-20 with NumPy 2.4.6."""


@pytest.mark.parametrize("trunk", ARCHITECTURES)
def test_parameters_have_not_changed(trunk):
    assert fingerprint(trunk) == GOLDEN[trunk]


def test_a_few_numbers():
    """Computed without this package: ``RandomState([0, crc32(name)])``, He's standard deviation."""
    backbone = zoo.load_backbone("alexnet-random-none-seed0")
    np.testing.assert_allclose(
        backbone.parameters["features.0.kernel"][0, 0, 0, :3],
        [-0.02071659, 0.007348705, 0.06152993],
        rtol=1e-6,
    )
    kernel = np.asarray(backbone.parameters["features.3.kernel"])
    assert kernel.std() == pytest.approx(math.sqrt(2 / (5 * 5 * 64)), rel=0.01)
    assert abs(kernel.mean()) < 1e-3
    assert not np.any(backbone.parameters["features.0.bias"])


def test_needs_no_file_and_exists_for_every_seed(tmp_path):
    first, other = (
        zoo.load_backbone(f"resnet20-random-none-seed{seed}", checkpoints_dir=tmp_path)
        for seed in (0, 41)
    )
    assert first.sha256 != other.sha256
    assert zoo.find_model("resnet20-random-none-seed41").goal == "random"
    with pytest.raises(InputError, match="there is no model"):
        zoo.find_model("resnet21-random-none-seed0")
    with pytest.raises(InputError, match="there is no model"):
        zoo.find_model("resnet20-random-none-seed-1")
