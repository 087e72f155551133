import math
from collections import Counter

import pytest

from iqa_jax.backbones import ARCHITECTURES, build
from iqa_jax.errors import InputError
from iqa_jax.zoo import MODELS, expand_models, find_model, list_models
from iqa_jax.zoo.goals import GOAL_FAMILIES, GOALS
from iqa_jax.zoo.registry import STUDY, STUDY46


@pytest.mark.parametrize("name", MODELS)
def test_parameter_counts(name):
    shapes = build(MODELS[name].trunk).parameters
    moments = (".mean", ".var")
    counted = [each.shape for key, each in shapes.items() if not key.endswith(moments)]
    assert sum(map(math.prod, counted)) == MODELS[name].parameters


def test_counts_are_the_published_ones():
    """They are torchvision's ``num_params`` minus the parameters of the omitted classifier."""
    assert MODELS["resnet50"].parameters == 25_557_032 - 1000 * 2049
    assert MODELS["densenet121"].parameters == 7_978_856 - 1000 * 1025
    assert MODELS["efficientnet_b0"].parameters == 5_288_548 - 1000 * 1281
    assert MODELS["efficientnet_lite2"].parameters == 6_092_072 - 1000 * 1281
    assert MODELS["squeezenet1_1"].parameters == 1_235_496 - 1000 * 513
    assert MODELS["convnext_tiny"].parameters == 28_589_128 - 1000 * 769 - 2 * 768


def test_the_study_has_46_networks():
    study = expand_models([STUDY46])
    assert len(study) == 46
    assert Counter(MODELS[name].architecture for name in study)["resnet50"] == 23
    assert Counter(MODELS[name].architecture for name in study)["alexnet"] == 12
    assert expand_models(["resnet50", STUDY46, "vgg11"]) == [
        "resnet50",
        *(name for name in study if name != "resnet50"),
        "vgg11",
    ]
    with pytest.raises(
        InputError, match="group '@study64'; do you mean @study46.*there are: @study46, @study"
    ):
        expand_models(["vgg11", "@study64"])


def test_the_transformers_are_a_group():
    transformers = expand_models(["@transformers"])
    assert len(transformers) == len({MODELS[name].trunk for name in transformers}) >= 17
    assert {MODELS[name].family for name in transformers} == {"vit"}
    assert "random" not in {MODELS[name].goal for name in transformers}


def test_the_study_has_what_its_claims_need():
    grid, study = expand_models([STUDY46]), expand_models([STUDY])
    assert study[:46] == grid
    models = {name: find_model(name) for name in study}
    assert len(models) == len(study)
    trunks = {model.trunk for model in models.values()}
    controls = Counter(model.trunk for model in models.values() if model.goal == "random")
    assert controls == Counter(dict.fromkeys(trunks, 3))
    trained = {name: model for name, model in models.items() if model.goal != "random"}
    depths = {(model.architecture, model.depth) for model in trained.values()}
    assert len([name for name, _ in depths if name.startswith("vgg")]) == 4
    assert len([name for name, _ in depths if name.startswith("efficientnet_b")]) == 8
    assert {model.environment for model in trained.values()} >= {"cifar10", "yfcc100m+imagenet1k"}
    epochs = {model.epochs for model in trained.values() if model.goal == "simclr"}
    assert epochs == {100, 200, 400, 800, 1000}
    assert expand_models(["@study46", "@study"]) == study


@pytest.mark.parametrize("name", MODELS)
def test_long_names_contain_the_factors(name):
    model = MODELS[name]
    if "-" in name:
        architecture, goal, environment, *_ = name.split("-")
        first, *_ = model.environment.split("+")  # the name has the first of several
        assert (goal, environment) == (model.goal, first)
        assert architecture in (model.architecture, model.trunk)
    else:
        assert (model.goal, model.environment) == ("supervised", "imagenet1k")


def test_every_architecture_has_its_untrained_control():
    untrained = {MODELS[name].trunk for name in list_models(goal="random", environment="none")}
    assert untrained == set(ARCHITECTURES)


def test_listing_by_factor():
    assert list_models() == list(MODELS)
    assert list_models(architecture="vgg16", goal="random") == [
        "vgg16-random-none-seed0",
        "vgg16_l2pool-random-none-seed0",
    ]
    assert list_models(goal="jigsaw", environment="imagenet22k") == [
        "alexnet-jigsaw-imagenet22k",
        "resnet50-jigsaw-imagenet22k",
    ]


def test_everything_downloaded_has_a_licence_and_a_citation():
    for name, model in MODELS.items():
        for conversion in model.conversions:
            assert conversion.source.licence, name
            assert conversion.source.citation, name


def test_an_unknown_name_gets_suggestions():
    with pytest.raises(InputError, match="no model 'resnet-50'; do you mean resnet50"):
        find_model("resnet-50")
    with pytest.raises(InputError, match="no model 'dinov2'; iqa models lists all"):
        find_model("dinov2")


@pytest.mark.parametrize("name", MODELS)
def test_every_fact_is_stated(name):
    model = MODELS[name]
    assert model.trunk.startswith(model.family)
    assert model.goal_family in GOAL_FAMILIES
    assert model.recipe
    assert " " not in model.recipe
    assert model.luminance_only == (build(model.trunk).in_channels == 1)
    if model.goal == "random":
        assert (model.epochs, model.labels, model.recipe) == (0, "none", "none")
        assert (model.environment, model.goal_family) == ("none", "none")
    else:
        assert model.epochs is None or 10 <= model.epochs <= 1600
        assert "none" not in (model.environment, model.goal_family, model.recipe)


def test_goal_families():
    assert {goal.family for goal in GOALS.values()} == set(GOAL_FAMILIES)
    assert {model.goal for model in MODELS.values()} == set(GOALS)
    assert MODELS["resnet50-swav-imagenet1k"].goal_family == "clustering"
    assert MODELS["resnet50-pirl-imagenet1k"].goal_family == "contrastive"
    assert MODELS["vgg16"].labels == "classes"


def test_listing_by_what_follows_from_others():
    assert list_models(goal_family="redundancy") == list_models(goal="barlowtwins")
    assert list_models(family="vgg", depth=8, recipe="torchvision") == ["vgg11", "vgg11_bn"]
    assert set(list_models(luminance_only=True, goal_family="pretext")) == set(
        list_models(goal="colorization")
    )
    assert list_models(training_resolution=32) == list_models(environment="cifar10")
    assert "alexnet" not in list_models(labels="none")
    assert list_models(epochs=0) == list_models(goal="random")
