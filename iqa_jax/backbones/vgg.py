"""VGG: blocks of 3x3 convolutions between 2x2 max poolings.

Simonyan and Zisserman 2015, arXiv 1409.1556; attribute names as in torchvision's ``vgg16``.
"""

import functools

import jax
from flax import nnx

from iqa_jax.backbones.blocks import conv, max_pool, named_activations

_VGG16_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""(channels, convolutions) of each block: configuration D of the paper's table 1."""


class VGG(nnx.Module):
    """The convolutional part of a VGG.

    Args:
      blocks: (channels, convolutions) of each block.
      rngs: Source of the initial parameters.
    """

    def __init__(self, blocks: tuple[tuple[int, int], ...], *, rngs: nnx.Rngs):
        features, names, in_channels = [], [], 3
        for block, (channels, convolutions) in enumerate(blocks, 1):
            for number in range(1, convolutions + 1):
                features += [conv(in_channels, channels, 3, padding=1, rngs=rngs), nnx.relu]
                names += [None, f"relu{block}_{number}"]
                in_channels = channels
            features.append(max_pool(2, 2))
            names.append(f"pool{block}")
        self.features = nnx.List(features)
        self.names = tuple(names)

    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        """Maps a preprocessed input ``[B, H, W, 3]`` to its named activations."""
        return named_activations(self.features, self.names, x)


vgg16 = functools.partial(VGG, _VGG16_BLOCKS)
"""VGG-16, configuration D: thirteen convolutions."""
