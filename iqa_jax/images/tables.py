"""Tables of whole numbers that are looked up for every pixel."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np


def look_up(table: np.ndarray, places: jax.Array) -> jax.Array:
    """Entries of a table, exact on every device.

    Args:
      table: Whole numbers below 2 ** 24, ``[N]``.
      places: Whole numbers of any shape; one outside the table has the entry at its nearer end.

    Returns:
      int32, of the shape of ``places``.
    """
    inside = jnp.clip(places, 0, len(table) - 1)
    by_gather, by_product = (partial(look, table) for look in (looked_up, looked_up_by_product))
    return jax.lax.platform_dependent(inside, tpu=by_product, default=by_gather)


def looked_up(table: np.ndarray, places: jax.Array) -> jax.Array:
    """Entries at places inside a table."""
    return jnp.asarray(table, jnp.int32)[places]


def looked_up_by_product(table: np.ndarray, places: jax.Array) -> jax.Array:
    """The same for TPUs, whose gathers take one number after the other.

    The matrix unit picks a row of the table, folded to about as many rows as columns; masks pick an
    entry of the row. With a single one among zeros the product is exact.
    """
    width = 1 << (len(table).bit_length() // 2)
    rows = np.pad(table, (0, -len(table) % width)).reshape(-1, width)

    def is_at(each: jax.Array, count: int) -> jax.Array:
        return jnp.arange(count).reshape(-1, *(1,) * each.ndim) == each[None]

    ones = is_at(places // width, len(rows)).astype(jnp.float32)
    columns = jnp.asarray(rows.T, jnp.float32)
    entries = jnp.tensordot(columns, ones, axes=1, precision=jax.lax.Precision.HIGHEST)
    return jnp.sum(jnp.where(is_at(places % width, width), entries, 0), axis=0).astype(jnp.int32)
