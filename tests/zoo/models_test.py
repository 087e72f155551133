import math

import pytest

from iqa_jax.backbones import build
from iqa_jax.zoo import MODELS, list_models

PARAMETERS = {"alexnet": 2_469_696, "vgg16": 14_714_688}
"""Of torchvision's `alexnet().features` and `vgg16().features`."""


def test_every_model_is_counted_here():
    assert set(MODELS) == set(PARAMETERS)


@pytest.mark.parametrize("name", MODELS)
def test_parameter_counts(name):
    shapes = build(MODELS[name].architecture).parameters.values()
    assert sum(math.prod(each.shape) for each in shapes) == PARAMETERS[name]
    assert MODELS[name].parameters == PARAMETERS[name]


def test_listing_by_factor():
    assert list_models() == list(MODELS)
    assert list_models(architecture="vgg16") == ["vgg16"]
    assert list_models(goal="supervised", environment="imagenet1k") == ["alexnet", "vgg16"]
    assert list_models(goal="jigsaw") == []
