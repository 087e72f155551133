"""Architectures as pure functions of their parameters."""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from iqa_jax.backbones import alexnet, convnext, densenet, efficientnet, resnet, squeezenet, vgg
from iqa_jax.backbones.folding import Fold, fold_modules, fold_parameters
from iqa_jax.errors import InputError

Activations = dict[str, jax.Array]
Parameters = Mapping[str, jax.Array]

ARCHITECTURES: Mapping[str, Callable[..., nnx.Module]] = {
    "alexnet": alexnet.AlexNet,
    "alexnet_bvlc": alexnet.alexnet_bvlc,
    "alexnet_jigsaw": alexnet.alexnet_jigsaw,
    "alexnet_colorization": alexnet.alexnet_colorization,
    "alexnet_rotnet": alexnet.alexnet_rotnet,
    "alexnet_deepcluster": alexnet.alexnet_deepcluster,
    "vgg11": vgg.vgg11,
    "vgg13": vgg.vgg13,
    "vgg16": vgg.vgg16,
    "vgg16_l2pool": vgg.vgg16_l2pool,
    "vgg19": vgg.vgg19,
    "vgg11_bn": functools.partial(vgg.vgg11, normalised=True),
    "vgg13_bn": functools.partial(vgg.vgg13, normalised=True),
    "vgg16_bn": functools.partial(vgg.vgg16, normalised=True),
    "vgg19_bn": functools.partial(vgg.vgg19, normalised=True),
    "resnet18": resnet.resnet18,
    "resnet34": resnet.resnet34,
    "resnet50": resnet.resnet50,
    "resnet101": resnet.resnet101,
    "resnet152": resnet.resnet152,
    "resnet50_colorization": resnet.resnet50_colorization,
    "resnet20": functools.partial(resnet.CifarResNet, 3),
    "resnet32": functools.partial(resnet.CifarResNet, 5),
    "resnet44": functools.partial(resnet.CifarResNet, 7),
    "resnet56": functools.partial(resnet.CifarResNet, 9),
    "densenet121": densenet.densenet121,
    "densenet161": densenet.densenet161,
    "densenet169": densenet.densenet169,
    "densenet201": densenet.densenet201,
    "squeezenet1_0": squeezenet.squeezenet1_0,
    "squeezenet1_1": squeezenet.squeezenet1_1,
    "efficientnet_b0": efficientnet.efficientnet_b0,
    "efficientnet_b1": efficientnet.efficientnet_b1,
    "efficientnet_b2": efficientnet.efficientnet_b2,
    "efficientnet_b3": efficientnet.efficientnet_b3,
    "efficientnet_b4": efficientnet.efficientnet_b4,
    "efficientnet_b5": efficientnet.efficientnet_b5,
    "efficientnet_b6": efficientnet.efficientnet_b6,
    "efficientnet_b7": efficientnet.efficientnet_b7,
    "convnext_tiny": convnext.convnext_tiny,
    "convnext_base": convnext.convnext_base,
}
"""Builders of the convolutional parts; with the keyword ``rngs``."""

INPUT = "input"
"""The layer that every backbone has: the pixels in [0, 1], before preprocessing."""

_TRACED_SIZE = 256


