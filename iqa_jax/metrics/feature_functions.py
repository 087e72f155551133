"""Metrics of local features without weights, as functions of two arrays.

The features are gradients, wavelets, phase and saliency.
"""

import jax
import numpy as np

from iqa_jax.metrics.registry import load_metric


def gmsd(reference: jax.Array | np.ndarray, distorted: jax.Array | np.ndarray) -> jax.Array:
    """Gradient magnitude similarity deviation, a distance.

    Lower is better, from 0, the score of identical images, to below 0.58. The images are compared
    in unrounded luma at half their size.

    Xue, Zhang, Mou and Bovik, "Gradient magnitude similarity deviation: A highly efficient
    perceptual image quality index", IEEE Trans. Image Processing 23 (2014).

    Args:
      reference: ``uint8``, or floating point in [0, 1], ``[B, H, W, 3]``, RGB, at least 3x3
        pixels.
      distorted: Images of the same shape.

    Returns:
      float32 ``[B]``, the scores of ``load_metric("gmsd")``.

    Raises:
      InputError: If the images are of another type, range or shape, or too small.

    Example:
      >>> import numpy as np, iqa_jax
      >>> reference = np.random.default_rng(0).random((1, 64, 64, 3))
      >>> iqa_jax.gmsd(reference, reference).tolist()
      [0.0]
    """
    return load_metric("gmsd")(reference, distorted)


def ms_gmsd(reference: jax.Array | np.ndarray, distorted: jax.Array | np.ndarray) -> jax.Array:
    """Multi-scale gradient magnitude similarity deviation, a distance.

    Lower is better, from 0, the score of identical images, to below 0.5. Unrounded luma is
    compared.

    Zhang, Sander and Bermak, "Gradient magnitude similarity deviation on multiple scales for color
    image quality assessment", ICASSP (2017).

    Args:
      reference: ``uint8``, or floating point in [0, 1], ``[B, H, W, 3]``, RGB, at least 17x17
        pixels.
      distorted: Images of the same shape.

    Returns:
      float32 ``[B]``, the scores of ``load_metric("ms-gmsd")``.

    Raises:
      InputError: If the images are of another type, range or shape, or too small.

    Example:
      >>> import numpy as np, iqa_jax
      >>> reference = np.random.default_rng(0).random((1, 64, 64, 3))
      >>> iqa_jax.ms_gmsd(reference, reference).tolist()
      [0.0]
    """
    return load_metric("ms-gmsd")(reference, distorted)


def haarpsi(reference: jax.Array | np.ndarray, distorted: jax.Array | np.ndarray) -> jax.Array:
    """Haar wavelet-based perceptual similarity index, a similarity.

    Higher is better, from 0 to 1, the score of identical images. The images are compared in colour
    at half their size.

    Reisenhofer, Bosse, Kutyniok and Wiegand, "A Haar wavelet-based perceptual similarity index for
    image quality assessment", Signal Processing: Image Communication 61 (2018).

    Args:
      reference: ``uint8``, or floating point in [0, 1], ``[B, H, W, 3]``, RGB.
      distorted: Images of the same shape.

    Returns:
      float32 ``[B]``, the scores of ``load_metric("haarpsi")``.

    Raises:
      InputError: If the images are of another type, range or shape.

    Example:
      >>> import numpy as np, iqa_jax
      >>> reference = np.random.default_rng(0).random((1, 64, 64, 3))
      >>> iqa_jax.haarpsi(reference, reference).tolist()
      [1.0]
    """
    return load_metric("haarpsi")(reference, distorted)


