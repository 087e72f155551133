"""A metric as a function of arrays."""

import math
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.compilation import compiled
from iqa_jax.errors import InputError
from iqa_jax.images.preprocess import check_pair
from iqa_jax.metrics.pair_function import PairFunction
from iqa_jax.pytrees import register_pytree


@register_pytree
@dataclass(frozen=True, eq=False, repr=False)
class Metric:
    """A score for each pair of images; can be compiled, mapped and differentiated.

    ``metric(reference, distorted)`` returns the scores ``[B]`` and ``metric.map(reference,
    distorted)`` local ones ``[B, H, W]``. A metric is a pytree whose leaves are the weights: pass
    it to ``jit`` as an argument, or close over it. For identical images a distance is 0 and a
    similarity has its highest value.

    Called with arrays, it is compiled with the options that the programs use, and its scores are
    those of ``iqa score`` up to the rounding of float32. Inside ``jit``, ``grad``, ``vmap`` or
    ``scan`` it is compiled as part of the code around it.

    Attributes:
      function: Pair function of one value.
      name: Name of the metric.
      higher_is_better: True for similarities such as SSIM, False for distances such as LPIPS.

    Example:
      >>> import jax, numpy as np, iqa_jax
      >>> metric = iqa_jax.load_metric("ssim:rgb")
      >>> metric
      Metric('ssim:rgb', higher is better, from -1 to 1)
      >>> reference = np.random.default_rng(0).random((2, 64, 64, 3))
      >>> metric(reference, reference).tolist()
      [1.0, 1.0]
      >>> slope = jax.grad(lambda images: metric(reference, images).sum())(reference * 0.9)
      >>> slope.shape
      (2, 64, 64, 3)
    """

    function: PairFunction
    name: str = field(metadata={"label": True})
    higher_is_better: bool = field(metadata={"static": True}, default=False)

    @property
    def score_range(self) -> tuple[float, float]:
        """Bounds of the scores of images in [0, 1], infinite where there is none.

        The bounds are those of exact arithmetic; rounding in float32 may exceed them in the last
        digits. :mod:`iqa_jax.metrics.bounds` derives those of read-outs, the module of a pixel
        metric its own.

        Example:
          >>> import iqa_jax
          >>> iqa_jax.load_metric("psnr").score_range
          (0.0, 100.0)
        """
        (bounds,) = self.function.score_ranges
        return bounds

    def __repr__(self) -> str:
        low, high = self.score_range
        direction = "higher" if self.higher_is_better else "lower"
        ends = [f"from {low:g}"] if math.isfinite(low) else []
        ends += [f"{'to' if ends else 'up to'} {high:g}"] if math.isfinite(high) else []
        return f"Metric({self.name!r}, {direction} is better, {' '.join(ends)})"

    def __call__(
        self, reference: jax.Array | np.ndarray, distorted: jax.Array | np.ndarray
    ) -> jax.Array:
        """Score of each distorted image against its reference.

        Args:
          reference: ``uint8``, or floating point in [0, 1], ``[B, H, W, 3]``, RGB. Any type but
            ``uint8`` and float32 is converted to float32.
          distorted: Images of the same shape.

        Returns:
          float32 ``[B]``. Its gradient is finite everywhere, also for identical images.

        Raises:
          InputError: If the images have the wrong type, range or shape, or are too small.

        Example:
          >>> import numpy as np, iqa_jax
          >>> black = np.zeros((2, 64, 64, 3), np.uint8)
          >>> iqa_jax.load_metric("psnr")(black, black).tolist()
          [100.0, 100.0]
        """
        reference, distorted = self._checked(reference, distorted)
        return _scores(self.function, reference, distorted)

    def map(
        self, reference: jax.Array | np.ndarray, distorted: jax.Array | np.ndarray
    ) -> jax.Array:
        """Local scores of each distorted image against its reference.

        Only SSIM, FLIP and the read-outs ``unit`` have maps, LPIPS among them. Before a map is
        enlarged to the size of the image, its mean (for LPIPS the sum of the layers' means) is the
        score. Near the borders, where no window of SSIM fits into the image, the nearest value is
        repeated.

        Args:
          reference: Images ``[B, H, W, 3]``, as for calling the metric.
          distorted: Images of the same shape.

        Returns:
          float32 ``[B, H, W]``.

        Raises:
          InputError: If the metric has no maps, or the images are invalid (see ``__call__``).

        Example:
          >>> import numpy as np, iqa_jax
          >>> black = np.zeros((2, 64, 48, 3), np.uint8)
          >>> iqa_jax.load_metric("ssim").map(black, black).shape
          (2, 64, 48)
        """
        reference, distorted = self._checked(reference, distorted)
        if not self.function.mapped:
            raise InputError(
                f"{self.name} has no maps; SSIM, FLIP, LPIPS and the read-outs unit have them"
            )
        return _local_scores(self.function, reference, distorted)

    def _checked(self, *pair: jax.Array | np.ndarray) -> tuple[jax.Array, jax.Array]:
        reference, distorted = check_pair(*pair)
        _, height, width, _ = reference.shape
        self.function.check_size(height, width)
        return jnp.asarray(reference), jnp.asarray(distorted)


@compiled
def _scores(function: PairFunction, reference: jax.Array, distorted: jax.Array) -> jax.Array:
    (score,) = function.pairs(reference, distorted)
    return score


@compiled
def _local_scores(function: PairFunction, reference: jax.Array, distorted: jax.Array) -> jax.Array:
    (values,) = function.maps(reference, distorted)
    return values
