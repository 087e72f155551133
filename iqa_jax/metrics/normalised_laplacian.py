"""Normalised Laplacian pyramid distance, NLPD.

Laparra, Ballé, Berardino and Simoncelli, Human Vision and Electronic Imaging (2016).

Every band of a Laplacian pyramid is divided by a constant plus a weighted sum of the magnitudes
around each position; NLPD is the mean over bands of the root mean squared difference. The values
are those of the authors' script ``NLP_dist.m`` for the unrounded luma, from 0 to 1: five bands and
the low-pass image, whose weights were learned from photographs. (Later variants by the same authors
differ: in the display's luminance and in the pooling in 2017, per channel of RGB in 2020.)
"""

import jax
import jax.numpy as jnp

from iqa_jax.metrics.gray import PEAK, mixed_levels
from iqa_jax.metrics.structural_similarity import spatial_mean
from iqa_jax.readouts.safe import finite_or_nan, guarded_sqrt

_BLUR = (0.05, 0.25, 0.4, 0.25, 0.05)
"""Filter of the pyramid along each axis (Burt and Adelson 1983)."""

Neighbours = dict[tuple[int, int], float]
"""Weights by the offset of a neighbour, down and to the right."""

_BANDS: tuple[tuple[float, Neighbours], ...] = (
    (
        0.0248,
        {(1, 0): 0.1011, (0, 1): 0.1493, (0, -1): 0.1460, (0, -2): 0.0072, (-1, 0): 0.1015},
    ),
    (0.0185, {(1, 0): 0.0757, (0, 1): 0.1986, (0, -1): 0.1846, (-1, 0): 0.0837}),
    (0.0179, {(1, 0): 0.0477, (0, 1): 0.2138, (0, -1): 0.2243, (-1, 0): 0.0467}),
    (0.0191, {(0, 1): 0.2503, (0, -1): 0.2616}),
    (0.0220, {(0, 1): 0.2598, (0, -1): 0.2552}),
    (0.2782, {(0, 1): 0.2215, (0, -1): 0.0717}),
)
"""Constant and weights of the normalisation of each band, from fine to coarse."""

HIGHEST_SCORE = (sum(2 / constant for constant, _ in _BANDS[:-1]) + 1 / _BANDS[-1][0]) / len(_BANDS)
"""Upper bound, 83.3, which nothing attains: bands are from -1 to 1, the low-pass image from 0 to 1,
and their normalised values at most as large as the reciprocal of the constant."""


def prepare(image: jax.Array) -> tuple[jax.Array, ...]:
    """Normalised bands ``[h, w]`` of one image, from fine to coarse."""
    (plane,) = mixed_levels(image) / float(PEAK)
    bands = []
    for _ in _BANDS[:-1]:
        low = _halved(_halved(plane, -1), -2)
        height, width = plane.shape
        bands.append(plane - _doubled(_doubled(low, width, -1), height, -2))
        plane = low
    return tuple(
        _normalised(band, *setting) for band, setting in zip([*bands, plane], _BANDS, strict=True)
    )


def compare(reference: tuple[jax.Array, ...], distorted: tuple[jax.Array, ...]) -> jax.Array:
    """NLPD: 0 for identical images, higher for others.

    The derivative with respect to a band is 0 where it does not differ.
    """
    errors = [spatial_mean(jnp.square(r - d)) for r, d in zip(reference, distorted, strict=True)]
    return jnp.mean(guarded_sqrt(jnp.stack(errors)))


def _halved(plane: jax.Array, axis: int) -> jax.Array:
    """Blurred plane at every other position along an axis, continued by its mirror image."""
    plane = jnp.moveaxis(plane, axis, -1)
    size = plane.shape[-1]
    padded = jnp.pad(plane, ((0, 0), (2, 2)), mode="symmetric")
    terms = [weight * padded[:, start : start + size : 2] for start, weight in enumerate(_BLUR)]
    return jnp.moveaxis(sum(terms, start=jnp.zeros_like(terms[0])), -1, axis)


def _doubled(plane: jax.Array, size: int, axis: int) -> jax.Array:
    """The plane with blurred values between its positions along an axis, up to a size."""
    plane = jnp.moveaxis(plane, axis, -1)
    padded = jnp.pad(plane, ((0, 0), (1, 1)), mode="edge")
    outer, inner, middle = (2 * weight for weight in _BLUR[:3])
    at = outer * (padded[:, :-2] + padded[:, 2:]) + middle * plane
    between = inner * (plane + padded[:, 2:])
    both = jnp.stack([at, between], axis=-1).reshape(plane.shape[0], -1)
    return jnp.moveaxis(both[:, :size], -1, axis)


def _normalised(band: jax.Array, constant: float, neighbours: Neighbours) -> jax.Array:
    height, width = band.shape
    padded = jnp.pad(jnp.abs(band), 2)
    around = [
        weight * padded[2 + down : 2 + down + height, 2 + right : 2 + right + width]
        for (down, right), weight in neighbours.items()
    ]
    return finite_or_nan(band / (constant + sum(around, start=jnp.zeros_like(band))))
