"""A network with its weights and its preprocessing."""

import bisect
import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import jax
import jax.numpy as jnp
import numpy as np

from iqa_jax.backbones.network import INPUT, Activations, Network, aliases, not_multiples
from iqa_jax.compilation import compiled
from iqa_jax.errors import InputError
from iqa_jax.images.preprocess import Preprocessing, check_images, unit_range
from iqa_jax.pytrees import register_pytree
from iqa_jax.revisions import OF_EVERY_IMAGE

PRECISIONS = ("highest", "high", "default", "bf16")
"""JAX's precisions of float32 products, and ``bf16``: weights and activations in bfloat16."""

_LARGEST_LEAST_SIZE = 1024


@register_pytree
@dataclass(frozen=True, eq=False)
class Backbone:
    """A frozen network: a function from images to named activations.

    ``backbone(images)`` returns ``{layer: [B, height, width, channels]}``. A backbone is a pytree
    whose leaves are the parameters: pass it to ``jit`` as an argument, or close over it. Name and
    hash are labels: checkpoints that differ in nothing else static share a compiled program.

    Attributes:
      parameters: Parameters by dotted name; only their shapes in an outline.
      network: Architecture.
      preprocessing: Preprocessing that the checkpoint expects.
      name: Name of the model.
      precision: One of :data:`PRECISIONS`.
      sha256: Hash of the stored weights; empty if there are none.
      selected: Names, full or short, of the layers that it returns; None for all.

    Example:
      >>> import numpy as np, iqa_jax
      >>> backbone = iqa_jax.load_backbone("resnet20-random-none-seed0")
      >>> backbone.layers[:3]
      ('input', 'conv1', 'layer1.0')
      >>> backbone(np.zeros((2, 64, 48, 3), np.uint8))["layer1.0"].shape
      (2, 64, 48, 16)
    """

    parameters: Mapping[str, jax.Array] = field(repr=False)
    network: Network = field(metadata={"static": True}, repr=False)
    preprocessing: Preprocessing = field(metadata={"static": True}, repr=False)
    name: str = field(metadata={"label": True})
    precision: str = field(metadata={"static": True}, default="highest")
    sha256: str = field(metadata={"label": True}, default="")
    selected: tuple[str, ...] | None = field(metadata={"static": True}, default=None)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that it returns: those selected, or :attr:`all_layers`."""
        return self.all_layers if self.selected is None else self.selected

    @property
    def all_layers(self) -> tuple[str, ...]:
        """Names of all layers in forward order; the first is ``input``, the pixels in [0, 1].

        A transformer has others, on request: :attr:`known_layers`.
        """
        return (INPUT, *self.network.layers)

    @property
    def known_layers(self) -> tuple[str, ...]:
        """Names of all layers, then of those that only a request by name selects."""
        return (*self.all_layers, *self.network.on_request)

    @property
    def channels(self) -> dict[str, int]:
        """Number of channels of every layer that it returns."""
        channels = {INPUT: 3, **self.network.channels}
        short = aliases(self.all_layers)
        return {layer: channels[short.get(layer, layer)] for layer in self.layers}

    def with_layers(self, layers: str | Sequence[str] | None) -> Self:
        """The same network with other layers; anything that they do not need is not computed.

        Args:
          layers: Names of the layers to return, in this order, as ``"relu1+relu2"`` or a sequence;
            a short name such as ``layer2`` means its last block. None for all.

        Raises:
          InputError: If the network has no such layer.

        Example:
          >>> import iqa_jax
          >>> backbone = iqa_jax.load_backbone("resnet20-random-none-seed0")
          >>> backbone.with_layers(["layer2", "conv1"]).layers
          ('layer2', 'conv1')
        """
        if layers is None:
            return replace(self, selected=None)
        names = tuple(layers.split("+") if isinstance(layers, str) else dict.fromkeys(layers))
        check_layers(self.name, names, self.known_layers)
        return replace(self, selected=names)

    @property
    def formulas(self) -> list[str]:
        """Formulas that its activations depend on: names of ``iqa_jax.revisions``."""
        names = [*OF_EVERY_IMAGE, "images/preprocessing"]
        if self.preprocessing.is_of_luminance:
            names.append("images/luminance")
        if self.network.family:
            names.append(f"backbone/{self.network.family}")
        return names

    def __call__(
        self, images: jax.Array | np.ndarray, layers: str | Sequence[str] | None = None
    ) -> Activations:
        """Activations of a batch of images.

        Args:
          images: ``uint8``, or floating point in [0, 1], ``[B, H, W, 3]``, RGB. Any type but
            ``uint8`` and float32 is converted to float32.
          layers: Names of the layers to return, as for :meth:`with_layers`; None for
            :attr:`layers`.

        Returns:
          ``{layer: [B, height, width, channels]}``, with the requested names in that order.

        Raises:
          InputError: If the images have the wrong type, range or shape, or are too small for one of
            the layers, or the network has no such layer.

        Example:
          >>> import numpy as np, iqa_jax
          >>> backbone = iqa_jax.load_backbone("resnet20-random-none-seed0")
          >>> features = backbone(np.zeros((1, 64, 64, 3)), layers=["conv1", "layer3"])
          >>> {layer: values.shape for layer, values in features.items()}
          {'conv1': (1, 64, 64, 16), 'layer3': (1, 16, 16, 64)}
        """
        backbone = self if layers is None else self.with_layers(layers)
        images = check_images(images)
        _, height, width, _ = images.shape
        reason = backbone.refusal(height, width)
        if reason:
            raise InputError(reason)
        activations = _selected_activations(backbone, jnp.asarray(images))
        return dict(zip(backbone.layers, activations, strict=True))

    def activations(self, images: jax.Array) -> Activations:
        """Activations without any check, to be traced in a larger computation.

        Args:
          images: ``[B, H, W, 3]``, ``uint8`` or floating point in [0, 1].

        Returns:
          All layers of the network, selected or not, also under short names (:func:`aliases`). Of
          images that are not made of whole patches, ``input`` alone.
        """
        pixels = unit_range(images)
        if self._is_cut(*images.shape[1:3]):
            return {INPUT: pixels}
        x = self.preprocessing(pixels)
        if self.precision == "bf16":
            activations = self.network.apply(self.parameters, x.astype(jnp.bfloat16))
        else:
            with jax.default_matmul_precision(self.precision):
                activations = self.network.apply(self.parameters, x)
        activations = {INPUT: pixels, **activations}
        short = {alias: activations[layer] for alias, layer in aliases(tuple(activations)).items()}
        return activations | short

    def refusal(
        self, height: int, width: int, *, layers: Iterable[str] | None = None
    ) -> str | None:
        """Reason why images of a size are refused: too small, or not made of whole patches.

        Args:
          height: Height of the images in pixels.
          width: Width of the images in pixels.
          layers: Names, full or short, of layers that must have positions; None for
            :attr:`layers`.

        Returns:
          A sentence that states the minimum size or the nearest ones; None if the size is right.
        """
        unreached = self.without_positions(height, width)
        missing = [
            name for name in (self.layers if layers is None else layers) if name in unreached
        ]
        if not missing:
            return None
        if self._is_cut(height, width):
            return f"{self.name} {not_multiples(height, width, self.network.multiple)}"
        least = bisect.bisect_left(
            range(1, _LARGEST_LEAST_SIZE),
            True,
            key=lambda size: self.without_positions(size, size).isdisjoint(missing),
        )
        plural = "s" if len(missing) > 1 else ""
        return (
            f"{self.name} needs images of at least {least + 1}x{least + 1} pixels for its "
            f"layer{plural} {', '.join(missing)}, got {width}x{height}"
        )

    def without_positions(self, height: int, width: int) -> set[str]:
        """Layers of the network, also by short names, that images of this size cannot reach."""
        if self._is_cut(height, width):
            named = self.known_layers[1:]
            return {*named, *aliases(named)}
        shapes = self.shapes(height, width)
        return {layer for layer, shape in shapes.items() if not math.prod(shape)}

    def shapes(self, height: int, width: int) -> dict[str, tuple[int, ...]]:
        """Height, width and channels of each layer for images of a size; nothing is computed."""
        image = jax.ShapeDtypeStruct((1, height, width, 3), jnp.float32)
        shapes = jax.eval_shape(Backbone.activations, self, image)
        return {layer: each.shape[1:] for layer, each in shapes.items()}

    def _is_cut(self, height: int, width: int) -> bool:
        """Whether the patches at the border of such images would not be whole."""
        return bool(height % self.network.multiple or width % self.network.multiple)


def check_layers(model: str, names: Iterable[str], layers: Sequence[str]) -> None:
    """Checks names of layers.

    Args:
      model: Name of the model.
      names: Names to check, full or short.
      layers: Names of all layers of the model.

    Raises:
      InputError: If the model has no such layer; it lists the layers, close matches first.
    """
    known = {*layers, *aliases(layers)}
    unknown = [name for name in dict.fromkeys(names) if name not in known]
    if unknown:
        close = [each for name in unknown for each in difflib.get_close_matches(name, layers)]
        listed = dict.fromkeys([*close, *layers])
        raise InputError(f"{model} has no layer {', '.join(unknown)}; it has: {', '.join(listed)}")


@compiled
def _selected_activations(backbone: Backbone, images: jax.Array) -> tuple[jax.Array, ...]:
    activations = backbone.activations(images)
    return tuple(activations[layer] for layer in backbone.layers)
