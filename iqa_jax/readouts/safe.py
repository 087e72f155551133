"""Numerical edge cases: zeros, non-finite numbers, and results known without computing them.

Datasets contain identical pairs, and networks produce all-zero feature vectors. There the
derivative of a root is infinite, and infinity times zero is NaN; here the derivative is zero
instead, and forward values are exact. A non-finite number never becomes a finite one.
"""

import jax
import jax.numpy as jnp

LPIPS_EPSILON = 1e-10
"""Constant that LPIPS adds to the norm, outside the root (Zhang et al. 2018,
``normalize_tensor``)."""


@jax.custom_jvp
def guarded_sqrt(x: jax.Array) -> jax.Array:
    """Square root of ``x`` >= 0, with a derivative of 0 at 0."""
    return jnp.sqrt(x)


@guarded_sqrt.defjvp
def _guarded_sqrt_jvp(primals: tuple[jax.Array], tangents: tuple[jax.Array]):
    root = jnp.sqrt(primals[0])
    is_zero = root == 0
    slope = jnp.where(is_zero, 0.0, 0.5 / jnp.where(is_zero, 1.0, root))
    return root, slope * tangents[0]


def positive_power(bases: jax.Array, exponents: jax.Array | float) -> jax.Array:
    """``bases ** exponents``; 0 with a derivative of 0 for a base <= 0, NaN for NaN."""
    is_low = bases <= 0
    return jnp.where(is_low, 0.0, jnp.where(is_low, 1.0, bases) ** exponents)


def ratio(numerator: jax.Array, denominator: jax.Array) -> jax.Array:
    """``numerator / denominator``; 0 where the denominator is 0, with a finite derivative.

    NaN where either is NaN or the denominator is infinite: a number divided by an overflow is not
    0.
    """
    is_zero = (denominator == 0) & jnp.isfinite(numerator)
    quotient = numerator / jnp.where(is_zero, 1.0, denominator)
    return jnp.where(is_zero, 0.0, jnp.where(jnp.isfinite(denominator), quotient, jnp.nan))


def finite_or_nan(values: jax.Array) -> jax.Array:
    """The values, with NaN instead of infinities.

    Compilers may merge a product into the subtraction that follows and round only one of two equal
    numbers; this function separates the two, so that similar numbers are subtracted as they are
    stored.
    """
    return jnp.where(jnp.isfinite(values), values, jnp.nan)


def rounded(activations: jax.Array) -> jax.Array:
    """Activations in float32, as they would be stored; NaN where they are not finite."""
    return finite_or_nan(activations.astype(jnp.float32))


@jax.custom_jvp
def known_where(condition: jax.Array, known: jax.Array, computed: jax.Array) -> jax.Array:
    """``computed``, but exactly ``known`` where a condition says that only rounding separates them.

    Args:
      condition: Boolean, with no dimensions or as many as the others.
      known: Value of ``computed`` without rounding.
      computed: Computed value; NaN stays NaN. All derivatives are its own, even where ``known`` is
        returned.
    """
    return jnp.where(condition & ~jnp.isnan(computed), known, computed)


@known_where.defjvp
def _known_where_jvp(primals: tuple[jax.Array, ...], tangents: tuple[jax.Array, ...]):
    return known_where(*primals), tangents[2]


def inverse_norms(features: jax.Array) -> jax.Array:
    """Reciprocal of the length of each vector along the last axis, as in LPIPS; 0 for length 0.

    NaN where a vector is not finite or too long for float32: scaled to nothing, any two of them
    would be alike.

    Args:
      features: ``[..., C]``.

    Returns:
      ``[..., 1]``.
    """
    return inverse_roots(jnp.sum(jnp.square(features), axis=-1, keepdims=True))


def inverse_roots(squares: jax.Array) -> jax.Array:
    """Reciprocals of the lengths of vectors from the sums of their squares.

    Zero and non-finite sums are treated as in :func:`inverse_norms`.

    Args:
      squares: Sums of squares, of any shape.
    """
    norm = guarded_sqrt(squares)
    # The reciprocal for a zero vector would make the gradient huge without changing the value.
    inverse = jnp.where(norm < jnp.inf, 1.0 / (norm + LPIPS_EPSILON), jnp.nan)
    return jnp.where(norm == 0, 0.0, inverse)
