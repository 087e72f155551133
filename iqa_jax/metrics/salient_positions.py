"""Saliency of positions by three simple priors, SDSP: what draws the eye.

Zhang, Gu and Li, "SDSP: A novel saliency detection method by combining simple priors", ICIP
(2013), as it is in the script ``VSI.m`` of Zhang, Shen and Li. In CIELAB, at 256 x 256 pixels,
three factors are multiplied: the response to a band of frequencies, the nearness to the centre, and
the warmth of colours. The product is resized back and scaled to [0, 1].
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.images.linear_light import mixtures, srgb_to_linear
from iqa_jax.metrics.filters import scaled_spectrum
from iqa_jax.metrics.linear_resizing import resized
from iqa_jax.readouts.safe import finite_or_nan, guarded_sqrt, ratio

_SIZE = 256
"""Height and width at which saliency is computed."""

_CENTRE_FREQUENCY, _LOG_WIDTH = 0.021, 1.34
"""Frequency in cycles per pixel, and width in its logarithm, of the logarithmic Gabor filter."""

_CENTRE_WIDTH = 145.0
_WARMTH_WIDTH = 1e-3
"""Widths of the two other priors: in pixels, and in the range of a and b of an image."""

_XYZ = np.array(
    [
        (0.4124564, 0.3575761, 0.1804375),
        (0.2126729, 0.7151522, 0.0721750),
        (0.0193339, 0.1191920, 0.9503041),
    ]
)
_WHITE = np.array([[0.9642], [1.0], [0.8251]])
_LAB_END, _LAB_KAPPA = 0.008856, 903.3
"""Constants of the script's CIELAB: primaries for white at D65, but the white of D50, so that grey
is a colour."""


def saliency(image: jax.Array) -> jax.Array:
    """Saliency of each position.

    Args:
      image: float32 ``[H, W, 3]`` in [0, 1].

    Returns:
      float32 ``[H, W]`` in [0, 1]; 0 for a flat image, where the script returns NaN.
    """
    planes = finite_or_nan(jnp.moveaxis(image, -1, 0))
    lab = finite_or_nan(_lab(resized(planes, _SIZE, _SIZE)))
    # Without one of its values, a flat plane has a spectrum of zeros. The filter removes the mean.
    spectra = jnp.fft.rfft2(lab - jax.lax.stop_gradient(lab[:, :1, :1]))
    band = jnp.fft.irfft2(scaled_spectrum(spectra, _filter()[None]), (_SIZE, _SIZE))
    response = guarded_sqrt(jnp.sum(jnp.square(band), axis=0))
    found = resized(response * _centrality() * _warmth(lab[1:]), *image.shape[:2])
    return finite_or_nan(_ranged(found))


def _lab(rgb: jax.Array) -> jax.Array:
    """CIELAB of sRGB ``[3, H, W]``."""
    relative = mixtures(srgb_to_linear(rgb), _XYZ / _WHITE)
    is_dark = relative <= _LAB_END
    roots = jnp.cbrt(jnp.where(is_dark, 1.0, relative))
    x, y, z = jnp.where(is_dark, (_LAB_KAPPA * relative + 16) / 116, roots)
    return jnp.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def _warmth(chroma: jax.Array) -> jax.Array:
    """Prior for warm colours of a and b: nearly 1 for all but the coolest."""
    squares = jnp.square(jnp.stack([_ranged(plane) for plane in chroma]))
    return -jnp.expm1(-jnp.sum(squares, axis=0) / _WARMTH_WIDTH**2)


def _ranged(plane: jax.Array) -> jax.Array:
    """The plane with its range scaled to [0, 1]; 0 if it is flat."""
    low, high = jnp.min(plane), jnp.max(plane)
    return ratio(plane - low, high - low)


@functools.cache
def _centrality() -> np.ndarray:
    """Prior for positions near the centre."""
    squares = np.square(np.arange(1, _SIZE + 1) - _SIZE / 2)
    distances = squares[:, None] + squares
    return np.exp(-distances / _CENTRE_WIDTH**2).astype(np.float32)


@functools.cache
def _filter() -> np.ndarray:
    """Logarithmic Gabor filter for the spectrum of real planes, without the corners."""
    radius = np.hypot(np.fft.fftfreq(_SIZE)[:, None], np.fft.rfftfreq(_SIZE))
    is_passed = (radius > 0) & (radius <= 1 / 2)
    logarithm = np.log(np.where(is_passed, radius, 1) / _CENTRE_FREQUENCY)
    response = np.exp(-np.square(logarithm) / (2 * _LOG_WIDTH**2))
    return np.where(is_passed, response, 0).astype(np.float32)
