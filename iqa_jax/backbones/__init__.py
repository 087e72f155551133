"""Backbones: frozen networks that map images to named activations. The only users of flax."""

from iqa_jax.backbones.backbone import PRECISIONS, Backbone, check_layers
from iqa_jax.backbones.network import INPUT, Activations, Network, aliases, from_function
from iqa_jax.backbones.registry import ARCHITECTURES, build, build_folded, family, fold

__all__ = [
    "ARCHITECTURES",
    "INPUT",
    "PRECISIONS",
    "Activations",
    "Backbone",
    "Network",
    "aliases",
    "build",
    "build_folded",
    "check_layers",
    "family",
    "fold",
    "from_function",
]
