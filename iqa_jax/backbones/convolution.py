"""Convolutions, rewritten where XLA is slow on CPUs; accelerators use XLA's own."""

import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp


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
    return by_xla(x, kernel)


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
