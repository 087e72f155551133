"""VGG: blocks of 3x3 convolutions between poolings.

Simonyan and Zisserman 2015, arXiv 1409.1556; attribute names as in torchvision's ``vgg16``. DISTS's
variant has L2 poolings instead of 2x2 max poolings. DeepDC's ends with the last convolution, before
its activation.
"""

import functools

import jax
from flax import nnx

from iqa_jax.backbones.layers import (
    BatchNorm,
    Chain,
    Layer,
    conv,
    l2_pool,
    max_pool,
    named_activations,
)
from iqa_jax.backbones.paired import l2_pool_of_pairs, max_pool_of_pairs, paired_convolutions

_CHANNELS = (64, 128, 256, 512, 512)
"""Channels of the five blocks, in every configuration in table 1 of the paper."""

_MAX_POOL = max_pool(2, 2)

# On TPUs the first block, which has few channels, is computed for two pixels at once.
_POOL_OF_PAIRS = {_MAX_POOL: max_pool_of_pairs, l2_pool: l2_pool_of_pairs}


class VGG(nnx.Module):
    """The convolutional part of a VGG.

    Args:
      convolutions: Number of convolutions in each block.
      normalised: Whether each convolution is followed by a batch normalisation.
      pool: Pooling after each block: 2x2 max pooling, or ``l2_pool``.
      ends_linear: Whether it ends with the last convolution, whose name is then a layer.
      rngs: Source of the initial parameters.
    """

    def __init__(
        self,
        convolutions: tuple[int, ...],
        *,
        normalised: bool = False,
        pool: Layer = _MAX_POOL,
        ends_linear: bool = False,
        rngs: nnx.Rngs,
    ):
        features: list[Layer] = []
        names: list[str | None] = []
        in_channels = 3
        for block, (channels, count) in enumerate(zip(_CHANNELS, convolutions, strict=True), 1):
            for number in range(1, count + 1):
                layers: list[Layer] = [conv(in_channels, channels, 3, padding=1, rngs=rngs)]
                if normalised:
                    layers.append(BatchNorm(channels, after=str(len(features)), rngs=rngs))
                features += [*layers, nnx.relu]
                names += [*[None] * len(layers), f"relu{block}_{number}"]
                in_channels = channels
            features.append(pool)
            names.append(f"pool{block}")
        if ends_linear:
            features, names = (
                features[:-2],
                [*names[:-3], f"conv{len(_CHANNELS)}_{convolutions[-1]}"],
            )
        self.features = Chain(features)
        self.names = tuple(names)
        self.first_block = names.index("pool1") + 1

    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        """Maps a preprocessed input ``[B, H, W, 3]`` to its named activations."""
        layers, names, end = list(self.features), self.names, self.first_block
        is_folded = not any(isinstance(layer, BatchNorm) for layer in layers[:end])

        def by_layers(x: jax.Array) -> tuple[jax.Array, ...]:
            return tuple(named_activations(layers[:end], names[:end], x).values())

        def by_pairs(x: jax.Array) -> tuple[jax.Array, ...]:
            parameters = [
                (layer.kernel[...], layer.bias[...])
                for layer in layers[:end]
                if isinstance(layer, nnx.Conv) and layer.bias is not None
            ]
            return paired_convolutions(x, parameters, _POOL_OF_PAIRS[layers[end - 1]])

        if is_folded and x.shape[2] % 2 == 0:
            values = jax.lax.platform_dependent(x, tpu=by_pairs, default=by_layers)
        else:
            values = by_layers(x)
        first = dict(zip(filter(None, names[:end]), values, strict=True))
        return first | named_activations(layers[end:], names[end:], values[-1])


_A = (1, 1, 2, 2, 2)
_B = (2, 2, 2, 2, 2)
_D = (2, 2, 3, 3, 3)
_E = (2, 2, 4, 4, 4)
"""Numbers of convolutions in the configurations in table 1 of the paper."""

VARIANTS = {
    "vgg11": functools.partial(VGG, _A),
    "vgg13": functools.partial(VGG, _B),
    "vgg16": functools.partial(VGG, _D),
    # DISTS's variant (Ding et al. 2020, arXiv 2004.07728).
    "vgg16_l2pool": functools.partial(VGG, _D, pool=l2_pool),
    "vgg19": functools.partial(VGG, _E),
    # DeepDC's variant (Zhu et al. 2022, arXiv 2211.04927).
    "vgg19_conv5_4": functools.partial(VGG, _E, ends_linear=True),
    "vgg11_bn": functools.partial(VGG, _A, normalised=True),
    "vgg13_bn": functools.partial(VGG, _B, normalised=True),
    "vgg16_bn": functools.partial(VGG, _D, normalised=True),
    "vgg19_bn": functools.partial(VGG, _E, normalised=True),
}
"""Builders by architecture; they take the keyword argument ``rngs``."""
