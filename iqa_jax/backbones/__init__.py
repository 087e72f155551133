"""Backbones: frozen networks that map images to named activations. The only users of flax."""

from iqa_jax.backbones.backbone import PRECISIONS, Backbone
from iqa_jax.backbones.network import (
    ARCHITECTURES,
    INPUT,
    Activations,
    Network,
    aliases,
    build,
    family,
    fold,
    from_function,
)

__all__ = [
    "ARCHITECTURES",
    "INPUT",
    "PRECISIONS",
    "Activations",
    "Backbone",
    "Network",
    "aliases",
    "build",
    "family",
    "fold",
    "from_function",
]