def mdsi(reference: jax.Array | np.ndarray, distorted: jax.Array | np.ndarray) -> jax.Array:
    """Mean deviation similarity index, a distance in spite of its name.

    Lower is better, from 0, the score of identical images, to below 0.873. Not symmetric. The
    images are compared in colour, large ones downsampled.

    Nafchi, Shahkolaei, Hedjam and Cheriet, "Mean deviation similarity index: Efficient and reliable
    full-reference image quality evaluator", IEEE Access 4 (2016).

    Args:
      reference: ``uint8``, or floating point in [0, 1], ``[B, H, W, 3]``, RGB, at least 2x2
        pixels.
      distorted: Images of the same shape.

    Returns:
      float32 ``[B]``, the scores of ``load_metric("mdsi")``.

    Raises:
      InputError: If the images are of another type, range or shape, or too small.

    Example:
      >>> import numpy as np, iqa_jax
      >>> reference = np.random.default_rng(0).random((1, 64, 64, 3))
      >>> iqa_jax.mdsi(reference, reference).tolist()
      [0.0]
    """
    return load_metric("mdsi")(reference, distorted)


def fsim(reference: jax.Array | np.ndarray, distorted: jax.Array | np.ndarray) -> jax.Array:
    """Feature similarity of luma: of phase congruency and gradients.

    Higher is better, from 0 to 1, the score of identical images. Unrounded luma is compared, large
    images downsampled.

    Zhang, Zhang, Mou and Zhang, "FSIM: A feature similarity index for image quality assessment",
    IEEE Trans. Image Processing 20 (2011).

    Args:
      reference: ``uint8``, or floating point in [0, 1], ``[B, H, W, 3]``, RGB, at least 2x2
        pixels.
      distorted: Images of the same shape.

    Returns:
      float32 ``[B]``, the scores of ``load_metric("fsim")``.

    Raises:
      InputError: If the images are of another type, range or shape, or too small.

    Example:
      >>> import numpy as np, iqa_jax
      >>> reference = np.random.default_rng(0).random((1, 64, 64, 3))
      >>> iqa_jax.fsim(reference, reference).tolist()
      [1.0]
    """
    return load_metric("fsim")(reference, distorted)


def fsimc(reference: jax.Array | np.ndarray, distorted: jax.Array | np.ndarray) -> jax.Array:
    """Feature similarity with colour, as :func:`fsim` and of two chroma planes.

    Higher is better, from 0 to 1, the score of identical images. Large images are downsampled.

    Zhang, Zhang, Mou and Zhang, "FSIM: A feature similarity index for image quality assessment",
    IEEE Trans. Image Processing 20 (2011).

    Args:
      reference: ``uint8``, or floating point in [0, 1], ``[B, H, W, 3]``, RGB, at least 2x2
        pixels.
      distorted: Images of the same shape.

    Returns:
      float32 ``[B]``, the scores of ``load_metric("fsimc")``.

    Raises:
      InputError: If the images are of another type, range or shape, or too small.

    Example:
      >>> import numpy as np, iqa_jax
      >>> reference = np.random.default_rng(0).random((1, 64, 64, 3))
      >>> iqa_jax.fsimc(reference, reference).tolist()
      [1.0]
    """
    return load_metric("fsimc")(reference, distorted)


def vsi(reference: jax.Array | np.ndarray, distorted: jax.Array | np.ndarray) -> jax.Array:
    """Visual saliency-induced index: similarity of saliency, gradients and chroma.

    Higher is better, from 0 to 1, the score of identical images. Large images are downsampled.

    Zhang, Shen and Li, "VSI: A visual saliency-induced index for perceptual image quality
    assessment", IEEE Trans. Image Processing 23 (2014).

    Args:
      reference: ``uint8``, or floating point in [0, 1], ``[B, H, W, 3]``, RGB.
      distorted: Images of the same shape.

    Returns:
      float32 ``[B]``, the scores of ``load_metric("vsi")``.

    Raises:
      InputError: If the images are of another type, range or shape.

    Example:
      >>> import numpy as np, iqa_jax
      >>> reference = np.random.default_rng(0).random((1, 64, 64, 3))
      >>> iqa_jax.vsi(reference, reference).tolist()
      [1.0]
    """
    return load_metric("vsi")(reference, distorted)
