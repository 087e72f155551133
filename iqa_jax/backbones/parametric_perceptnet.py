"""Later PerceptNets, whose kernels are, or could be, functions known from vision science.

Vila-Tomas et al. 2024, arXiv 2412.03210. The layers are those of ``backbones.perceptnet`` with
larger kernels: differences of Gaussians in ``conv2``, Gabor functions in ``conv3``. The authors
publish the kernels that these functions gave, and the network takes them as they are.
"""

import functools

import jax
import jax.numpy as jnp
from flax import nnx

from iqa_jax.backbones.convolution import convolve
from iqa_jax.backbones.layers import Layer, conv, max_pool, named_activations

_LEAST_ENERGY = 1e-5
_STABILITY = 1e-6
"""The authors' constants in the denominator."""

_COLOURS = "atd"
"""The achromatic channel, and two of opponent colours (tritan and deutan)."""

_SCALES, _ORIENTATIONS, _PHASES = {"a": 4, "t": 2, "d": 2}, 8, 2
_GABORS = 128


def _same(x: jax.Array) -> jax.Array:
    return x


def _padded(x: jax.Array, size: int, mode: str) -> jax.Array:
    """``x`` with margins that keep its size in a convolution with a kernel of ``size``."""
    margin = (size - 1) // 2
    mode = mode if x.size else "constant"  # NumPy cannot mirror what is empty
    return jnp.pad(x, ((0, 0), (margin, margin), (margin, margin), (0, 0)), mode=mode)


class SpectralPooling(nnx.Module):
    """Sums over the Gabor functions of similar frequency, orientation and colour.

    The weights are products of Gaussians of the differences of frequencies and of orientations,
    and of a number for two colours. The authors' order of the channels is kept: their table of
    colours is sorted by colour, those of frequencies and orientations by phase first.
    """

    def __init__(self):
        for colour in _COLOURS:
            scales = (_SCALES[colour],)
            setattr(self, f"freq_{colour}", nnx.Param(jnp.ones(scales)))
            setattr(self, f"theta_{colour}", nnx.Param(jnp.ones((_ORIENTATIONS,))))
            setattr(self, f"gamma_f_{colour}", nnx.Param(jnp.ones(scales)))
            setattr(self, f"gamma_theta_{colour}", nnx.Param(jnp.ones((_ORIENTATIONS,))))
        self.H_cc = nnx.Param(jnp.ones((3, 3)))

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps ``[B, H, W, 128]`` to the same shape."""
        return _convolve(x, self._weights()[None, None])

    def _weights(self) -> jax.Array:
        """Weights ``[from, to]``."""
        counts = [_PHASES * _SCALES[colour] * _ORIENTATIONS for colour in _COLOURS]
        colours = jnp.repeat(jnp.arange(3), jnp.asarray(counts), total_repeat_length=_GABORS)
        between = jnp.maximum(self.H_cc[...], 0.0)[colours][:, colours]
        frequencies = dict.fromkeys(_COLOURS, _ORIENTATIONS)
        return (
            between
            * self._gaussian("freq", "gamma_f", frequencies)
            * self._gaussian("theta", "gamma_theta", _SCALES)
        )

    def _gaussian(self, place: str, sharpness: str, repeats: dict[str, int]) -> jax.Array:
        """Gaussians ``[from, to]`` of differences of a property, as sharp as ``to`` has it."""
        places, gammas = (
            jnp.tile(
                jnp.concatenate(
                    [jnp.tile(getattr(self, f"{name}_{c}")[...], repeats[c]) for c in _COLOURS]
                ),
                _PHASES,
            ).reshape(1, -1)
            for name in (place, sharpness)
        )
        return jnp.exp(-jnp.square(gammas * (places.T - places)) / 2)


class FlooredNormalisation(nnx.Module):
    """Divisive normalisation by the root of a weighted sum of squares, which has a floor.

    Args:
      channels: Number of channels.
      size: Height and width of the neighbourhood that is summed over.
      is_separate: Whether a channel is divided by itself alone; otherwise by all.
      margin: What the borders are continued by: ``symmetric`` or ``constant``, zeros.
      pooling: Layer between the sum over the neighbourhood and the root.
      rngs: Source of the initial parameters; none is drawn.
    """

    def __init__(
        self,
        channels: int,
        size: int = 1,
        *,
        is_separate: bool = True,
        margin: str = "symmetric",
        pooling: Layer = _same,
        rngs: nnx.Rngs,
    ):
        del rngs
        self.groups = channels if is_separate else 1
        self.margin = margin
        self.kernel = nnx.Param(jnp.zeros((size, size, channels // self.groups, channels)))
        self.bias = nnx.Param(jnp.ones((channels,)))
        self.pooling = pooling

    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps ``[B, H, W, C]`` to the same shape."""
        kernel = jnp.maximum(self.kernel[...], 0.0)  # the authors keep it so in the training
        squares = _padded(jnp.square(x), kernel.shape[0], self.margin)
        is_separate = self.groups > 1
        energy = _row_by_row(squares, kernel) if is_separate else _convolve(squares, kernel)
        energy = self.pooling(energy) + self.bias[...].reshape(1, 1, 1, -1)
        return x / (jnp.sqrt(jnp.maximum(energy, _LEAST_ENERGY)) + _STABILITY)


