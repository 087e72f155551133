"""AlexNet in the shape of "One weird trick for parallelizing convolutional neural networks".

Krizhevsky 2014, arXiv 1404.5997; attribute names as in torchvision's ``alexnet``.
"""

import jax
from flax import nnx

from iqa_jax.backbones.blocks import conv, max_pool, named_activations


class AlexNet(nnx.Module):
    """The convolutional part: five convolutions, three overlapping max poolings."""

    names = (
        *(None, "relu1", "pool1"),
        *(None, "relu2", "pool2"),
        *(None, "relu3"),
        *(None, "relu4"),
        *(None, "relu5", "pool5"),
    )

    def __init__(self, *, rngs: nnx.Rngs):
        self.features = nnx.List(
            [
                conv(3, 64, 11, stride=4, padding=2, rngs=rngs),
                nnx.relu,
                max_pool(3, 2),
                conv(64, 192, 5, padding=2, rngs=rngs),
                nnx.relu,
                max_pool(3, 2),
                conv(192, 384, 3, padding=1, rngs=rngs),
                nnx.relu,
                conv(384, 256, 3, padding=1, rngs=rngs),
                nnx.relu,
                conv(256, 256, 3, padding=1, rngs=rngs),
                nnx.relu,
                max_pool(3, 2),
            ]
        )

    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        """Maps a preprocessed input ``[B, H, W, 3]`` to its named activations."""
        return named_activations(self.features, self.names, x)
