"""Information content weighted structural similarity, IW-SSIM.

Wang and Li, IEEE Trans. Image Processing 20 (2011).

The contrast structure of every band of a Laplacian pyramid, and the luminance of its coarsest
level, are averaged over positions and raised to the weights of MS-SSIM. At all but the coarsest
level, positions weigh by the information that an observer could gain there. The values are those of
the authors' script ``iwssim.m`` for gray levels rounded to 8 bits. (piq does not round them, weighs
by other positions of the parent, and does not scale the exponents to a sum of 1.)
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from iqa_jax.metrics import local_information, multi_scale_similarity, structural_similarity
from iqa_jax.metrics.binomial_pyramid import laplacian_pyramid
from iqa_jax.metrics.gray import gray_levels
from iqa_jax.metrics.local_similarity import weighted_plane_mean
from iqa_jax.readouts.safe import positive_power

LEAST_SIZE = multi_scale_similarity.LEAST_SIZE

_EXPONENTS = tuple(
    weight / sum(multi_scale_similarity.WEIGHTS) for weight in multi_scale_similarity.WEIGHTS
)
"""Weights of the levels, scaled to a sum of 1 as in the script."""

_INNER = slice(
    structural_similarity.WINDOW_SIZE // 2 - 1, 1 - structural_similarity.WINDOW_SIZE // 2
)
"""Positions of 3 x 3 windows at which the window of SSIM, too, lies inside the band."""


class Prepared(NamedTuple):
    """One image: each level for SSIM, and all but the coarsest for their information."""

    levels: tuple[structural_similarity.Prepared, ...]
    bands: tuple[local_information.Band, ...]


def prepare(image: jax.Array) -> Prepared:
    """Prepares one image, float32 ``[H, W, 3]`` in [0, 1]."""
    levels = laplacian_pyramid(gray_levels(image)[0], len(multi_scale_similarity.WEIGHTS))
    parents = (*levels[1:-1], None)
    return Prepared(
        tuple(structural_similarity.prepare(level[None]) for level in levels),
        tuple(map(local_information.prepare, levels[:-1], parents)),
    )


def compare(reference: Prepared, distorted: Prepared) -> jax.Array:
    """IW-SSIM, from 0 to 1, the score of identical images.

    A negative mean contrast structure has no real power. Then the score is 0 and so is its
    derivative, where the authors' script returns a complex number. The script has no score for a
    flat reference; here, positions of two flat bands weigh the same.
    """
    levels = zip(reference.levels, distorted.levels, strict=True)
    *finer, coarsest = (structural_similarity.dissimilarities(r, d) for r, d in levels)
    means = [
        weighted_plane_mean(
            contrast_structure[0], local_information.information(r, d)[_INNER, _INNER]
        )
        for (_, contrast_structure), r, d in zip(
            finer, reference.bands, distorted.bands, strict=True
        )
    ]
    means.append(structural_similarity.spatial_mean(structural_similarity.joined(*coarsest))[0])
    similarities = 1 - jnp.stack(means)
    return jnp.prod(positive_power(similarities, jnp.asarray(_EXPONENTS, jnp.float32)))
