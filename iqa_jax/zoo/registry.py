"""The registry: every network by name, and the channel weights published for some of them."""

import re
from collections.abc import Mapping, Sequence

from iqa_jax.backbones import ARCHITECTURES
from iqa_jax.errors import InputError
from iqa_jax.text import do_you_mean
from iqa_jax.zoo import cifar10, keras, perceptual, selfsupervised, torchvision, transformers
from iqa_jax.zoo.entries import Model, PublishedRelevance

STUDY = "@study46"
"""Shorthand for all networks in the grid of 46."""

_TRAINED = {
    **torchvision.MODELS,
    **selfsupervised.MODELS,
    **keras.MODELS,
    **cifar10.MODELS,
    **transformers.MODELS,
}
_EXAMPLES = {model.trunk: model for model in reversed(_TRAINED.values())}
_UNTRAINED = re.compile(r"(?P<trunk>\w+)-random-none-seed(?P<seed>\d{1,9})")


def _untrained(trunk: str, seed: int) -> Model:
    """A network before training, with the preprocessing of the trained ones."""
    example = _EXAMPLES[trunk]
    return Model(
        architecture=example.architecture,
        goal="random",
        environment="none",
        trunk=trunk,
        preprocessing=example.preprocessing,
        parameters=example.parameters,
        seed=seed,
    )


MODELS: Mapping[str, Model] = {
    **_TRAINED,
    **{f"{trunk}-random-none-seed0": _untrained(trunk, 0) for trunk in ARCHITECTURES},
}

RELEVANCES: Mapping[str, PublishedRelevance] = perceptual.RELEVANCES


def find_model(name: str) -> Model:
    """The model called ``name``; untrained networks exist for every seed.

    Raises:
      InputError: If there is no such model; the message suggests similar names.
    """
    if name in MODELS:
        return MODELS[name]
    match = _UNTRAINED.fullmatch(name)
    if match and match["trunk"] in ARCHITECTURES:
        return _untrained(match["trunk"], int(match["seed"]))
    hint = do_you_mean(name, MODELS)
    raise InputError(f"there is no model {name!r}; {hint}iqa models lists all")


def expand_models(names: Sequence[str]) -> list[str]:
    """Names of models, with ``@study46`` expanded to its networks and duplicates removed.

    Raises:
      InputError: If another name begins with ``@``.
    """
    for name in names:
        if name.startswith("@") and name != STUDY:
            hint = do_you_mean(name, [STUDY])
            raise InputError(f"there is no group {name!r}; {hint}there is: {STUDY}")
    study = [name for name, model in MODELS.items() if model.in_study]
    expanded = [each for name in names for each in (study if name == STUDY else [name])]
    return list(dict.fromkeys(expanded))


def list_models(
    *, architecture: str | None = None, goal: str | None = None, environment: str | None = None
) -> list[str]:
    """Names of the models with the given factors.

    Args:
      architecture: Name in the literature, such as ``vgg16``; None for any.
      goal: Training objective, such as ``supervised``; None for any.
      environment: Training images, such as ``imagenet1k``; None for any.

    Example:
      >>> import iqa_jax
      >>> iqa_jax.list_models(architecture="alexnet", goal="rotnet")
      ['alexnet-rotnet-imagenet1k']
    """
    return [
        name
        for name, model in MODELS.items()
        if architecture in (None, model.architecture)
        and goal in (None, model.goal)
        and environment in (None, model.environment)
    ]
