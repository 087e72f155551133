"""Metrics without weights as functions of two arrays."""

import jax
import numpy as np

from iqa_jax.metrics.flip_error import PIXELS_PER_DEGREE
from iqa_jax.metrics.registry import load_metric


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
    return load_metric("psnr")(reference, distorted)


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
    return load_metric(f"ssim:{preset}")(reference, distorted)


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
    return load_metric(f"ms-ssim:{preset}")(reference, distorted)


def nlpd(reference: jax.Array | np.ndarray, distorted: jax.Array | np.ndarray) -> jax.Array:
    """Normalised Laplacian pyramid distance.

    Lower is better, from 0, the score of identical images; few images are more than 2 apart.
    Unrounded luma is compared.

    Laparra, Ballé, Berardino and Simoncelli, "Perceptual image quality assessment using a
    normalized Laplacian pyramid", Human Vision and Electronic Imaging (2016).

    Args:
      reference: ``uint8``, or floating point in [0, 1], ``[B, H, W, 3]``, RGB.
      distorted: Images of the same shape.

    Returns:
      float32 ``[B]``, the scores of ``load_metric("nlpd")``.

    Raises:
      InputError: If the images are of another type, range or shape.

    Example:
      >>> import numpy as np, iqa_jax
      >>> reference = np.random.default_rng(0).random((1, 64, 64, 3))
      >>> iqa_jax.nlpd(reference, reference).tolist()
      [0.0]
    """
    return load_metric("nlpd")(reference, distorted)


def vif(reference: jax.Array | np.ndarray, distorted: jax.Array | np.ndarray) -> jax.Array:
    """Visual information fidelity in the domain of pixels, a similarity.

    Higher is better, from 0; identical images have the score 1, and images with more contrast than
    the reference may have a higher one. Not symmetric. Unrounded luma is compared.

    Sheikh and Bovik, "Image information and visual quality", IEEE Trans. Image Processing 15
    (2006).

    Args:
      reference: ``uint8``, or floating point in [0, 1], ``[B, H, W, 3]``, RGB, at least 41x41
        pixels.
      distorted: Images of the same shape.

    Returns:
      float32 ``[B]``, the scores of ``load_metric("vif")``.

    Raises:
      InputError: If the images are of another type, range or shape, or too small.

    Example:
      >>> import numpy as np, iqa_jax
      >>> reference = np.random.default_rng(0).random((1, 64, 64, 3))
      >>> iqa_jax.vif(reference, reference).tolist()
      [1.0]
    """
    return load_metric("vif")(reference, distorted)


def iw_ssim(reference: jax.Array | np.ndarray, distorted: jax.Array | np.ndarray) -> jax.Array:
    """Structural similarity weighted by information content, at five scales.

    Higher is better, from 0 to 1, the score of identical images. Not symmetric. Gray levels rounded
    to 8 bits are compared.

    Wang and Li, "Information content weighting for perceptual image quality assessment", IEEE
    Trans. Image Processing 20 (2011).

    Args:
      reference: ``uint8``, or floating point in [0, 1], ``[B, H, W, 3]``, RGB, at least 161x161
        pixels.
      distorted: Images of the same shape.

    Returns:
      float32 ``[B]``, the scores of ``load_metric("iw-ssim")``.

    Raises:
      InputError: If the images are of another type, range or shape, or too small.

    Example:
      >>> import numpy as np, iqa_jax
      >>> reference = np.random.default_rng(0).random((1, 161, 161, 3))
      >>> iqa_jax.iw_ssim(reference, reference).tolist()
      [1.0]
    """
    return load_metric("iw-ssim")(reference, distorted)


def flip(
    reference: jax.Array | np.ndarray,
    distorted: jax.Array | np.ndarray,
    *,
    pixels_per_degree: float = PIXELS_PER_DEGREE,
) -> jax.Array:
    """Mean FLIP error, of what is seen when two images are shown in turn.

    Lower is better, from 0, the score of identical images, to 1. The errors of the pixels are the
    map of ``load_metric("flip")``.

    Andersson, Nilsson, Akenine-Möller, Oskarsson, Åström and Fairchild, "FLIP: A difference
    evaluator for alternating images", Proc. ACM Computer Graphics and Interactive Techniques 3
    (2020).

    Args:
      reference: ``uint8``, or floating point in [0, 1], ``[B, H, W, 3]``, RGB of low dynamic range.
      distorted: Images of the same shape.
      pixels_per_degree: Number of pixels per degree of visual angle, from 1 to 1000; by default
        that of a display 0.7 m and 3840 pixels wide, seen from 0.7 m.

    Returns:
      float32 ``[B]``, the scores of ``load_metric("flip")``, or
      ``load_metric("flip:ppd=PIXELS_PER_DEGREE")``.

    Raises:
      InputError: If the number is out of range, or the images are of another type, range or shape.

    Example:
      >>> import numpy as np, iqa_jax
      >>> reference = np.random.default_rng(0).random((1, 32, 32, 3))
      >>> iqa_jax.flip(reference, reference).tolist()
      [0.0]
      >>> near = iqa_jax.flip(reference, 0.9 * reference, pixels_per_degree=20)
      >>> far = iqa_jax.flip(reference, 0.9 * reference, pixels_per_degree=80)
      >>> bool(near[0] > far[0])
      True
    """
    is_default = pixels_per_degree == PIXELS_PER_DEGREE
    return load_metric("flip" if is_default else f"flip:ppd={pixels_per_degree}")(
        reference, distorted
    )


def ssimulacra2(reference: jax.Array | np.ndarray, distorted: jax.Array | np.ndarray) -> jax.Array:
    """SSIMULACRA 2, structural similarity unveiling local and compression related artifacts.

    Higher is better, up to 100, the score of identical images, and without a lower bound. The
    author gives 90 as visually lossless, 70 as high, 50 as medium and 30 as low quality.

    Sneyers, "SSIMULACRA 2", Cloudinary (2022), version 2.1 of 2023.

    Args:
      reference: ``uint8``, or floating point in [0, 1], ``[B, H, W, 3]``, RGB, at least 8x8 pixels.
        Scores of images with a side below 113 pixels weight the scales in another way.
      distorted: Images of the same shape.

    Returns:
      float32 ``[B]``, the scores of ``load_metric("ssimulacra2")``.

    Raises:
      InputError: If the images are of another type, range or shape, or too small.

    Example:
      >>> import numpy as np, iqa_jax
      >>> reference = np.random.default_rng(0).random((1, 32, 32, 3))
      >>> iqa_jax.ssimulacra2(reference, reference).tolist()
      [100.0]
    """
    return load_metric("ssimulacra2")(reference, distorted)