@dataclass(frozen=True, eq=False)
class Network:
    """An architecture without weights.

    Attributes:
      apply: ``(parameters, x)`` -> named activations; ``x`` is the preprocessed input
        ``[B, H, W, C]``, an activation ``[B, height, width, channels]``.
      parameters: Shape and type of every parameter, by dotted name (``features.0.kernel``).
      in_channels: Number of channels of ``x``.
      family: What its revisions are counted for; empty for a function of a user.
    """

    apply: Callable[[Parameters, jax.Array], Activations]
    parameters: Mapping[str, jax.ShapeDtypeStruct]
    in_channels: int = 3
    family: str = ""

    @functools.cached_property
    def channels(self) -> Mapping[str, int]:
        """Number of channels of every activation, in forward order."""
        channels = {}

        def record(parameters: Parameters, x: jax.Array) -> None:
            # jit would sort the activations by name: their order is that in which they are made.
            activations = self.apply(parameters, x)
            channels.update({name: a.shape[-1] for name, a in activations.items()})

        shape = (1, _TRACED_SIZE, _TRACED_SIZE, self.in_channels)
        jax.eval_shape(record, self.parameters, jax.ShapeDtypeStruct(shape, jnp.float32))
        return channels

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the activations in forward order."""
        return tuple(self.channels)


@functools.cache
def build(architecture: str) -> Network:
    """Builds a network of :data:`ARCHITECTURES` without initialising any parameter."""
    return _network(_abstract(architecture), family(architecture))


def fold(
    architecture: str, parameters: Mapping[str, np.ndarray]
) -> tuple[Network, dict[str, np.ndarray]]:
    """The network with its batch normalisations folded into convolutions, and its parameters.

    Args:
      architecture: Key of :data:`ARCHITECTURES`.
      parameters: Those of ``build(architecture)``.
    """
    network, folds = _build_folded(architecture)
    return network, fold_parameters(parameters, folds)


@functools.cache
def _build_folded(architecture: str) -> tuple[Network, tuple[Fold, ...]]:
    module = _abstract(architecture)
    folds = fold_modules(module)
    return _network(module, family(architecture)), folds


def from_function(function: Callable[[jax.Array], Activations]) -> Network:
    """A network without parameters.

    Args:
      function: From images ``[B, H, W, 3]`` in [0, 1] to named activations
        ``[B, height, width, channels]``.

    Raises:
      InputError: When it is run and returns anything else.
    """
    return Network(lambda parameters, x: _checked(function(x)), {})


def aliases(layers: Sequence[str]) -> dict[str, str]:
    """Short names: ``layer2`` means the last of ``layer2.0``, ``layer2.1``, ...

    A layer that is itself called ``layer2`` keeps its name.
    """
    short = {name.rpartition(".")[0]: name for name in layers if "." in name}
    return {alias: name for alias, name in short.items() if alias not in layers}


def family(architecture: str) -> str:
    """The family of an architecture: the letters that its name begins with."""
    match = re.match("[a-z]+", architecture)
    assert match is not None
    return match[0]


def _abstract(architecture: str) -> nnx.Module:
    return nnx.eval_shape(lambda: ARCHITECTURES[architecture](rngs=cast(nnx.Rngs, _OneKey())))


class _OneKey:
    """The same key for every parameter, none of which is drawn: counting keys takes seconds."""

    def __init__(self):
        self._key = jax.random.key(0)

    def params(self) -> jax.Array:
        return self._key


def _network(module: nnx.Module, family: str) -> Network:
    graph, state = nnx.split(module)
    leaves = {".".join(map(str, path)): (path, leaf) for path, leaf in nnx.to_flat_state(state)}
    shapes = {
        name: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for name, (_, leaf) in leaves.items()
    }

    def apply(parameters: Parameters, x: jax.Array) -> Activations:
        filled = [(path, leaf.replace(parameters[name])) for name, (path, leaf) in leaves.items()]
        return nnx.merge(graph, nnx.from_flat_state(filled))(x)

    return Network(apply, shapes, getattr(module, "in_channels", 3), family)


def _checked(activations: Any) -> Activations:
    found = type(activations).__name__
    if isinstance(activations, Mapping) and INPUT in activations:
        raise InputError(
            f"a backbone function has to leave the name {INPUT} to the pixels; call its layer "
            "something else"
        )
    if isinstance(activations, Mapping) and activations:
        wrong = {
            name: getattr(value, "shape", type(value).__name__)
            for name, value in activations.items()
            if not (isinstance(name, str) and getattr(value, "ndim", 0) == 4)
        }
        if not wrong:
            return dict(activations)
        found = ", ".join(f"{name}: {shape}" for name, shape in wrong.items())
    raise InputError(
        "a backbone function has to return a dict from names to activations "
        f"[batch, height, width, channels], got {found}"
    )
