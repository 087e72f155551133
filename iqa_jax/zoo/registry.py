"""The registry: every network by name, and the channel weights that were published for some."""

import difflib
import re
from collections.abc import Mapping, Sequence

from iqa_jax.backbones import ARCHITECTURES
from iqa_jax.errors import InputError
from iqa_jax.zoo import cifar10, keras, perceptual, selfsupervised, torchvision
from iqa_jax.zoo.entries import Model, PublishedRelevance

STUDY = "@study46"
"""Stands for all networks of the grid of 46."""

_TRAINED = {**torchvision.MODELS, **selfsupervised.MODELS, **keras.MODELS, **cifar10.MODELS}
_EXAMPLES = {model.trunk: model for model in reversed(_TRAINED.values())}
_UNTRAINED = re.compile(r"(?P<trunk>\w+)-random-none-seed(?P<seed>\d{1,9})")


def _untrained(trunk: str, seed: int) -> Model:
    """A network as it is before training, with the preprocessing of those that were trained."""
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
    """The model called ``name``; of untrained networks there is one for every seed.

    Raises:
      InputError: If there is none; the message lists those that are called alike.
    """
    if name in MODELS:
        return MODELS[name]
    match = _UNTRAINED.fullmatch(name)
    if match and match["trunk"] in ARCHITECTURES:
        return _untrained(match["trunk"], int(match["seed"]))
    alike = ", ".join(difflib.get_close_matches(name, MODELS))
    hint = f"do you mean {alike}? " if alike else ""
    raise InputError(f"there is no model {name!r}; {hint}iqa models lists all")


def expand_models(names: Sequence[str]) -> list[str]:
    """Names of models with ``@study46`` replaced by the grid that it stands for."""
    study = [name for name, model in MODELS.items() if model.in_study]
    expanded = [each for name in names for each in (study if name == STUDY else [name])]
    return list(dict.fromkeys(expanded))


def list_models(
    *, architecture: str | None = None, goal: str | None = None, environment: str | None = None
) -> list[str]:
    """Names of the models with the given factors.

    Args:
      architecture: Such as ``vgg16``; None for any.
      goal: What the network was trained for, such as ``supervised``; None for any.
      environment: The images that it was trained on, such as ``imagenet1k``; None for any.

    Example:
      >>> import iqa_jax
      >>> iqa_jax.list_models(architecture="vgg16", goal="supervised")[0]
      'vgg16'
    """
    return [
        name
        for name, model in MODELS.items()
        if architecture in (None, model.architecture)
        and goal in (None, model.goal)
        and environment in (None, model.environment)
    ]
