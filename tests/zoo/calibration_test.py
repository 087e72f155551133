"""Controls whose normalisations fit the references: what they are calibrated with, and how well."""

import numpy as np
import pytest

from iqa_jax import zoo
from iqa_jax.errors import InputError
from iqa_jax.zoo.calibration import MOST_REFERENCES, calibrated_backbone

PLAIN = "resnet20-random-none-seed3"
NAME = f"{PLAIN}-calibrated"


@pytest.fixture
def references(rng):
    smooth = rng.integers(0, 256, (3, 12, 16, 3)).repeat(3, 1).repeat(3, 2)
    return [np.uint8(each) for each in np.clip(smooth + rng.normal(0, 20, smooth.shape), 0, 255)]


def test_a_calibrated_control_is_one_network(references, tmp_path):
    first, again = (calibrated_backbone(NAME, references) for _ in range(2))
    assert first.name == NAME
    assert first.sha256 == again.sha256
    plain = zoo.load_backbone(PLAIN, checkpoints_dir=tmp_path)
    assert first.layers == plain.layers
    assert first.sha256 != plain.sha256
    assert first.sha256 != calibrated_backbone(NAME, references[:2]).sha256
    image = references[0][None]
    np.testing.assert_array_equal(first(image)["input"], plain(image)["input"])
    assert float(plain(image)["layer3.2"].std()) > 3 * float(first(image)["layer3.2"].std())


def test_more_references_than_are_used_change_nothing(references):
    many = [*references] * 6
    used = calibrated_backbone(NAME, many[:MOST_REFERENCES]).sha256
    assert calibrated_backbone(NAME, many).sha256 == used


def test_names():
    model = zoo.find_model(NAME)
    assert (model.calibrated, model.seed, model.goal) == (True, 3, "random")
    assert not zoo.find_model(PLAIN).calibrated
    with pytest.raises(InputError, match="iqa evaluate does it; the control without is resnet20-"):
        zoo.load_backbone(NAME)
    with pytest.raises(InputError, match="add -calibrated"):
        calibrated_backbone(PLAIN, [])
    with pytest.raises(InputError, match="no references"):
        calibrated_backbone(NAME, [])
