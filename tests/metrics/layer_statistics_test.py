import math

import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from metrics import computed

from iqa_jax.errors import InputError
from iqa_jax.metrics.layer_statistics import FeatureStatistics
from iqa_jax.readouts.statistics import STATISTICS
from iqa_jax.zoo import load_backbone, outline_backbone

LAYERS = ("input", "relu2", "pool5")
ARRAYS = tuple((layer, statistic) for layer in LAYERS for statistic in STATISTICS)
OF_A_DIFFERENCE = (
    *("squared_error", "unit_squared_error", "difference_mean", "difference_variance"),
    *("variance_change", "gram_error"),
)


@pytest.fixture
def images(rng):
    reference = rng.integers(0, 256, (65, 97, 3)).astype(np.uint8)
    noise = rng.normal(0, 20, (3, *reference.shape))
    return reference, np.clip(reference + noise, 0, 255).astype(np.uint8)


def test_agrees_with_plain_numpy(alexnet, images):
    reference, distorted = images
    found = computed.versions(FeatureStatistics(alexnet, ARRAYS), reference, distorted)
    assert set(found) == {f"{layer}/{statistic}" for layer, statistic in ARRAYS}
    r, d = (oracle.alexnet(x, alexnet.parameters) for x in (reference, distorted[1]))
    for layer in LAYERS:
        channels = alexnet.channels[layer]
        for statistic in STATISTICS:
            values = found[f"{layer}/{statistic}"]
            assert values.shape == (3, STATISTICS[statistic].length(channels))
            assert values.dtype == jnp.float32
        for statistic, expected in (
            ("squared_error", np.mean((r[layer] - d[layer]) ** 2, (0, 1))),
            ("variance_reference", r[layer].var((0, 1))),
        ):
            found_here = found[f"{layer}/{statistic}"][1]
            rounding = 1e-5 * expected.max()  # of the network, whose channels share their sums
            np.testing.assert_allclose(found_here, expected, 1e-4, rounding, err_msg=statistic)


@pytest.mark.parametrize("model", ["alexnet", "vgg16"])
def test_identical_images_are_at_no_distance(model, checkpoints, images):
    """Whatever a compiler merges: in every layer."""
    backbone = load_backbone(model, checkpoints_dir=checkpoints)
    arrays = tuple((layer, name) for layer in backbone.layers for name in OF_A_DIFFERENCE)
    versions = images[1].copy()
    versions[1] = images[0]
    found = computed.versions(FeatureStatistics(backbone, arrays), images[0], versions)
    assert [name for name, values in found.items() if (values[1] != 0).any()] == []
    assert [name for name, values in found.items() if not values[0].any()] == []


def test_short_names_are_written_out():
    arrays = [("layer1", "squared_error"), ("layer1.1", "squared_error"), ("conv1", "gram_error")]
    expected = [("layer1.1", "squared_error"), ("conv1", "gram_error")]
    outline = FeatureStatistics.outline("resnet18-random-none-seed0", arrays)
    assert outline.arrays == tuple(expected)


@pytest.mark.parametrize(
    ("arrays", "size", "complaint"),
    [
        (
            [("relu9", "squared_error")],
            (80, 80),
            "alexnet has no layer relu9; it has: relu5, relu4",
        ),
        ([("relu1", "squares")], (80, 80), "no statistic squares; there are: squared_error, unit"),
        ([("pool5", "squared_error")], (40, 80), "at least 63x63 pixels for its layer pool5"),
    ],
)
def test_refuses_what_a_backbone_does_not_have(arrays, size, complaint, checkpoints):
    with pytest.raises(InputError, match=complaint):
        FeatureStatistics.outline("alexnet", arrays, checkpoints_dir=checkpoints).check_size(*size)
    arrays = [("relu1", "squared_error")]
    FeatureStatistics.outline("alexnet", arrays, checkpoints_dir=checkpoints).check_size(*size)


def test_statistics_have_no_bounds():
    backbone = outline_backbone("resnet20-random-none-seed0")
    statistics = FeatureStatistics(backbone, (("conv1", "mean_reference"), ("conv1", "gram_error")))
    assert statistics.score_ranges == [(-math.inf, math.inf)] * 2
