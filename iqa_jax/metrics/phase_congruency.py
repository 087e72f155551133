"""Phase congruency, which is high where the frequencies of an image agree in phase: at features.

Kovesi, "Image features from phase congruency", Videre 1 (1999), with the settings of FSIM. The
values are those of Kovesi's ``phasecong2.m``, as it is in the script ``FeatureSIM.m``. Logarithmic
Gabor filters of four scales and four orientations respond to the image, with an even (real) and an
odd (imaginary) part. In each orientation, the energy is what the responses of all scales have in
common, less a threshold for noise; phase congruency is the sum of the energies divided by the sum
of the amplitudes.
"""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.metrics.filters import scaled_spectrum
from iqa_jax.metrics.order_statistics import median
from iqa_jax.readouts.safe import finite_or_nan, guarded_sqrt, ratio

_WAVELENGTHS = (6, 12, 24, 48)
"""Wavelengths of the scales in pixels."""

_ANGLES = tuple(number * math.pi / 4 for number in range(4))
_ANGULAR_SIGMA = math.pi / 4 / 1.2
_LOG_SIGMA = math.log(0.55)
"""Orientations, and the widths of the filters in angle and in the logarithm of the frequency."""

_CUTOFF, _SHARPNESS = 0.45, 15
"""Frequency and order of the Butterworth filter that removes the corners of the spectrum."""

_NOISE_DEVIATIONS = 2.0
_NOISE_DIVISOR = 1.7
"""The threshold for noise is so many standard deviations above its mean, divided by this."""

_EPSILON = 1e-4
"""Constant that the script adds to the length of the mean response, in levels."""

LEAST_SIZE = 2
"""The script has no frequencies for a single row or column."""


def congruency(plane: jax.Array) -> jax.Array:
    """Phase congruency at each position.

    Args:
      plane: float32 ``[H, W]``, at least 2 x 2, in levels from 0 to 255.

    Returns:
      float32 ``[H, W]`` in [0, 1]; 0 for a flat image, where the script returns noise.
    """
    radial, angular, thresholds = _filters(*plane.shape)
    # Without one of its values, a flat image has a spectrum of zeros. No filter passes the mean.
    spectrum = jnp.fft.fft2(plane - jax.lax.stop_gradient(plane[0, 0]))
    turned = scaled_spectrum(spectrum[None], angular)
    responses = jnp.fft.ifft2(scaled_spectrum(turned[:, None], radial[None]))
    even, odd = finite_or_nan(responses.real), finite_or_nan(responses.imag)
    amplitudes = guarded_sqrt(jnp.square(even) + jnp.square(odd))
    mean_even, mean_odd = jnp.sum(even, axis=1), jnp.sum(odd, axis=1)
    length = guarded_sqrt(jnp.square(mean_even) + jnp.square(mean_odd)) + _EPSILON
    mean_even, mean_odd = ((each / length)[:, None] for each in (mean_even, mean_odd))
    in_phase = even * mean_even + odd * mean_odd
    out_of_phase = jnp.abs(even * mean_odd - odd * mean_even)
    noise = thresholds * guarded_sqrt(
        median(jnp.square(amplitudes[:, 0]).reshape(len(angular), -1))
    )
    energies = jnp.sum(in_phase - out_of_phase, axis=1) - noise[:, None, None]
    energy = jnp.sum(jnp.maximum(energies, 0.0), axis=0)
    return finite_or_nan(ratio(energy, jnp.sum(amplitudes, axis=(0, 1))))


@functools.lru_cache(maxsize=8)
def _filters(height: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Filters in the domain of frequencies, and the threshold for a median response of 1.

    Returns:
      Radial parts ``[scales, H, W]``, angular parts ``[orientations, H, W]``, and thresholds
      ``[orientations]``.
    """
    down, right = np.meshgrid(_frequencies(height), _frequencies(width), indexing="ij")
    radius = np.hypot(down, right)
    low_pass = 1 / (1 + (radius / _CUTOFF) ** (2 * _SHARPNESS))
    radius[0, 0] = 1
    radial = np.stack(
        [
            np.exp(-np.square(np.log(radius * wavelength)) / (2 * _LOG_SIGMA**2)) * low_pass
            for wavelength in _WAVELENGTHS
        ]
    )
    radial[:, 0, 0] = 0
    turned = np.arctan2(-down, right) - np.reshape(_ANGLES, (-1, 1, 1))
    distance = np.abs(np.arctan2(np.sin(turned), np.cos(turned)))
    angular = np.exp(-np.square(distance) / (2 * _ANGULAR_SIGMA**2))
    thresholds = [_noise_threshold(radial * each) for each in angular]
    return (
        radial.astype(np.float32),
        angular.astype(np.float32),
        np.asarray(thresholds, np.float32),
    )


def _frequencies(size: int) -> np.ndarray:
    """Frequencies in the order of a Fourier transform; odd sizes reach 1/2, as in the script."""
    return np.fft.ifftshift(np.arange(size) - size // 2) / (size - size % 2)


def _noise_threshold(filters: np.ndarray) -> float:
    """Threshold of an orientation if the median squared response of the finest scale is 1.

    Noise is taken to be white and Gaussian: its squared responses have the mean median / log(2) at
    the finest scale, and the length of the sum of all scales has a Rayleigh distribution.
    """
    together = filters.sum(axis=0)
    mirrored = np.roll(together[::-1, ::-1], (1, 1), axis=(0, 1))
    power = np.square((together + mirrored) / 2).sum()
    parameter = math.sqrt(power / np.square(filters[0]).sum() / math.log(2))
    mean, deviation = math.sqrt(math.pi / 2), math.sqrt(2 - math.pi / 2)
    return parameter * (mean + _NOISE_DEVIATIONS * deviation) / _NOISE_DIVISOR
