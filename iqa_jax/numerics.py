"""Roots and norms whose derivative is guarded: the forward value is exact, the gradient finite.

Datasets contain identical pairs and networks all-zero feature vectors. There the derivative of a
root is infinite, and infinity times zero is NaN; here it is zero instead.
"""

import jax
import jax.numpy as jnp

LPIPS_EPSILON = 1e-10
"""Added to the norm, outside the root, by LPIPS (Zhang et al. 2018, ``normalize_tensor``)."""


@jax.custom_jvp
def guarded_sqrt(x: jax.Array) -> jax.Array:
    """Square root of ``x`` >= 0; its derivative at 0 is taken to be 0."""
    return jnp.sqrt(x)


@guarded_sqrt.defjvp
def _guarded_sqrt_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]):
    root = jnp.sqrt(primals[0])
    positive = root > 0
    slope = jnp.where(positive, 0.5 / jnp.where(positive, root, 1.0), 0.0)
    return root, slope * tangents[0]


def inverse_norms(features: jax.Array) -> jax.Array:
    """One over the length of each vector along the last axis, as LPIPS scales them; 0 for 0.

    Args:
      features: ``[..., C]``.

    Returns:
      ``[..., 1]``.
    """
    norm = guarded_sqrt(jnp.sum(jnp.square(features), axis=-1, keepdims=True))
    # Of a zero vector the reciprocal would make the gradient huge without changing the value.
    return jnp.where(norm > 0, 1.0 / (norm + LPIPS_EPSILON), 0.0)
