"""Conventions that hold for everything public."""

import importlib
import inspect
import pkgutil

import pytest

import iqa_jax

MODULES = [
    importlib.import_module(info.name)
    for info in pkgutil.walk_packages(iqa_jax.__path__, "iqa_jax.")
]
PUBLIC = [
    pytest.param(value, id=f"{module.__name__}.{name}")
    for module in MODULES
    for name, value in vars(module).items()
    if not name.startswith("_")
    and getattr(value, "__module__", None) == module.__name__
    and (inspect.isfunction(value) or inspect.isclass(value))
]


def test_top_level_is_what_the_readme_says():
    assert set(iqa_jax.__all__) == {
        *("evaluate", "fetch", "flip", "fsim", "fsimc", "gmsd", "haarpsi", "iw_ssim"),
        *("list_metrics", "list_models"),
        *("load_backbone", "load_metric", "mdsi", "ms_gmsd", "ms_ssim", "nlpd", "psnr", "score"),
        *("ssim", "ssimulacra2", "stream", "StreamMetric", "train_relevance", "vif", "vsi"),
    }


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_modules_say_what_they_are_about(module):
    assert module.__doc__


@pytest.mark.parametrize("value", PUBLIC)
def test_public_things_are_documented(value):
    assert value.__doc__
    if inspect.isfunction(value):
        arguments = [name for name in inspect.signature(value).parameters if name != "self"]
        if len(arguments) > 2:
            for name in arguments:
                assert f"{name}:" in value.__doc__, name


@pytest.mark.parametrize("value", PUBLIC)
def test_images_are_called_reference_and_distorted(value):
    functions = [value] if inspect.isfunction(value) else []
    if inspect.isclass(value):
        functions = [each for _, each in inspect.getmembers(value, inspect.isfunction)]
    for function in functions:
        names = set(inspect.signature(function).parameters)
        assert not names & {"img", "img1", "img2", "image1", "image2", "pred", "target_image"}
