"""Any read-out of any backbone as a metric."""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.comparison import Comparison
from iqa_jax.errors import InputError
from iqa_jax.preprocess import check_images


@jax.tree_util.register_dataclass
@dataclass(frozen=True, eq=False)
class ReadoutMetric:
    """A distance in the feature space of a network: 0 for identical images, and growing.

    Attributes:
      comparison: The network and the one read-out.
      name: The metric's name.
    """

    comparison: Comparison
    name: str = field(metadata={"static": True})

    def __call__(
        self, reference: jax.Array | np.ndarray, distorted: jax.Array | np.ndarray
    ) -> jax.Array:
        """Distance of each distorted image to its reference.

        Args:
          reference: ``uint8``, or float32 in [0, 1], ``[B, H, W, 3]``, RGB.
          distorted: Likewise, of the same shape.

        Returns:
          float32 ``[B]``. Its gradient is finite everywhere, also for identical images.

        Raises:
          InputError: If the images are of another type, range or shape, or too small.
        """
        check_images(reference, "reference")
        check_images(distorted, "distorted")
        if reference.shape != distorted.shape:
            raise InputError(
                "reference and distorted: expected the same shape, got "
                f"{list(reference.shape)} and {list(distorted.shape)}"
            )
        _, height, width, _ = reference.shape
        (readout,) = self.comparison.readouts
        self.comparison.backbone.check_size(height, width, readout.layers)
        return _compiled(self.comparison, jnp.asarray(reference), jnp.asarray(distorted))


@jax.jit
def _compiled(comparison: Comparison, reference: jax.Array, distorted: jax.Array) -> jax.Array:
    (distance,) = comparison.pairs(reference, distorted).values()
    return distance
