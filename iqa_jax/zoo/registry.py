"""The registry: every network by name, and the channel weights published for some of them."""

import re
from collections.abc import Mapping, Sequence

from iqa_jax.backbones import ARCHITECTURES
from iqa_jax.errors import InputError
from iqa_jax.text import do_you_mean
from iqa_jax.zoo import (
    alexnets,
    cifar10,
    clip,
    efficientnet_lite,
    epoch_series,
    keras,
    perceptnet,
    perceptual,
    selfsupervised,
    torchvision,
    transformers,
)
from iqa_jax.zoo.entries import Model, PublishedRelevance

STUDY46 = "@study46"
"""Shorthand for the 46 networks of the paper (our reconstruction)."""

STUDY = "@study"
"""Shorthand for all networks that the claims of the papers need, with their untrained controls."""

_ADDED = (
    *("vgg16-supervised-imagenet1k-keras", "vgg19-supervised-imagenet1k-keras"),
    *("vgg11", "vgg13", "densenet161"),
    *(f"efficientnet_b{number}" for number in range(1, 8)),
    *efficientnet_lite.MODELS,
    *cifar10.MODELS,
    *epoch_series.MODELS,
)
"""Trained networks of :data:`STUDY` besides those of :data:`STUDY46`."""

_CONTROL_SEEDS = range(3)

TRANSFORMERS = "@transformers"
"""Shorthand for all trained vision transformers."""

_TRAINED = {
    **torchvision.MODELS,
    **alexnets.MODELS,
    **selfsupervised.MODELS,
    **epoch_series.MODELS,
    **keras.MODELS,
    **cifar10.MODELS,
    **transformers.MODELS,
    **clip.MODELS,
    **perceptnet.MODELS,
    **efficientnet_lite.MODELS,
}
_EXAMPLES = {model.trunk: model for model in reversed(_TRAINED.values())}
CALIBRATED = "-calibrated"
"""End of the name of an untrained network whose normalisations fit the references of a dataset."""

_UNTRAINED = re.compile(
    rf"(?P<trunk>\w+)-random-none-seed(?P<seed>\d{{1,9}})(?P<calibrated>{CALIBRATED})?"
)


def _untrained(trunk: str, seed: int, *, calibrated: bool = False) -> Model:
    """A network before training, with the preprocessing of the trained ones."""
    example = _EXAMPLES[trunk]
    return Model(
        architecture=example.architecture,
        goal="random",
        environment="none",
        trunk=trunk,
        preprocessing=example.preprocessing,
        parameters=example.parameters,
        epochs=0,
        recipe="none",
        seed=seed,
        calibrated=calibrated,
    )


MODELS: Mapping[str, Model] = {
    **_TRAINED,
    **{f"{trunk}-random-none-seed0": _untrained(trunk, 0) for trunk in ARCHITECTURES},
}

RELEVANCES: Mapping[str, PublishedRelevance] = perceptual.RELEVANCES


def find_model(name: str) -> Model:
    """The model called ``name``; untrained networks exist for every seed, also calibrated.

    Raises:
      InputError: If there is no such model; the message suggests similar names.
    """
    if name in MODELS:
        return MODELS[name]
    match = _UNTRAINED.fullmatch(name)
    if match and match["trunk"] in ARCHITECTURES:
        return _untrained(
            match["trunk"], int(match["seed"]), calibrated=match["calibrated"] is not None
        )
    hint = do_you_mean(name, MODELS)
    raise InputError(f"there is no model {name!r}; {hint}iqa models lists all")


def _groups() -> Mapping[str, Sequence[str]]:
    """Names of the networks of every group, by its shorthand."""
    grid = [name for name, model in MODELS.items() if model.in_study]
    trained = [*grid, *_ADDED]
    trunks = dict.fromkeys(MODELS[name].trunk for name in trained)
    controls = [f"{trunk}-random-none-seed{seed}" for trunk in trunks for seed in _CONTROL_SEEDS]
    transformers = [name for name, model in _TRAINED.items() if model.family == "vit"]
    return {STUDY46: grid, STUDY: [*trained, *controls], TRANSFORMERS: transformers}


def expand_models(names: Sequence[str]) -> list[str]:
    """Names of models, with groups such as ``@study46`` expanded and duplicates removed.

    Raises:
      InputError: If there is no such group.
    """
    groups = _groups()
    for name in names:
        if name.startswith("@") and name not in groups:
            hint = do_you_mean(name, groups)
            raise InputError(f"there is no group {name!r}; {hint}there are: {', '.join(groups)}")
    return list(dict.fromkeys(each for name in names for each in groups.get(name, [name])))


def list_models(
    *,
    architecture: str | None = None,
    family: str | None = None,
    trunk: str | None = None,
    depth: int | None = None,
    goal: str | None = None,
    goal_family: str | None = None,
    environment: str | None = None,
    labels: str | None = None,
    luminance_only: bool | None = None,
    epochs: int | None = None,
    training_resolution: int | None = None,
    recipe: str | None = None,
) -> list[str]:
    """Names of the models with the given factors; None means any.

    Args:
      architecture: Name in the literature, such as ``vgg16``.
      family: Family of architectures, such as ``vgg``.
      trunk: Exact variant of the architecture, such as ``vgg16_bn``.
      depth: Number of layers with weights on the longest path through the convolutional part.
      goal: Training objective, such as ``supervised``.
      goal_family: Kind of objective: ``supervised``, ``semi-supervised``, ``pretext``,
        ``clustering``, ``contrastive``, ``redundancy`` or ``none``.
      environment: Training images, such as ``imagenet1k``.
      labels: What people said of the training images, such as ``classes``, or ``none``.
      luminance_only: Whether the network is shown images without colour.
      epochs: Number of passes over the training images.
      training_resolution: Height and width of the training images in pixels.
      recipe: Code and settings of the training, such as ``torchvision``.

    Example:
      >>> import iqa_jax
      >>> iqa_jax.list_models(architecture="alexnet", goal="rotnet")
      ['alexnet-rotnet-imagenet1k']
      >>> iqa_jax.list_models(goal_family="redundancy")
      ['resnet50-barlowtwins-imagenet1k', 'resnet50-barlowtwins-imagenet1k-300ep']
    """
    wanted = {field: value for field, value in locals().items() if value is not None}
    return [
        name
        for name, model in MODELS.items()
        if all(getattr(model, field) == value for field, value in wanted.items())
    ]
