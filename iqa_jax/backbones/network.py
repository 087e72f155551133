"""Architectures as pure functions of their parameters."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from flax import nnx

from iqa_jax.backbones.alexnet import AlexNet
from iqa_jax.backbones.vgg import vgg16

Activations = dict[str, jax.Array]
Parameters = Mapping[str, jax.Array]

ARCHITECTURES: Mapping[str, Callable[..., nnx.Module]] = {"alexnet": AlexNet, "vgg16": vgg16}

_TRACED_SIZE = 256


@dataclass(frozen=True, eq=False)
class Network:
    """An architecture without weights.

    Attributes:
      apply: ``(parameters, x)`` -> named activations; ``x`` is the preprocessed input
        ``[B, H, W, C]``, an activation ``[B, height, width, channels]``.
      parameters: Shape and type of every parameter, by dotted name (``features.0.kernel``).
      channels: Number of channels of every activation, in forward order.
    """

    apply: Callable[[Parameters, jax.Array], Activations]
    parameters: Mapping[str, jax.ShapeDtypeStruct]
    channels: Mapping[str, int]

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the activations in forward order."""
        return tuple(self.channels)


@functools.cache
def build(architecture: str) -> Network:
    """Builds a network of :data:`ARCHITECTURES` without initialising any parameter."""
    graph, state = nnx.split(nnx.eval_shape(lambda: ARCHITECTURES[architecture](rngs=nnx.Rngs(0))))
    leaves = {".".join(map(str, path)): (path, leaf) for path, leaf in nnx.to_flat_state(state)}
    shapes = {
        name: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for name, (_, leaf) in leaves.items()
    }

    def apply(parameters: Parameters, x: jax.Array) -> Activations:
        filled = [(path, leaf.replace(parameters[name])) for name, (path, leaf) in leaves.items()]
        return nnx.merge(graph, nnx.from_flat_state(filled))(x)

    channels = {}

    def record(parameters: Parameters, x: jax.Array) -> None:
        # jit would sort the activations by name: their order is that in which they are made.
        channels.update({name: a.shape[-1] for name, a in apply(parameters, x).items()})

    x = jax.ShapeDtypeStruct((1, _TRACED_SIZE, _TRACED_SIZE, 3), jnp.float32)
    jax.eval_shape(record, shapes, x)
    return Network(apply, shapes, channels)
