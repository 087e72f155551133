"""Layers shared by the architectures, with the padding and order of their PyTorch originals."""

import functools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from iqa_jax.backbones.convolution import convolve

Layer = Callable[[jax.Array], jax.Array]


class Chain(nnx.List):
    """Layers applied in sequence, named by number as in PyTorch's ``Sequential``."""

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps ``x`` through all layers."""
        for layer in self:
            x = layer(x)
        return x


def conv(
    in_channels: int,
    out_channels: int,
    size: int,
    *,
    stride: int = 1,
    padding: int | tuple[int, int] = 0,
    groups: int = 1,
    bias: bool = True,
    rngs: nnx.Rngs,
) -> nnx.Conv:
    """A square convolution.

    Args:
      in_channels: Number of channels of the input.
      out_channels: Number of channels of the output.
      size: Height and width of the kernel.
      stride: Stride in both directions.
      padding: Number of zeros on every side, or the numbers before and after.
      groups: Number of independent groups of channels.
      bias: Whether to add a bias.
      rngs: Source of the initial parameters.
    """
    before, after = (padding, padding) if isinstance(padding, int) else padding
    return nnx.Conv(
        in_channels,
        out_channels,
        (size, size),
        strides=(stride, stride),
        padding=((before, after), (before, after)),
        feature_group_count=groups,
        use_bias=bias,
        conv_general_dilated=convolve,
        kernel_init=nnx.initializers.zeros_init(),  # fast; parameters are always replaced
        rngs=rngs,
    )


class BatchNorm(nnx.BatchNorm):
    """Batch normalisation with stored moments.

    Attributes:
      after: Name of the convolution directly before it in the same parent, into which it can be
        folded; None if there is none.
    """

    def __init__(
        self, channels: int, *, after: str | None = None, epsilon: float = 1e-5, rngs: nnx.Rngs
    ):
        super().__init__(channels, use_running_average=True, epsilon=epsilon, rngs=rngs)
        self.after = after


def max_pool(size: int, stride: int, *, padding: int = 0, ceil: bool = False) -> Layer:
    """A square max pooling.

    Args:
      size: Height and width of the window.
      stride: Stride in both directions.
      padding: Margin on every side, which is never the maximum.
      ceil: Whether to keep an incomplete last window; otherwise it is dropped.
    """

    def pool(x: jax.Array) -> jax.Array:
        rest = [(length + 2 * padding - size) % stride for length in x.shape[1:3]]
        margins = [(padding, padding + (stride - each if ceil and each else 0)) for each in rest]
        by_window = functools.partial(
            jax.lax.reduce_window,
            init_value=-jnp.inf,
            computation=jax.lax.max,
            window_dimensions=(1, size, size, 1),
            window_strides=(1, stride, stride, 1),
            padding=((0, 0), *margins, (0, 0)),
        )
        by_maxima = functools.partial(max_of_shifted, size=size, stride=stride, margins=margins)
        # Of equal numbers, the derivative belongs to the first, as in PyTorch.
        greatest = jax.custom_jvp(
            lambda x: jax.lax.platform_dependent(x, cpu=by_maxima, default=by_window)
        )
        greatest.defjvp(lambda primals, tangents: jax.jvp(by_window, primals, tangents))
        return greatest(x)

    return pool


def max_of_shifted(
    x: jax.Array, *, size: int, stride: int, margins: Sequence[tuple[int, int]]
) -> jax.Array:
    """Max pooling for CPUs, on which XLA takes the numbers of its windows one by one.

    Args:
      x: ``[B, H, W, C]``.
      size: Height and width of the window.
      stride: Stride in both directions.
      margins: Margins before and after, of rows and of columns.
    """
    x = jnp.pad(x, ((0, 0), *margins, (0, 0)), constant_values=-jnp.inf)
    height, width = (max(0, (length - size) // stride + 1) for length in x.shape[1:3])
    rows = functools.reduce(jnp.maximum, (x[:, each::stride][:, :height] for each in range(size)))
    return functools.reduce(
        jnp.maximum, (rows[:, :, each::stride][:, :, :width] for each in range(size))
    )


def l2_pool(x: jax.Array) -> jax.Array:
    """Square root of the blurred squares, with stride 2: Ding et al. 2020, arXiv 2004.07728.

    The blur is a five-point Hanning window, whose two end points are zero. Unlike max pooling, it
    does not alias (Henaff and Simoncelli 2016, arXiv 1511.06394).
    """
    window = np.hanning(5)[1:-1]
    kernel = np.outer(window, window)[:, :, None, None] / window.sum() ** 2
    blurred = convolve(
        jnp.square(x.astype(jnp.float32)),
        jnp.asarray(np.repeat(kernel, x.shape[-1], -1), jnp.float32),
        (2, 2),
        ((1, 1), (1, 1)),
        feature_group_count=x.shape[-1],
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        precision=jax.lax.Precision.HIGHEST,
    )
    return l2_root(blurred, x.dtype)


def l2_root(blurred: jax.Array, dtype: jnp.dtype) -> jax.Array:
    """Last step of :func:`l2_pool`: root of the blurred squares, rounded to a type."""
    return jnp.sqrt(blurred + 1e-12).astype(dtype)  # the constant is DISTS's


def local_response_norm(x: jax.Array) -> jax.Array:
    """Divides by the energy of the five nearest channels: Krizhevsky et al. 2012, section 3.3.

    The constants are those of Caffe's AlexNet, in PyTorch's convention: size 5, alpha 1e-4, beta
    0.75.
    """
    channels = x.shape[-1]
    squares = jnp.pad(jnp.square(x), ((0, 0), (0, 0), (0, 0), (2, 2)))
    energy = sum(squares[..., shift : shift + channels] for shift in range(5))
    return x * (1 + (1e-4 / 5) * energy) ** -0.75


def average_pool(size: int) -> Layer:
    """A square average pooling without overlap; an incomplete last window is dropped."""

    def pool(x: jax.Array) -> jax.Array:
        batch, height, width, channels = x.shape
        rows, columns = height // size, width // size
        windows = x[:, : rows * size, : columns * size]
        windows = windows.reshape(batch, rows, size, columns, size, channels)
        return jnp.mean(windows, axis=(2, 4))

    return pool


def named_activations(
    layers: Sequence[Layer], names: Sequence[str | None], x: jax.Array
) -> dict[str, jax.Array]:
    """Runs ``layers`` in sequence and keeps the named outputs.

    Args:
      layers: Layers, each mapping ``[B, H, W, C]`` to the input of the next.
      names: Name of each layer's output in the literature; None to discard it.
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