def _row_by_row(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """A depthwise convolution, whose program would be long if the kernel's rows were unrolled."""
    height = max(0, x.shape[1] - kernel.shape[0] + 1)
    groups = x.shape[-1]

    def add_row(total: jax.Array, step: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        row, weights = step
        lines = jax.lax.dynamic_slice_in_dim(x, row, height, axis=1)
        return total + _convolve(lines, weights[None], groups), None

    rows = jnp.arange(kernel.shape[0])
    width = max(0, x.shape[2] - kernel.shape[1] + 1)
    total, _ = jax.lax.scan(
        add_row, jnp.zeros((x.shape[0], height, width, groups), x.dtype), (rows, kernel)
    )
    return total


def _convolve(x: jax.Array, kernel: jax.Array, groups: int = 1) -> jax.Array:
    return convolve(
        x,
        kernel,
        (1, 1),
        ((0, 0), (0, 0)),
        feature_group_count=groups,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


_LAYERS = ("gdn1", "conv1", "maxpool1", "gdn2", "conv2", "maxpool2", "gdn3", "conv3", "gdn4")
_SURROUND, _GAUSSIAN, _GABOR, _POOL = 21, 11, 31, 21
"""Heights and widths of the kernels."""


class LargePerceptNet(nnx.Module):
    """A PerceptNet with large kernels.

    Args:
      is_parametric: Whether the last normalisation has the form known from vision science, and its
        result a scale for each channel; otherwise it sums over all channels and 21x21 positions.
      rngs: Source of the initial parameters.
    """

    def __init__(self, *, is_parametric: bool, rngs: nnx.Rngs):
        margin = "symmetric" if is_parametric else "constant"
        self.gdn1 = FlooredNormalisation(3, rngs=rngs)
        self.conv1 = conv(3, 3, 1, bias=False, rngs=rngs)
        self.maxpool1 = max_pool(2, 2)
        self.gdn2 = FlooredNormalisation(3, rngs=rngs)
        self.conv2 = conv(3, 3, _SURROUND, bias=False, rngs=rngs)
        self.maxpool2 = max_pool(2, 2)
        self.gdn3 = FlooredNormalisation(3, _GAUSSIAN, margin=margin, rngs=rngs)
        self.conv3 = conv(3, _GABORS, _GABOR, bias=False, rngs=rngs)
        self.gdn4 = FlooredNormalisation(
            *(_GABORS, _POOL),
            is_separate=is_parametric,
            margin=margin,
            pooling=SpectralPooling() if is_parametric else _same,
            rngs=rngs,
        )
        if is_parametric:
            self.scale = nnx.Param(jnp.ones((_GABORS,)))
        self.is_parametric = is_parametric

    def __call__(self, x: jax.Array) -> dict[str, jax.Array]:
        """Maps images ``[B, H, W, 3]`` in [0, 1] to their named activations."""
        layers = {name: getattr(self, name) for name in _LAYERS}
        layers["conv2"] = lambda x: self.conv2(_padded(x, _SURROUND, "symmetric"))
        layers["conv3"] = lambda x: self.conv3(_padded(x, _GABOR, "symmetric"))
        activations = named_activations(list(layers.values()), _LAYERS, x)
        if self.is_parametric:
            activations["gdn4"] = activations["gdn4"] * self.scale[...].reshape(1, 1, 1, -1)
        return activations


VARIANTS = {
    "perceptnet_parametric": functools.partial(LargePerceptNet, is_parametric=True),
    "perceptnet_large": functools.partial(LargePerceptNet, is_parametric=False),
}
"""Builders by architecture; they take the keyword argument ``rngs``."""
