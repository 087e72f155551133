"""Channel vectors of unit length, as in LPIPS: Zhang et al. 2018, equation 1."""

import functools
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.readouts.packing import LANES, Packed
from iqa_jax.readouts.safe import finite_or_nan, inverse_norms, inverse_roots


def to_unit_length(activations: jax.Array) -> Packed:
    """The channel vectors of activations ``[height, width, channels]``, scaled to unit length.

    In float32. Each is rounded by itself, so that equal vectors have a difference of exactly 0; a
    zero vector stays zero.
    """
    packed = Packed.of(activations)
    by_channels, by_product = (
        functools.partial(scale, channels=packed.channels)
        for scale in (scaled_by_channels, scaled_by_product)
    )
    if packed.values.shape[-1] != LANES:  # then the matrix unit has no advantage
        return replace(packed, values=by_channels(packed.values))
    scaled = jax.lax.platform_dependent(packed.values, tpu=by_product, default=by_channels)
    return replace(packed, values=scaled)


def scaled_by_channels(values: jax.Array, channels: int) -> jax.Array:
    """Packed vectors of unit length, with lengths from sums over channels.

    Args:
      values: Values of a :class:`Packed`.
      channels: Number of channels.
    """
    vectors = Packed(values.astype(jnp.float32), channels).unpacked()
    # A compiler might otherwise merge one of two equal products into their difference.
    return finite_or_nan(vectors * inverse_norms(vectors)).reshape(values.shape)


def scaled_by_product(values: jax.Array, channels: int) -> jax.Array:
    """The same for TPUs: the matrix unit puts each sum of squares into all lanes of its vector."""
    vectors = values.astype(jnp.float32)
    place = np.arange(values.shape[-1]) // channels
    is_same_vector = jnp.asarray(place[:, None] == place, jnp.float32)
    # The square of a bfloat16 number is the sum of two, so three products are exact.
    is_half = values.dtype == jnp.bfloat16
    precision = jax.lax.Precision.HIGH if is_half else jax.lax.Precision.HIGHEST
    squares = jnp.matmul(jnp.square(vectors), is_same_vector, precision=precision)
    return finite_or_nan(vectors * inverse_roots(squares))
