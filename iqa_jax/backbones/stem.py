"""The strided convolution with which ResNets and DenseNets begin, and the pooling after it."""

import functools

import jax
import jax.numpy as jnp
from flax import nnx

from iqa_jax.backbones.convolution import by_blocks
from iqa_jax.backbones.layers import Layer, max_pool
from iqa_jax.backbones.paired import pairs_apart, rectified_pairs

_CHANNELS = 64
"""Number of channels of which pairs of pixels fill the lanes of a TPU."""

_STRIDE, _MARGIN = 2, 3

STEM_POOL = max_pool(3, 2, padding=1)
"""The pooling after the convolution."""


def rectify_and_pool(conv: nnx.Conv, norm: Layer, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The rectified activations ``[B, height, width, channels]``, and the pooled ones.

    A TPU computes two neighbouring pixels of the output at once if the normalisation is folded.

    Args:
      conv: Convolution of the preprocessed input with stride 2 and a margin of 3 pixels.
      norm: Normalisation after it.
      x: The input ``[B, H, W, C]``.
    """

    def by_layers(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        activations = nnx.relu(norm(conv(x)))
        return activations, STEM_POOL(activations)

    width = jax.eval_shape(conv, x).shape[2]
    if isinstance(norm, nnx.BatchNorm) or conv.out_features != _CHANNELS or width % 2:
        return by_layers(x)
    return jax.lax.platform_dependent(
        x, tpu=functools.partial(rectify_and_pool_pairs, conv), default=by_layers
    )


def rectify_and_pool_pairs(conv: nnx.Conv, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The same for a convolution with a bias whose output has an even width."""
    # The two pixels of a pair see the image through one kernel, a stride apart.
    left, right = (
        jnp.pad(conv.kernel[...], ((0, 0), (before, _STRIDE - before), (0, 0), (0, 0)))
        for before in (0, _STRIDE)
    )
    pairs = by_blocks(
        x,
        jnp.concatenate([left, right], axis=-1),
        strides=(_STRIDE, 2 * _STRIDE),
        padding=((_MARGIN, _MARGIN), (_MARGIN, _MARGIN)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    assert conv.bias is not None
    pairs = rectified_pairs(pairs, conv.bias[...])
    return pairs_apart(pairs), _pool_of_pairs(pairs)


def _pool_of_pairs(pairs: jax.Array) -> jax.Array:
    """:data:`STEM_POOL` of pairs ``[B, H, W / 2, 2 * C]``."""
    rows = jax.lax.reduce_window(
        pairs, -jnp.inf, jax.lax.max, (1, 3, 1, 1), (1, 2, 1, 1), ((0, 0), (1, 1), (0, 0), (0, 0))
    )
    before = jnp.pad(rows[:, :, :-1], ((0, 0), (0, 0), (1, 0), (0, 0)), constant_values=-jnp.inf)
    channels = pairs.shape[-1] // 2
    # Shifted as pairs, since half of the channels would have to be moved between the lanes.
    return jnp.maximum(rows[..., :channels], jnp.maximum(rows, before)[..., channels:])
