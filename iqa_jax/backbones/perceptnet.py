"""PerceptNet: a model of the early visual system, fitted to ratings.

Hepburn et al. 2020, arXiv 1910.12548; attribute and layer names as in the authors' ``percept``. Its
stages are those from the retina to the primary visual cortex: a gamma correction, opponent colours,
centre and surround, and oriented filters, each followed by a divisive normalisation.
"""

import functools

import jax
import jax.numpy as jnp
from flax import nnx

from iqa_jax.backbones.convolution import convolve
from iqa_jax.backbones.layers import conv, max_pool, named_activations

_LEAST_GAMMA = 2.0**-18
_LEAST_BETA = (1e-6 + _LEAST_GAMMA**2) ** 0.5
"""The authors' bounds, which keep the denominator positive."""


class DivisiveNormalisation(nnx.Module):
    """Generalised divisive normalisation (GDN): ``x / sqrt(beta + gamma * x^2)``.

    Balle et al. 2016, arXiv 1511.06281.

    Args:
      channels: Number of channels.
      is_separate: Whether a channel is divided by itself alone; otherwise by all.
      rngs: Source of the initial parameters; none is drawn.
    """

    def __init__(self, channels: int, *, is_separate: bool = False, rngs: nnx.Rngs):
        del rngs
        self.groups = channels if is_separate else 1
        self.gamma = nnx.Param(jnp.zeros((1, 1, channels // self.groups, channels)))
        self.beta = nnx.Param(jnp.ones((channels,)))

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps ``[B, H, W, C]`` to the same shape."""
        gamma = jnp.maximum(self.gamma[...], _LEAST_GAMMA)
        beta = jnp.maximum(self.beta[...], _LEAST_BETA).reshape(1, 1, 1, -1)
        energy = convolve(
            jnp.square(x),
            gamma,
            (1, 1),
            ((0, 0), (0, 0)),
            feature_group_count=self.groups,
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
        return x / jnp.sqrt(energy + beta)


_LAYERS = ("gdn1", "conv1", "maxpool1", "gdn2", "conv2", "maxpool2", "gdn3", "conv3", "gdn4")


class PerceptNet(nnx.Module):
    """PerceptNet.

    Args:
      padding: Margins of the three convolutions. The authors' are 1, so that the first layer
        gains, and the others lose, an edge; later programs of theirs keep the size.
      rngs: Source of the initial parameters.
    """

    def __init__(self, *, padding: tuple[int, int, int] = (1, 1, 1), rngs: nnx.Rngs):
        self.gdn1 = DivisiveNormalisation(3, is_separate=True, rngs=rngs)
        self.conv1 = conv(3, 3, 1, padding=padding[0], rngs=rngs)
        self.maxpool1 = max_pool(2, 2)
        self.gdn2 = DivisiveNormalisation(3, rngs=rngs)
        self.conv2 = conv(3, 6, 5, padding=padding[1], rngs=rngs)
        self.maxpool2 = max_pool(2, 2)
        self.gdn3 = DivisiveNormalisation(6, rngs=rngs)
        self.conv3 = conv(6, 128, 5, padding=padding[2], rngs=rngs)
        self.gdn4 = DivisiveNormalisation(128, rngs=rngs)

    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        """Maps images ``[B, H, W, 3]`` in [0, 1] to their named activations."""
        return named_activations([getattr(self, name) for name in _LAYERS], _LAYERS, x)


VARIANTS = {
    "perceptnet": PerceptNet,
    "perceptnet_same": functools.partial(PerceptNet, padding=(0, 2, 2)),
}
"""Builders by architecture; they take the keyword argument ``rngs``."""
