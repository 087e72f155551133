"""A metric as a function of arrays."""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.errors import InputError
from iqa_jax.images.preprocess import check_images
from iqa_jax.metrics.pair_function import PairFunction
from iqa_jax.pytrees import register_pytree


@register_pytree
@dataclass(frozen=True, eq=False)
class Metric:
    """A score for each pair of images; can be compiled, mapped and differentiated.

    A distance is 0 for identical images and grows.

    Attributes:
      function: What computes it: a pair function of one value.
      name: Name of the metric.
      higher_is_better: False for distances, True for similarities such as SSIM.
    """

    function: PairFunction
    name: str = field(metadata={"label": True})
    higher_is_better: bool = field(metadata={"static": True}, default=False)

    def __call__(
        self, reference: jax.Array | np.ndarray, distorted: jax.Array | np.ndarray
    ) -> jax.Array:
        """Score of each distorted image against its reference.

        Args:
          reference: ``uint8``, or float32 in [0, 1], ``[B, H, W, 3]``, RGB.
          distorted: Images of the same shape.

        Returns:
          float32 ``[B]``. Its gradient is finite everywhere, also for identical images.

        Raises:
          InputError: If the images are of another type, range or shape, or too small.
        """
        self._check(reference, distorted)
        return _compiled(self.function, jnp.asarray(reference), jnp.asarray(distorted))

    def map(
        self, reference: jax.Array | np.ndarray, distorted: jax.Array | np.ndarray
    ) -> jax.Array:
        """Local scores of each distorted image against its reference.

        Only SSIM and read-outs ``unit`` have them, LPIPS among them. Before a map is enlarged to
        the size of the image, its mean (of LPIPS: the sum of the layers' means) is the score. Near
        the borders, where no window of SSIM lies within the image, the nearest value stands.

        Args:
          reference: As for calling the metric.
          distorted: As for calling the metric.

        Returns:
          float32 ``[B, H, W]``.

        Raises:
          InputError: If the metric has no maps, or the images are invalid (see ``__call__``).
        """
        self._check(reference, distorted)
        if not self.function.mapped:
            raise InputError(f"{self.name} has no maps; SSIM and the read-outs unit have them")
        return _compiled_map(self.function, jnp.asarray(reference), jnp.asarray(distorted))

    def _check(self, reference: jax.Array | np.ndarray, distorted: jax.Array | np.ndarray) -> None:
        check_images(reference, "reference")
        check_images(distorted, "distorted")
        if reference.shape != distorted.shape:
            raise InputError(
                "reference and distorted: expected the same shape, got "
                f"{list(reference.shape)} and {list(distorted.shape)}"
            )
        _, height, width, _ = reference.shape
        self.function.check_size(height, width)


@jax.jit
def _compiled(function: PairFunction, reference: jax.Array, distorted: jax.Array) -> jax.Array:
    (score,) = function.pairs(reference, distorted)
    return score


@jax.jit
def _compiled_map(function: PairFunction, reference: jax.Array, distorted: jax.Array) -> jax.Array:
    (values,) = function.maps(reference, distorted)
    return values
