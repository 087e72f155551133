"""Metrics without weights as functions of two arrays."""

import jax
import numpy as np

from iqa_jax.errors import InputError
from iqa_jax.metrics.metric import Metric
from iqa_jax.metrics.pixels import PIXEL_METRICS, PixelScores


def psnr(reference: jax.Array | np.ndarray, distorted: jax.Array | np.ndarray) -> jax.Array:
    """Peak signal-to-noise ratio of RGB images, a similarity in decibels.

    ``10 log10(1 / e)`` with the mean squared error e over pixels and channels of images in [0, 1].
    Higher is better, from 0 (black against white) to 100, the score of identical images and of all
    others with e <= 1e-10.

    Args:
      reference: ``uint8``, or floating point in [0, 1], ``[B, H, W, 3]``, RGB.
      distorted: Images of the same shape.

    Returns:
      float32 ``[B]``, the scores of ``load_metric("psnr")``.

    Raises:
      InputError: If the images have the wrong type, range or shape.

    Example:
      >>> import numpy as np, iqa_jax
      >>> gray = np.full((1, 64, 64, 3), 0.5)
      >>> round(float(iqa_jax.psnr(gray, gray + 0.1)[0]), 3)
      20.0
    """
    return _metric("psnr")(reference, distorted)


def ssim(
    reference: jax.Array | np.ndarray,
    distorted: jax.Array | np.ndarray,
    *,
    preset: str = "wang2004",
) -> jax.Array:
    """Structural similarity.

    Higher is better, from -1 (never reached) to 1, the score of identical images.

    Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: From error visibility to
    structural similarity", IEEE Trans. Image Processing 13 (2004).

    Args:
      reference: ``uint8``, or floating point in [0, 1], ``[B, H, W, 3]``, RGB, at least 11x11
        pixels.
      distorted: Images of the same shape.
      preset: ``wang2004`` compares gray levels, ``matlab`` downsamples these first as the authors'
        script does, ``rgb`` averages the similarities of the three channels.

    Returns:
      float32 ``[B]``, the scores of ``load_metric("ssim:PRESET")``.

    Raises:
      InputError: If there is no such preset, or the images have the wrong type, range or shape, or
        are too small.

    Example:
      >>> import numpy as np, iqa_jax
      >>> reference = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)
      >>> iqa_jax.ssim(reference, reference).tolist()
      [1.0, 1.0]
      >>> bool((iqa_jax.ssim(reference, 255 - reference, preset="rgb") < 0).all())
      True
    """
    return _metric(f"ssim:{preset}")(reference, distorted)


def ms_ssim(
    reference: jax.Array | np.ndarray,
    distorted: jax.Array | np.ndarray,
    *,
    preset: str = "wang2003",
) -> jax.Array:
    """Multi-scale structural similarity.

    Higher is better, from 0 to 1, the score of identical images.

    Wang, Simoncelli and Bovik, "Multi-scale structural similarity for image quality assessment",
    Asilomar Conference on Signals, Systems and Computers (2003).

    Args:
      reference: ``uint8``, or floating point in [0, 1], ``[B, H, W, 3]``, RGB, at least 161x161
        pixels.
      distorted: Images of the same shape.
      preset: ``wang2003`` compares gray levels, ``rgb`` averages the similarities of the three
        channels.

    Returns:
      float32 ``[B]``, the scores of ``load_metric("ms-ssim:PRESET")``.

    Raises:
      InputError: If there is no such preset, or the images have the wrong type, range or shape, or
        are too small.

    Example:
      >>> import numpy as np, iqa_jax
      >>> reference = np.random.default_rng(0).random((1, 161, 161, 3))
      >>> iqa_jax.ms_ssim(reference, reference).tolist()
      [1.0]
    """
    return _metric(f"ms-ssim:{preset}")(reference, distorted)


def _metric(name: str) -> Metric:
    if name not in PIXEL_METRICS:
        family, _, preset = name.partition(":")
        presets = [
            each.partition(":")[2] for each in PIXEL_METRICS if each.startswith(f"{family}:")
        ]
        raise InputError(f"{family}: expected the preset {' or '.join(presets)}, got {preset!r}")
    return Metric(PixelScores((name,)), name, PIXEL_METRICS[name].higher_is_better)
