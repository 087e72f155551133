"""Layers that the architectures share, with the padding and order of their PyTorch originals."""

import functools
from collections.abc import Callable, Sequence

import jax
from flax import nnx

Layer = Callable[[jax.Array], jax.Array]


def conv(
    in_channels: int,
    out_channels: int,
    size: int,
    *,
    stride: int = 1,
    padding: int = 0,
    rngs: nnx.Rngs,
) -> nnx.Conv:
    """A square convolution with bias.

    Args:
      in_channels: Of the input.
      out_channels: Of the output.
      size: Height and width of the kernel.
      stride: Step in both directions.
      padding: Number of zeros on every side.
      rngs: Source of the initial parameters.
    """
    return nnx.Conv(
        in_channels,
        out_channels,
        (size, size),
        strides=(stride, stride),
        padding=((padding, padding), (padding, padding)),
        rngs=rngs,
    )


def max_pool(size: int, stride: int) -> Layer:
    """A square max pooling without padding; an incomplete last window is dropped."""
    return functools.partial(
        nnx.max_pool, window_shape=(size, size), strides=(stride, stride), padding="VALID"
    )


def named_activations(
    layers: Sequence[Layer], names: Sequence[str | None], x: jax.Array
) -> dict[str, jax.Array]:
    """Runs ``layers`` one after another and keeps the outputs that have a name.

    Args:
      layers: Each maps ``[B, H, W, C]`` to the next.
      names: What the literature calls the output of each layer; None where it is not kept.
      x: The input ``[B, H, W, C]``.

    Returns:
      ``{name: [B, height, width, channels]}`` in forward order.
    """
    activations = {}
    for layer, name in zip(layers, names, strict=True):
        x = layer(x)
        if name is not None:
            activations[name] = x
    return activations
