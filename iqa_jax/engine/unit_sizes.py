"""Number of images that go through a network together on a device.

It depends only on the network, the size of the images and the kind of device: a score is computed
by the same program, whatever else is in the table and however much memory the machine has.
"""

import math

import jax
import numpy as np

from iqa_jax.engine.step import Step
from iqa_jax.images.resize import Size

_PIXELS_AT_ONCE = {"cpu": 2**17, "gpu": 8 * 384 * 512, "tpu": 16 * 384 * 512}
"""On a CPU more pixels do not fit the caches, and one large image keeps all cores busy."""

_LEAST_AT_ONCE = {"tpu": 16}
"""Chosen when a pass over the pixels of few images cost a TPU as much as one over many; for images
larger than 512x384 it has not been counted since, see ``scripts/benchmarks/RESULTS.md``."""

_MOST_AT_ONCE = 128
"""Images at once on an accelerator; more small ones would mostly be padding of small tables."""

_PREPARED_AT_ONCE = 5 * 2**30
"""Bytes of prepared references on an accelerator. Their versions and what is computed from them
take about as much again, and the smallest TPUs have 16 GB."""


def images_at_once(step: Step, size: Size, platform: str) -> int:
    """Number of images of a size that go through a network together on a device of a platform.

    On accelerators it is a power of two, so that it can be halved if the step does not fit.

    Args:
      step: Step; shapes instead of arrays are enough.
      size: Height and width of the images.
      platform: Platform of the device.
    """
    wanted = _PIXELS_AT_ONCE.get(platform, _PIXELS_AT_ONCE["cpu"]) // math.prod(size)
    if platform not in ("gpu", "tpu"):
        return max(1, wanted)
    wanted = max(wanted, _LEAST_AT_ONCE.get(platform, 1))
    most = min(wanted, _MOST_AT_ONCE, _PREPARED_AT_ONCE // max(1, prepared_bytes(step, size)))
    return 2 ** max(0, most.bit_length() - 1)


def prepared_bytes(step: Step, size: Size) -> int:
    """Number of bytes of the prepared values of one image.

    Args:
      step: Step; shapes instead of arrays are enough.
      size: Height and width of the image.
    """
    image = jax.ShapeDtypeStruct((*size, 3), np.uint8)
    kept = jax.eval_shape(type(step).prepare, step, image)
    return sum(math.prod(each.shape) * each.dtype.itemsize for each in jax.tree.leaves(kept))
