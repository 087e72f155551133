"""Order statistics of many numbers, without sorting them."""

import jax
import jax.numpy as jnp

_HIGHEST_BIT = 30
"""Position of the highest bit of a float32 after its sign."""


@jax.custom_jvp
def median(values: jax.Array) -> jax.Array:
    """Median of numbers >= 0 along the last axis.

    On a CPU, sorting takes about ten times as long.

    Args:
      values: float32 ``[..., N]``.

    Returns:
      float32 ``[...]``; the mean of the two middle numbers if N is even. The derivative is shared
      equally by the numbers that equal a middle one.
    """
    lower, upper = _middle(values)
    return (lower + upper) / 2


@median.defjvp
def _median_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]):
    (values,), (changes,) = primals, tangents
    lower, upper = _middle(values)

    def change(number: jax.Array) -> jax.Array:
        is_it = (values == number[..., None]).astype(values.dtype)
        return jnp.sum(is_it * changes, axis=-1) / jnp.maximum(jnp.sum(is_it, axis=-1), 1)

    return (lower + upper) / 2, (change(lower) + change(upper)) / 2


def _middle(values: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The two middle numbers, the same one twice if their count is odd."""
    count = values.shape[-1]
    lower = _ranked(values, (count - 1) // 2)[..., None]
    if count % 2:
        return lower[..., 0], lower[..., 0]
    is_above = values > lower
    above = jnp.min(jnp.where(is_above, values, jnp.inf), axis=-1)
    is_last = jnp.sum(~is_above, axis=-1) == count // 2
    return lower[..., 0], jnp.where(is_last, above, lower[..., 0])


def _ranked(values: jax.Array, rank: int) -> jax.Array:
    """The number with so many smaller ones, found bit by bit."""
    # Floating-point numbers >= 0 are ordered like the integers with the same bits.
    codes = jax.lax.bitcast_convert_type(values, jnp.int32)

    def with_bit(step: jax.Array, found: jax.Array) -> jax.Array:
        candidate = found | (1 << (_HIGHEST_BIT - step))
        smaller = jnp.sum((codes < candidate[..., None]).astype(jnp.int32), axis=-1)
        return jnp.where(smaller <= rank, candidate, found)

    found = jnp.zeros_like(codes[..., 0])  # of the same devices as the numbers
    found = jax.lax.fori_loop(0, _HIGHEST_BIT + 1, with_bit, found)
    return jax.lax.bitcast_convert_type(found, values.dtype)
