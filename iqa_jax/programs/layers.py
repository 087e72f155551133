"""Layers of models, as users name them."""

from collections.abc import Mapping, Sequence

from iqa_jax.backbones import INPUT, aliases
from iqa_jax.errors import InputError
from iqa_jax.readouts import parse_layers

ALL = "all"
CUMULATIVE = "cumulative"

Joined = tuple[str, ...]
"""Names of layers of one model that are read out together."""


def resolve(
    layers: Sequence[str],
    models: Mapping[str, Sequence[str]],
    on_request: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, list[Joined]]:
    """Finds which of the requested layers each model has.

    Args:
      layers: Names of layers, concatenations joined by ``+``, ``all`` (every single layer) and
        ``cumulative`` (the first n layers joined, ``input`` left out, for every n).
      models: The layers of each model, by its name, in forward order.
      on_request: Further layers of each model that must be named; None if no model has any.

    Returns:
      Full names of the layers by model, in the requested order, each once.

    Raises:
      InputError: If no model has one of the layers.
    """
    further = on_request or {}
    found = {
        text: {
            model: _of_model(text, known, further.get(model, ())) for model, known in models.items()
        }
        for text in layers
    }
    for text, by_model in found.items():
        if not any(by_model.values()):
            there = "".join(
                f"\n  {model}: {', '.join([*known, *further.get(model, ())])}"
                for model, known in models.items()
            )
            raise InputError(f"no model has the layer {text}; there are:{there}")
    return {
        model: list(
            dict.fromkeys(joined for by_model in found.values() for joined in by_model[model])
        )
        for model in models
    }


def without_input(known: Sequence[str]) -> Joined:
    """The layers of a model other than ``input``."""
    return tuple(name for name in known if name != INPUT)


def _of_model(text: str, known: Sequence[str], further: Sequence[str]) -> list[Joined]:
    """Layers that a text names in a model with the layers ``known``, and ``further`` if named."""
    if text == ALL:
        return [(name,) for name in known]
    if text == CUMULATIVE:
        inner = without_input(known)
        return [inner[: count + 1] for count in range(len(inner))]
    short = aliases(known)
    names = tuple(short.get(name, name) for name in parse_layers(text))
    return [names] if set(names) <= {*known, *further} else []
