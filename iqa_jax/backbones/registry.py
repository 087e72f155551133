"""Every architecture by name, built as a pure function."""

import functools
from collections.abc import Callable, Mapping
from typing import cast

import jax
import numpy as np
from flax import nnx

from iqa_jax.backbones import (
    alexnet,
    clip_resnet,
    convnext,
    densenet,
    efficientnet,
    efficientnet_lite,
    parametric_perceptnet,
    perceptnet,
    resnet,
    squeezenet,
    vgg,
    vit,
)
from iqa_jax.backbones.folding import FoldedNorm, fold_modules, fold_parameters
from iqa_jax.backbones.network import Network, from_module

_FAMILIES: Mapping[str, Mapping[str, Callable[..., nnx.Module]]] = {
    "alexnet": alexnet.VARIANTS,
    "vgg": vgg.VARIANTS,
    "resnet": resnet.VARIANTS,
    "densenet": densenet.VARIANTS,
    "squeezenet": squeezenet.VARIANTS,
    "efficientnet": {**efficientnet.VARIANTS, **efficientnet_lite.VARIANTS},
    "convnext": convnext.VARIANTS,
    "clip_resnet": clip_resnet.VARIANTS,
    "perceptnet": {**perceptnet.VARIANTS, **parametric_perceptnet.VARIANTS},
    "vit": vit.VARIANTS,
}

ARCHITECTURES: Mapping[str, Callable[..., nnx.Module]] = {
    name: builder for variants in _FAMILIES.values() for name, builder in variants.items()
}
"""Builders of the networks without heads, by name; they take the keyword argument ``rngs``."""


def family(architecture: str) -> str:
    """The family of a key of :data:`ARCHITECTURES`."""
    return next(name for name, variants in _FAMILIES.items() if architecture in variants)


@functools.cache
def build(architecture: str) -> Network:
    """The network for a key of :data:`ARCHITECTURES`, in the form in which weights are stored."""
    return from_module(abstract_module(architecture), family(architecture))


def build_folded(architecture: str) -> Network:
    """The network as it is run: :func:`build` with batch norms folded into convolutions."""
    network, _ = _folded(architecture)
    return network


def fold(architecture: str, parameters: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Converts the parameters of :func:`build` to those of :func:`build_folded`.

    Args:
      architecture: Key of :data:`ARCHITECTURES`.
      parameters: Float32 arrays by dotted name.
    """
    _, norms = _folded(architecture)
    return fold_parameters(parameters, norms)


@functools.cache
def _folded(architecture: str) -> tuple[Network, tuple[FoldedNorm, ...]]:
    module = abstract_module(architecture)
    norms = fold_modules(module)
    return from_module(module, family(architecture)), norms


def abstract_module(architecture: str) -> nnx.Module:
    """The module of a key of :data:`ARCHITECTURES`, with shapes instead of parameters."""
    return nnx.eval_shape(lambda: ARCHITECTURES[architecture](rngs=cast(nnx.Rngs, _OneKey())))


class _OneKey:
    """One key for every parameter: none is actually drawn, and counting keys takes seconds."""

    def __init__(self):
        self._key = jax.random.key(0)

    def params(self) -> jax.Array:
        return self._key
