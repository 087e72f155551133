"""Laplacian pyramid with a binomial filter, as ``buildLpyr.m`` of matlabPyrTools builds it.

Burt and Adelson, IEEE Trans. Communications 31 (1983). Every level has twice the values of a mean
of the level below. Images are continued by reflection at the centre of the outermost pixel.
"""

import jax
import jax.numpy as jnp


def laplacian_pyramid(plane: jax.Array, levels: int) -> tuple[jax.Array, ...]:
    """Bands of a plane, from fine to coarse, then the rest.

    Args:
      plane: ``[H, W]``; all levels need at least 3 rows and columns.
      levels: Number of bands and the rest.

    Returns:
      ``[ceil(H / 2^i), ceil(W / 2^i)]`` for each level i. A flat plane of 8-bit levels has bands of
      exactly 0.
    """
    bands = []
    for _ in range(levels - 1):
        low = 2 * _halved(_halved(plane, -1), -2)
        height, width = plane.shape
        bands.append(plane - 2 * _doubled(_doubled(low, width, -1), height, -2))
        plane = low
    return (*bands, plane)


def _halved(plane: jax.Array, axis: int) -> jax.Array:
    """Blurred plane at every other position along an axis."""
    plane = jnp.moveaxis(plane, axis, -1)
    size = plane.shape[-1]
    padded = jnp.pad(plane, ((0, 0), (2, 2)), mode="reflect")
    outer, inner, middle, after, last = (padded[:, i : i + size : 2] for i in range(5))
    means = (outer + last + 4 * (inner + after) + 6 * middle) / 16
    return jnp.moveaxis(means, -1, axis)


def _doubled(plane: jax.Array, size: int, axis: int) -> jax.Array:
    """Blurred plane with zeros between its positions along an axis, up to a size."""
    plane = jnp.moveaxis(plane, axis, -1)
    # The zero after the last position of an even size is where the plane is reflected.
    last = plane[:, -2:-1] if size % 2 else plane[:, -1:]
    padded = jnp.concatenate([plane[:, 1:2], plane, last], axis=-1)
    at = (padded[:, :-2] + padded[:, 2:] + 6 * plane) / 16
    between = (plane + padded[:, 2:]) / 4
    both = jnp.stack([at, between], axis=-1).reshape(plane.shape[0], -1)
    return jnp.moveaxis(both[:, :size], -1, axis)
