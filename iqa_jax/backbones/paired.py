"""Convolutions of two neighbouring pixels at once, for TPUs.

A TPU multiplies blocks of 128 channels, so 64 channels use a quarter of it. Two neighbouring pixels
of a row are one of twice the channels, in the same order in memory. The kernel of such a pair is
half zeros, and still twice as fast.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.backbones.layers import l2_root

Convolution = tuple[jax.Array, jax.Array]
"""Kernel ``[3, 3, in, out]`` and bias ``[out]``."""


def pair_kernel(kernel: jax.Array) -> jax.Array:
    """The kernel between pairs of pixels.

    Args:
      kernel: Kernel ``[3, 3, in, out]`` between single pixels.

    Returns:
      ``[3, 3, 2 * in, 2 * out]``.
    """
    height, _, in_channels, out_channels = kernel.shape
    # Columns from the left pixel of the pair before to the right pixel of the pair after.
    left, right = (
        jnp.pad(kernel, ((0, 0), (1 + place, 2 - place), (0, 0), (0, 0))) for place in (0, 1)
    )
    left, right = (each.reshape(height, 3, 2 * in_channels, out_channels) for each in (left, right))
    return jnp.concatenate([left, right], axis=-1)


def paired_convolutions(
    x: jax.Array, convolutions: Sequence[Convolution], pool: Callable[[jax.Array], jax.Array]
) -> tuple[jax.Array, ...]:
    """3x3 convolutions with a margin of one pixel, each followed by a rectification, and a pooling.

    Args:
      x: Input ``[B, H, W, C]`` of even width.
      convolutions: Kernel and bias of each.
      pool: Pooling of pairs, from ``[B, H, W / 2, 2 * channels]`` to ``[B, height, width,
        channels]``.

    Returns:
      Activations ``[B, H, W, channels]`` of each convolution, then the pooled ones.
    """
    batch, height, width, channels = x.shape
    pairs = x.reshape(batch, height, width // 2, 2 * channels)
    activations = []
    for kernel, bias in convolutions:
        pairs = jax.lax.conv_general_dilated(
            pairs,
            pair_kernel(kernel),
            (1, 1),
            ((1, 1), (1, 1)),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
        pairs = rectified_pairs(pairs, bias)
        activations.append(pairs_apart(pairs))
    return *activations, pool(pairs)


def rectified_pairs(pairs: jax.Array, bias: jax.Array) -> jax.Array:
    """Pairs ``[B, H, W / 2, 2 * C]`` plus a bias ``[C]``, rectified."""
    pairs = jax.nn.relu(pairs + jnp.tile(bias, 2).reshape(1, 1, 1, -1))
    # Otherwise XLA writes these twice, once for each of the shapes in which they are read.
    return jax.lax.optimization_barrier(pairs)


def pairs_apart(pairs: jax.Array) -> jax.Array:
    """The pixels ``[B, H, W, C]`` of pairs ``[B, H, W / 2, 2 * C]``."""
    batch, height, columns, channels = pairs.shape
    return pairs.reshape(batch, height, 2 * columns, channels // 2)


def max_pool_of_pairs(pairs: jax.Array) -> jax.Array:
    """2x2 max pooling with stride 2 of pairs ``[B, H, W / 2, 2 * C]``."""
    rows, channels = pairs.shape[1] // 2 * 2, pairs.shape[-1] // 2
    higher = jnp.maximum(pairs[:, 0:rows:2], pairs[:, 1:rows:2])
    return jnp.maximum(higher[..., :channels], higher[..., channels:])


def l2_pool_of_pairs(pairs: jax.Array) -> jax.Array:
    """DISTS's pooling, ``l2_pool``, of pairs ``[B, H, W / 2, 2 * C]``, by the matrix unit."""
    channels = pairs.shape[-1] // 2
    # Quarters of the window [1, 2, 1]: right pixel of the pair before, then both of the pair.
    window, by_pair = np.asarray([1, 2, 1]) / 4, np.asarray([[0, 1], [2, 1]]) / 4
    kernel = np.einsum("h,wp,io->hwpio", window, by_pair, np.eye(channels))
    # The square of a bfloat16 number is the sum of two, so three products are exact.
    is_half = pairs.dtype == jnp.bfloat16
    blurred = jax.lax.conv_general_dilated(
        jnp.square(pairs.astype(jnp.float32)),
        jnp.asarray(kernel.reshape(3, 2, 2 * channels, channels), jnp.float32),
        (2, 1),
        ((1, 1), (1, 0)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        precision=jax.lax.Precision.HIGH if is_half else jax.lax.Precision.HIGHEST,
    )
    return l2_root(blurred, pairs.dtype)
