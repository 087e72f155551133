"""What is taken of CLIP's files, and what is left."""

import numpy as np
import pytest
from golden.configurations import read_trunk
from golden.formats import FORMATS

from iqa_jax.backbones import build
from iqa_jax.errors import CheckpointError
from iqa_jax.weights.conversion import convert
from iqa_jax.zoo import MODELS

NAME = "resnet50-clip-wit400m"


def convert_clip(**changes):
    """Converts a file of zeros with other arrays in some places."""
    zeros = {
        name: np.broadcast_to(np.float32(0), shape)
        for name, shape in read_trunk("clip_resnet50").parameters.items()
    }
    arrays = FORMATS["clip"].tree("clip_resnet50", zeros) | changes
    (conversion,) = MODELS[NAME].conversions
    shapes = build("clip_resnet50").parameters
    return convert(arrays, shapes, conversion.renames, conversion.ignored)


def test_only_the_image_encoder_is_converted():
    found = convert_clip(**{"visual.bn1.bias": np.arange(32, dtype=np.float16)})
    assert set(found) == set(build("clip_resnet50").parameters)
    np.testing.assert_array_equal(found["bn1.bias"], np.arange(32))
    assert {array.dtype for array in found.values()} == {np.dtype(np.float32)}


def test_nothing_else_is_passed_over():
    weight = np.zeros((3, 3), np.float32)
    with pytest.raises(
        CheckpointError, match=r"ln_first.weight \(text.ln_first.kernel\): is not part"
    ):
        convert_clip(**{"ln_first.weight": weight})
    with pytest.raises(
        CheckpointError, match=r"visual.layer5.0.conv1.weight \(layer5.0.conv1.kernel\): is not"
    ):
        convert_clip(**{"visual.layer5.0.conv1.weight": weight})
