"""Convolutions with the results of XLA's, rewritten where these are slow on a CPU or a TPU."""

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp

_FEW_CHANNELS = 4
"""Up to this many channels leave most of a TPU idle, which computes 128 at a time."""


def convolve(
    x: jax.Array,
    kernel: jax.Array,
    strides: tuple[int, int],
    padding: Sequence[tuple[int, int]],
    *,
    feature_group_count: int,
    **options: Any,
) -> jax.Array:
    """Convolves images, with the results and arguments of ``jax.lax.conv_general_dilated``.

    Args:
      x: Input ``[B, H, W, C]``.
      kernel: Kernel ``[height, width, C / feature_group_count, channels]``.
      strides: Strides in both directions.
      padding: Numbers of zeros before and after, in both directions.
      feature_group_count: Number of independent groups of channels.
      options: Further arguments of ``jax.lax.conv_general_dilated``.
    """
    by_xla = functools.partial(
        jax.lax.conv_general_dilated, window_strides=strides, padding=padding, **options
    )
    if feature_group_count == x.shape[-1] == kernel.shape[-1]:
        return jax.lax.platform_dependent(
            x,
            kernel,
            cpu=functools.partial(shift_and_add, strides=strides, padding=padding),
            default=functools.partial(by_xla, feature_group_count=feature_group_count),
        )
    if feature_group_count > 1:
        groups = zip(
            jnp.split(x, feature_group_count, -1),
            jnp.split(kernel, feature_group_count, -1),
            strict=True,
        )
        alone = functools.partial(convolve, feature_group_count=1, **options)
        return jnp.concatenate([alone(*group, strides, padding) for group in groups], -1)
    if math.prod(x.shape[1:3]) < math.prod(kernel.shape[:2]):
        # On CPUs, XLA would swap the roles of kernel and image and be fifty times slower.
        precision = options.get("precision")
        return jax.lax.platform_dependent(
            x,
            kernel,
            cpu=functools.partial(
                _patches_times_kernel, strides=strides, padding=padding, precision=precision
            ),
            default=by_xla,
        )
    if x.shape[-1] <= _FEW_CHANNELS and min(strides) > 1:
        blockwise = functools.partial(by_blocks, strides=strides, padding=padding, **options)
        return jax.lax.platform_dependent(x, kernel, tpu=blockwise, default=by_xla)
    return by_xla(x, kernel)


def by_blocks(
    x: jax.Array,
    kernel: jax.Array,
    *,
    strides: tuple[int, int],
    padding: Sequence[tuple[int, int]],
    **options: Any,
) -> jax.Array:
    """A strided convolution as one with stride 1, whose channels are the pixels of a block.

    Blocks have the size of the strides. Zeros around the kernel, which is small, make its blocks
    those of the image; in float32, zeros around the image keep the kernel smaller.

    Args:
      x: Input ``[B, H, W, C]``.
      kernel: Kernel ``[height, width, C, channels]``.
      strides: Strides in both directions.
      padding: Numbers of zeros before and after, in both directions.
      options: Further arguments of ``jax.lax.conv_general_dilated``.
    """
    if x.dtype == jnp.float32:  # up to six passes: products cost more than a copy of the image
        x, padding = jnp.pad(x, ((0, 0), *padding, (0, 0))), ((0, 0), (0, 0))
    margins, edges = zip(
        *map(_aligned, x.shape[1:3], kernel.shape[:2], strides, padding), strict=True
    )
    rows, columns = strides
    x = jnp.pad(x, ((0, 0), (0, -x.shape[1] % rows), (0, -x.shape[2] % columns), (0, 0)))
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height // rows, rows, width, channels)
    x = jnp.swapaxes(x, 2, 3)
    x = x.reshape(batch, height // rows, width // columns, columns * rows * channels)
    kernel = jnp.pad(kernel, (*margins, (0, 0), (0, 0)))
    height, width, _, features = kernel.shape
    kernel = kernel.reshape(height // rows, rows, width, channels, features)
    kernel = jnp.swapaxes(kernel, 1, 2)
    kernel = kernel.reshape(height // rows, width // columns, -1, features)
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), edges, **options)


def _aligned(
    length: int, extent: int, stride: int, padding: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """In one direction, the zeros that make blocks of a kernel, and the blocks around the image."""
    before, after = padding
    positions = max(0, (length + before + after - extent) // stride + 1)
    margin = (-before % stride, (before - extent) % stride)
    taps = (sum(margin) + extent) // stride
    first = (before + margin[0]) // stride
    return margin, (first, positions - 1 + taps - first - -(-length // stride))


def _patches_times_kernel(
    x: jax.Array,
    kernel: jax.Array,
    *,
    strides: tuple[int, int],
    padding: Sequence[tuple[int, int]],
    precision: jax.lax.PrecisionLike,
) -> jax.Array:
    """A convolution as a matrix product; each row is the patch seen at one position."""
    patches = jnp.concatenate(list(_shifted(x, kernel.shape[:2], strides, padding)), -1)
    matrix = kernel.reshape(-1, kernel.shape[-1])
    return jnp.matmul(patches, matrix, precision=precision)


def shift_and_add(
    x: jax.Array,
    kernel: jax.Array,
    *,
    strides: tuple[int, int],
    padding: Sequence[tuple[int, int]],
) -> jax.Array:
    """A depthwise convolution as a sum of shifted images; many times faster on CPUs.

    Args:
      x: Input ``[B, H, W, C]``.
      kernel: Kernel ``[height, width, 1, C]``, or ``[height, width, 1, 1]`` to share one kernel
        between all channels.
      strides: Strides in both directions.
      padding: Numbers of zeros before and after, in both directions.
    """
    weights = kernel.reshape(-1, 1, 1, 1, kernel.shape[-1])
    shifted = _shifted(x, kernel.shape[:2], strides, padding)
    return functools.reduce(
        jnp.add, (each * weight for each, weight in zip(shifted, weights, strict=True))
    )


def _shifted(
    x: jax.Array,
    size: tuple[int, ...],
    strides: tuple[int, int],
    padding: Sequence[tuple[int, int]],
) -> Iterator[jax.Array]:
    """Yields the input shifted to each kernel position, row by row: ``[B, height, width, C]``."""
    x = jnp.pad(x, ((0, 0), *padding, (0, 0)))
    height, width = (
        max(0, (length - extent) // stride + 1)
        for length, extent, stride in zip(x.shape[1:3], size, strides, strict=True)
    )
    for row, column in itertools.product(*map(range, size)):
        yield x[:, row:, column:][:, :: strides[0], :: strides[1]][:, :height, :width]
