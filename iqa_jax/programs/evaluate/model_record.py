"""Descriptions of the networks in ``run.json``, of those that were left out, too."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from etils import epath

from iqa_jax.backbones import INPUT, Backbone, Network
from iqa_jax.errors import InputError
from iqa_jax.images.resize import Size
from iqa_jax.zoo import find_model, has_weights
from iqa_jax.zoo.functions import is_own
from iqa_jax.zoo.listing import facts

_SMALL, _LARGE = 448, 896
"""Heights of two images whose difference every stride up to 64 divides, and those of patches of 14
pixels, too."""


def absent_models(
    models: Iterable[str],
    in_memory: Iterable[str] = (),
    *,
    checkpoints_dir: epath.PathLike | None = None,
) -> list[str]:
    """The models whose weights have not been fetched.

    Args:
      models: Names of models.
      in_memory: Names of those that are in memory.
      checkpoints_dir: Folder of all checkpoints.

    Raises:
      InputError: If there is no such model.
    """
    known = set(in_memory)
    return [
        name
        for name in models
        if name not in known
        and not is_own(name)
        and not has_weights(name, checkpoints_dir=checkpoints_dir)
    ]


def describe_models(
    models: Sequence[str], backbones: Mapping[str, Backbone], absent: Iterable[str], size: Size
) -> dict[str, dict[str, Any]]:
    """Describes each model that was asked for or used by a metric, by its name.

    The facts of the registry come first, for those that are in it. ``weights_sha256`` is the hash
    of the weights, ``image_size`` the height and width for which ``layers`` has the positions of
    each layer, as height and width, beside its channels and its stride; the stride is null if it is
    not the same everywhere. A model without weights has the reason under ``absent`` instead.

    Args:
      models: Names of all models that were asked for.
      backbones: The networks that were used, by name.
      absent: Names of those without weights.
      size: Height and width of an image of the dataset.
    """
    left_out, described = set(absent), {}
    for name in (*models, *backbones):
        backbone = backbones.get(name)
        described[name] = _registered(name, backbone)
        if name in left_out:
            described[name]["absent"] = f"no weights; iqa fetch --models={name}"
        elif backbone:
            described[name] |= _run(backbone, size)
    return described


def _registered(name: str, backbone: Backbone | None) -> dict[str, Any]:
    """The facts of the registry; none about a function of the user."""
    if is_own(name) or (backbone and not backbone.network.family):
        return {}
    return facts(find_model(name))


def _run(backbone: Backbone, size: Size) -> dict[str, Any]:
    shapes = backbone.shapes(*size)
    strides = _strides(backbone.network)
    return {
        "weights_sha256": backbone.sha256,
        "image_size": list(size),
        "layers": {
            layer: {
                "channels": backbone.channels[layer],
                "positions": list(shapes[layer][:2]),
                "stride": strides.get(layer),
            }
            for layer in backbone.layers
        },
    }


@functools.cache
def _strides(network: Network) -> dict[str, int]:
    """Pixels from one position of each layer to the next, where there are several."""
    if not network.parameters:  # a function of the user, which may take no other sizes
        return {}

    def heights(height: int) -> dict[str, int]:
        x = jax.ShapeDtypeStruct((1, height, height, network.in_channels), jnp.float32)
        shapes = jax.eval_shape(network.apply, network.parameters, x)
        return {layer: each.shape[1] for layer, each in shapes.items()}

    try:
        small, large = heights(_SMALL), heights(_LARGE)
    except InputError:  # a network for images of one size
        return {}
    added = {layer: large[layer] - small[layer] for layer in small}
    strides = {
        layer: (_LARGE - _SMALL) // more
        for layer, more in added.items()
        if more and (_LARGE - _SMALL) % more == 0
    }
    return {INPUT: 1, **strides}
