"""Backbones: frozen networks that map images to named activations. The only users of flax."""

from iqa_jax.backbones.backbone import INPUT, PRECISIONS, Backbone
from iqa_jax.backbones.network import ARCHITECTURES, Network, build

__all__ = ["ARCHITECTURES", "INPUT", "PRECISIONS", "Backbone", "Network", "build"]
