"""Architectures as pure functions of their parameters."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from iqa_jax.errors import InputError

Activations = dict[str, jax.Array]
Parameters = Mapping[str, jax.Array]

INPUT = "input"
"""A layer of every backbone: the pixels in [0, 1], before preprocessing."""

_TRACED_SIZE = 256


def check_multiples(height: int, width: int, multiple: int) -> None:
    """Checks that a network of patches can take images of a size.

    Args:
      height: Height of the images in pixels.
      width: Width of the images in pixels.
      multiple: Height and width of a patch.

    Raises:
      InputError: If a side is no multiple; the message names the nearest sizes.
    """
    if height % multiple or width % multiple:
        raise InputError(not_multiples(height, width, multiple))


def not_multiples(height: int, width: int, multiple: int) -> str:
    """A sentence about sides that are no multiples, which names the nearest sizes.

    Args:
      height: Height of the images in pixels.
      width: Width of the images in pixels.
      multiple: Height and width of a patch.
    """
    rows, columns = (max(length // multiple, 1) * multiple for length in (height, width))
    taller, wider = (-(-length // multiple) * multiple for length in (height, width))
    nearest = dict.fromkeys([f"{columns}x{rows}", f"{wider}x{taller}"])
    return (
        f"needs images whose sides are multiples of {multiple} pixels, got {width}x{height}; the "
        f"nearest sizes are {' and '.join(nearest)}; resize=multiple:{multiple} takes the nearest"
    )


@dataclass(frozen=True, eq=False)
class Network:
    """An architecture without weights.

    Attributes:
      apply: Function from ``(parameters, x)`` to named activations; ``x`` is the preprocessed
        input ``[B, H, W, C]``, an activation is ``[B, height, width, channels]``.
      parameters: Shape and type of every parameter, by dotted name (``features.0.kernel``).
      in_channels: Number of channels of ``x``.
      family: Family of architectures, which has a revision; empty for a user's function.
      multiple: Height and width of images must be multiples of this number of pixels.
      on_request: Names of activations that do not belong to all layers.
    """

    apply: Callable[[Parameters, jax.Array], Activations]
    parameters: Mapping[str, jax.ShapeDtypeStruct]
    in_channels: int = 3
    family: str = ""
    multiple: int = 1
    on_request: tuple[str, ...] = ()

    @functools.cached_property
    def channels(self) -> Mapping[str, int]:
        """Number of channels of every activation, in forward order."""
        channels = {}

        def record(parameters: Parameters, x: jax.Array) -> None:
            # Recorded while tracing, because JAX sorts the returned dict by name.
            activations = self.apply(parameters, x)
            channels.update({name: a.shape[-1] for name, a in activations.items()})

        size = _TRACED_SIZE // self.multiple * self.multiple
        shape = (1, size, size, self.in_channels)
        jax.eval_shape(record, self.parameters, jax.ShapeDtypeStruct(shape, jnp.float32))
        return channels

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the activations in forward order, without those on request."""
        return tuple(name for name in self.channels if name not in self.on_request)


def from_module(module: nnx.Module, family: str) -> Network:
    """Turns a module into a network.

    Args:
      module: Module from a preprocessed input to named activations; its parameters may be shapes.
      family: Family of the architecture; see :class:`Network`.
    """
    graph, state = nnx.split(module)
    leaves = {".".join(map(str, path)): (path, leaf) for path, leaf in nnx.to_flat_state(state)}
    shapes = {
        name: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) for name, (_, leaf) in leaves.items()
    }

    def apply(parameters: Parameters, x: jax.Array) -> Activations:
        filled = [(path, leaf.replace(parameters[name])) for name, (path, leaf) in leaves.items()]
        return nnx.merge(graph, nnx.from_flat_state(filled))(x)

    return Network(
        apply,
        shapes,
        getattr(module, "in_channels", 3),
        family,
        getattr(module, "multiple", 1),
        getattr(module, "on_request", ()),
    )


def from_function(function: Callable[[jax.Array], Activations]) -> Network:
    """Turns a function into a network without parameters.

    Args:
      function: Function from images ``[B, H, W, 3]`` in [0, 1] to named activations
        ``[B, height, width, channels]``.

    Raises:
      InputError: If the function, when run, returns anything else.
    """
    return Network(lambda parameters, x: _checked(function(x)), {})


def aliases(layers: Sequence[str]) -> dict[str, str]:
    """Short names of layers: ``layer2`` for the last of ``layer2.0``, ``layer2.1``, ...

    A layer that is itself called ``layer2`` takes precedence.
    """
    short = {name.rpartition(".")[0]: name for name in layers if "." in name}
    return {alias: name for alias, name in short.items() if alias not in layers}


def _checked(activations: Any) -> Activations:
    found = type(activations).__name__
    if isinstance(activations, Mapping) and INPUT in activations:
        raise InputError(
            f"a backbone function must not return a layer called {INPUT}, the name of the pixels; "
            "rename the layer"
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
        "a backbone function must return a dict from names to activations "
        f"[batch, height, width, channels], got {found}"
    )
