"""Networks and metrics in memory, separated from those given by name."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from iqa_jax.backbones import Backbone
from iqa_jax.errors import InputError
from iqa_jax.metrics import Metric
from iqa_jax.zoo import expand_models, load_backbone
from iqa_jax.zoo.functions import Function

Object = TypeVar("Object", Backbone, Metric)


def find_backbones(models: Any, *, precision: str) -> tuple[tuple[str, ...], dict[str, Backbone]]:
    """Names of networks, and those networks that are in memory.

    Args:
      models: Names, ``Backbone`` objects and backbone functions, or one of these.
      precision: Precision of the backbone functions.

    Raises:
      InputError: If an item is anything else, or two objects have the same name.
    """

    def load(model: Any) -> Backbone:
        if isinstance(model, Backbone):
            return model
        if callable(model) and not isinstance(model, Metric):
            return load_backbone(cast(Function, model), precision=precision)
        raise InputError(
            f"models: expected names, backbones or backbone functions, got {type(model).__name__}"
        )

    names, found = _sort(models, load)
    return tuple(expand_models(names)), found


def find_metrics(metrics: Any) -> tuple[tuple[str, ...], dict[str, Metric]]:
    """Names of metrics, and those metrics that are in memory.

    Args:
      metrics: Names, ``Metric`` objects and learned relevances, or one of these.

    Raises:
      InputError: If an item is anything else, or two objects have the same name.
    """

    def load(metric: Any) -> Metric:
        metric = getattr(metric, "metric", metric)  # of a learned relevance
        if isinstance(metric, Metric):
            return metric
        raise InputError(f"metrics: expected names or metrics, got {type(metric).__name__}")

    names, found = _sort(metrics, load)
    return tuple(names), found


def _sort(values: Any, load: Callable[[Any], Object]) -> tuple[list[str], dict[str, Object]]:
    """All names in order, and the objects by their names."""
    is_one = isinstance(values, str) or not isinstance(values, Iterable)
    names: list[str] = []
    objects: dict[str, Object] = {}
    for value in [values] if is_one else values:
        if isinstance(value, str):
            names.append(value)
            continue
        loaded = load(value)
        if objects.setdefault(loaded.name, loaded) is not loaded:
            raise InputError(
                f"{loaded.name}: expected different names, got two objects with this name"
            )
        names.append(loaded.name)
    return names, objects
